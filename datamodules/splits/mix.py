"""Seeds that are mixed from several numbers or names."""

import hashlib


def mix(*numbers: int | str) -> int:
    """One seed from several numbers or names: a hash, because sums of them would collide."""
    digest = hashlib.blake2b(repr(numbers).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")
