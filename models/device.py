"""Device on which a network runs outside a trainer."""

import torch


def device_named(wanted: str = "auto") -> str:
    """The device that a setting means; `auto` is the fastest that there is.

    Raises:
        ValueError: If torch does not find it.
    """
    present = ["cpu"]
    if torch.backends.mps.is_available():
        present.insert(0, "mps")
    if torch.cuda.is_available():
        present.insert(0, "cuda")
    if wanted not in ("auto", *present):
        possible = ", ".join(["auto", *present[:-1]])
        raise ValueError(
            f"Expected the device to be {possible} or cpu, got {wanted!r}: "
            "torch finds no other device here."
        )
    return present[0] if wanted == "auto" else wanted
