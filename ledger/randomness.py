"""The one source of randomness. Everything else is handed what it needs of it."""

import secrets
from collections.abc import Callable

from ledger.core.digests import SALT_BYTES

Salts = Callable[[], bytes]  # gives another salt at every call


def new_salt() -> bytes:
    """Bytes that nobody can guess, for the digest of an event's words."""
    return secrets.token_bytes(SALT_BYTES)


def new_name(prefix: str) -> str:
    """A name that was not there before, such as an idempotency key that the caller did not choose."""
    return f"{prefix}{secrets.token_hex(12)}"
