"""The request id as key and clock: 128 bits that begin with the time.

A Lava id is `req_` and a ULID (26 digits of Crockford's base 32: 48 bits of milliseconds since 1970, then
80 random bits; https://github.com/ulid/spec). Its bits are the key, so new events land at the right edge
of the index. Any other text is opaque: its key is a set top bit and 127 bits of SHA-256.
"""

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec

_ALPHABET = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUV"  # as Python writes numbers of base 32
# What is none of the alphabet must not be taken for a sign, a space or another digit.
_NO_DIGIT = ord("!")
_TO_BASE_32 = bytes(
    _DIGITS[_ALPHABET.index(byte)] if byte in _ALPHABET else _NO_DIGIT for byte in range(256)
)
_CANONICAL_LENGTH = len("req_") + 26
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = (datetime(2020, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_END_MS = (datetime(2100, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_TOP_BIT = 1 << 127


class RequestKey(msgspec.Struct, frozen=True, gc=False):
    """The key of a request id: 16 bytes, and the text where the bytes do not say it."""

    bits: bytes
    opaque_id: str | None = None


def request_key(request_id: str) -> RequestKey:
    """Map a request id to its key. A pure function of the text; canonical ids map one to one."""
    if len(request_id) == _CANONICAL_LENGTH and request_id[:4] == "req_":
        try:
            number = int(request_id[4:].encode().translate(_TO_BASE_32), 32)
        except ValueError:
            return _opaque_key(request_id)
        if _FIRST_MS <= number >> 80 < _END_MS:
            return RequestKey(number.to_bytes(16, "big"))
    return _opaque_key(request_id)


def _opaque_key(request_id: str) -> RequestKey:
    digest = hashlib.sha256(request_id.encode()).digest()[:16]
    opaque = int.from_bytes(digest, "big") | _TOP_BIT
    return RequestKey(opaque.to_bytes(16, "big"), request_id)


def request_id_of(bits: bytes, opaque_id: str | None) -> str:
    """Give back the text that `request_key` mapped."""
    if opaque_id is not None:
        return opaque_id
    number = int.from_bytes(bits, "big")
    digits = bytes(_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))
    return "req_" + digits.decode()


def time_of(key: RequestKey) -> datetime | None:
    """The instant at which a canonical id was made, to the millisecond; None for an opaque one."""
    if key.opaque_id is not None:
        return None
    return _EPOCH + timedelta(milliseconds=int.from_bytes(key.bits[:6], "big"))
