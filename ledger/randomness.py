"""The one source of randomness. Everything else is handed what it needs of it."""

import secrets
from collections.abc import Callable

from ledger.core.digests import SALT_BYTES
from ledger.core.keys import SECRET_BYTES

_KEY_ID_CHARACTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # without letters that look like others

Salts = Callable[[], bytes]  # gives another salt at every call


def new_salt() -> bytes:
    """Bytes that nobody can guess, for the digest of an event's words."""
    return secrets.token_bytes(SALT_BYTES)


def new_key() -> str:
    """An API key: ten characters to recognise it by, and a secret of 256 bits (`ledger.core.keys`)."""
    key_id = "".join(secrets.choice(_KEY_ID_CHARACTERS) for _ in range(10))
    return f"lk_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"


def new_name(prefix: str) -> str:
    """A name that was not there before, such as an idempotency key that the caller did not choose."""
    return f"{prefix}{secrets.token_hex(12)}"
