"""API keys: who may ask for what, and for whom.

A key is its id, which may be shown and logged (`lk_` and ten characters), `_`, and a secret. Only the digest
of the whole is kept.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from ledger.core.errors import FieldError

MAX_NAME_CHARACTERS = 255
SECRET_BYTES = 32
LAST_EXPIRY = datetime(9999, 1, 1, tzinfo=UTC)  # what lies close to the end has no form in UTC
_KEY = re.compile(r"(lk_[0-9a-z]{10})_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a key may do; `admin` may do everything and is never bound to a customer."""

    INGEST = "ingest"
    READ = "read"
    FINANCE = "finance"
    ADMIN = "admin"


class Sender(msgspec.Struct, frozen=True):
    """Who sends records: a name to keep refused ones under, and the customer it is bound to, if to one."""

    name: str
    customer: int = 0
    customer_id: str | None = None


class ApiKey(msgspec.Struct, frozen=True):
    """A key as it is kept. `customer` is the number of `customer_id`, 0 where the key is bound to none."""

    key_id: str
    digest: bytes
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    created_by: str
    customer: int = 0
    customer_id: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_alive(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def opens_with(self, text: str, now: datetime) -> bool:
        """Whether a text is this key and the key is alive; takes as long whichever character differs."""
        return hmac.compare_digest(key_digest(text), self.digest) and self.is_alive(now)

    def may(self, wanted: frozenset[Scope]) -> bool:
        """Whether it has one of the scopes, or all of them."""
        return Scope.ADMIN in self.scopes or not wanted.isdisjoint(self.scopes)


def key_id_in(text: str) -> str | None:
    """The id of a text that looks like a key."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def key_digest(text: str) -> bytes:
    """What is kept of a key. Its secret is 256 random bits, so that a plain hash cannot be searched."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def key_faults(
    name: str,
    scopes: Sequence[str],
    customer_id: str | None,
    expires_at: datetime | None,
    now: datetime,
) -> list[FieldError]:
    """Everything that is wrong with a key that somebody wants made."""
    faults = []
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
        rule = f"must have 1 to {MAX_NAME_CHARACTERS} printable characters"
        faults.append(FieldError("name", "invalid_name", rule))
    known = [scope.value for scope in Scope]
    if not scopes or any(scope not in known for scope in scopes):
        faults.append(FieldError("scopes", "invalid_scope", f"must be some of {', '.join(known)}"))
    if customer_id is not None and Scope.ADMIN in scopes:
        rule = "must not be admin for a key that is bound to a customer"
        faults.append(FieldError("scopes", "admin_bound", rule))
    if expires_at is not None and expires_at <= now:
        faults.append(FieldError("expires_at", "in_the_past", "must lie in the future"))
    if expires_at is not None and expires_at >= LAST_EXPIRY:
        faults.append(FieldError("expires_at", "out_of_range", "must lie before the year 9999"))
    return faults
