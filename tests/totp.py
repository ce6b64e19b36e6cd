"""The code that an app shows, after RFC 6238: written anew, so that ours is not its own judge."""

import base64
import hashlib
import hmac
import struct


def code_of(secret: str, *, at: float) -> str:
    """Return the six digits that a secret (base 32, spaces allowed) gives at a moment."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.digest(key, struct.pack(">Q", int(at) // 30), hashlib.sha1)
    start = digest[-1] & 0xF
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06}"
