"""Known failures: errors of torch with a cause outside of the program, in words for the user."""

import re

KILLED_WORKER = re.compile(
    r"DataLoader worker.*?(?:is killed by signal: (?P<signal>\w+)|exited unexpectedly)"
)
FULL_GPU = re.compile(r"(?P<what>CUDA out of memory\. Tried to allocate [\d.]+ \w+)")


def explained(error: RuntimeError) -> str | None:
    """What has happened and what helps; None if the error is not known."""
    text = str(error)
    if worker := KILLED_WORKER.search(text):
        how = f"was killed ({worker['signal']})" if worker["signal"] else "has ended"
        return (
            f"A process that loads images {how}, perhaps because memory ran out. Use fewer of them "
            "with --data.num_workers, then resume with --ckpt_path last."
        )
    if full := FULL_GPU.search(text):
        return (
            f"{full['what']}. Use a smaller --data.batch_size or --data.image_size, or "
            "--trainer.precision 16-mixed."
        )
    return None
