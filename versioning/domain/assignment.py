"""Which arm of a canary a key belongs to: the same in every process and after every restart."""

import hashlib
from decimal import Decimal

# 64 bits: two keys of any fleet share a place so rarely that no share is off by it.
_BYTES = 8
_RANGE = 2 ** (8 * _BYTES)


def position(*, salt: str, key: str) -> int:
    """Return the place of a key on the canary's line, from 0 up to 2^64.

    BLAKE2b over the salt's length, the salt and the key: no two pairs of salt and key run into
    one text. Another salt gives another order of the same keys.
    """
    text = f"{len(salt)}:{salt}{key}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=_BYTES).digest(), "big")


def is_in_canary(*, salt: str, key: str, weight: Decimal) -> bool:
    """Say whether a key gets the new version at this weight (a share from 0 to 1).

    A growing weight only adds keys: whoever has the new version keeps it. Compared exactly, so
    that 0 has nobody and 1 everybody.
    """
    return bool(position(salt=salt, key=key) < weight * _RANGE)
