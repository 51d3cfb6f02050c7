"""API keys: made, shown once, revoked; each a decision that is kept."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from ledger.clock import Clock
from ledger.core.errors import InvalidRecord, NotFound
from ledger.core.instants import format_instant
from ledger.core.keys import (
    MAX_NAME_CHARACTERS,
    ApiKey,
    Scope,
    key_digest,
    key_faults,
    key_id_in,
)
from ledger.core.shapes import PRINTABLE, CustomerId, Reason, described
from ledger.randomness import new_key
from ledger.services.customers import check_customer_id
from ledger.services.decisions import deciding
from ledger.store.customers import add_customer
from ledger.store.database import Database
from ledger.store.keys import add_key, list_keys, mark_revoked, read_keys


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that somebody wants made; `customer_id` binds it to one customer."""

    name: Annotated[
        str,
        described("Printable.", minLength=1, maxLength=MAX_NAME_CHARACTERS, pattern=PRINTABLE),
    ]
    scopes: Annotated[
        tuple[Annotated[str, described("", enum=[scope.value for scope in Scope])], ...],
        described("What it may do.", minItems=1),
    ]
    customer_id: CustomerId | None = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    reason: Reason | None = None


async def create_key(
    database: Database, clock: Clock, actor: str, wanted: KeyRequest
) -> dict[str, Any]:
    """Make a key; the answer is the only place where it ever stands. A new customer is created.

    Raises:
        InvalidRecord: no name, unknown scopes, `admin` for a bound key, an expiry in the past.
    """
    faults = key_faults(
        wanted.name, wanted.scopes, wanted.customer_id, wanted.expires_at, clock.now()
    )
    if faults:
        raise InvalidRecord(faults)
    if wanted.customer_id is not None:
        check_customer_id(wanted.customer_id)
    text = new_key()
    async with deciding(database, clock, actor, reason=wanted.reason, fenced=False) as batch:
        customer = 0
        if wanted.customer_id is not None:
            customer = await add_customer(batch.connection, wanted.customer_id)
        key = ApiKey(
            key_id=key_id_in(text) or "",
            digest=key_digest(text),
            name=wanted.name,
            scopes=frozenset(map(Scope, wanted.scopes)),
            created_at=batch.decided_at,
            created_by=actor,
            customer=customer,
            customer_id=wanted.customer_id,
            expires_at=wanted.expires_at,
        )
        await add_key(batch.connection, key)
        batch.record("key_created", customer, key.key_id, _fact(key))
    return {"key_id": key.key_id, "key": text, **key_body(msgspec.structs.asdict(key))}


async def revoke_key(
    database: Database, clock: Clock, actor: str, key_id: str, reason: str | None = None
) -> dict[str, Any]:
    """End a key, for good and in every process. Revoking it again changes nothing.

    Raises:
        NotFound: no such key.
    """
    key = await _known_key(database, key_id)
    if key.revoked_at is None:
        async with deciding(database, clock, actor, reason=reason, fenced=False) as batch:
            if await mark_revoked(batch.connection, key, batch.decided_at):
                batch.record("key_revoked", key.customer, key_id, {"key_id": key_id})
        key = await _known_key(database, key_id)
    return key_body(msgspec.structs.asdict(key))


async def show_keys(
    database: Database, *, customer: int | None = None, after: str | None = None, most: int = 100
) -> list[dict[str, Any]]:
    """Keys of one customer or of all, oldest first, revoked ones too."""
    async with database.connection() as connection:
        return [key_body(dict(row)) for row in await list_keys(connection, customer, after, most)]


async def show_key(
    database: Database, key_id: str, *, customer: int | None = None
) -> dict[str, Any]:
    """One key, of one customer's if one is named.

    Raises:
        NotFound: no such key.
    """
    key = await _known_key(database, key_id)
    if customer not in (None, key.customer):
        raise NotFound("no such key")
    return key_body(msgspec.structs.asdict(key))


def key_body(key: dict[str, Any]) -> dict[str, Any]:
    """What may be shown of a key."""
    return {
        "key_id": key["key_id"],
        "name": key["name"],
        "scopes": [scope.value for scope in Scope if scope in key["scopes"]],
        "customer_id": key["customer_id"],
        "created_at": format_instant(key["created_at"]),
        "created_by": key["created_by"],
        "expires_at": _time(key["expires_at"]),
        "revoked_at": _time(key["revoked_at"]),
    }


async def _known_key(database: Database, key_id: str) -> ApiKey:
    async with database.connection() as connection:
        found = await read_keys(connection, [key_id] if "\x00" not in key_id else [])
    if not found:
        raise NotFound("no such key")
    return found[0]


def _fact(key: ApiKey) -> dict[str, Any]:
    """A key as its decision keeps it, from which the table of keys can be made again."""
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "customer_id": key.customer_id,
        "expires_at": _time(key.expires_at),
        "digest": key.digest.hex(),
    }


def _time(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
