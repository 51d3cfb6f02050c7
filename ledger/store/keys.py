"""API keys as they are kept: digests and what they may do, never the keys."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ledger.core.keys import ApiKey, Scope
from ledger.store.database import Connection
from ledger.store.sql_files import query

_FIND = query("keys", "find")
_LIST = query("keys", "list")
_ADD = query("keys", "add")
_REVOKE = query("keys", "revoke")


async def read_keys(connection: Connection, key_ids: Iterable[str]) -> list[ApiKey]:
    """The keys of some ids; those that there are, revoked ones too."""
    return [
        ApiKey(
            key_id=row["key_id"],
            digest=row["digest"],
            name=row["name"],
            scopes=frozenset(scope for scope in Scope if scope in row["scopes"]),
            customer=row["customer"],
            customer_id=row["customer_id"],
            created_at=row["created_at"],
            created_by=row["created_by"],
            expires_at=row["expires_at"],
            revoked_at=row["revoked_at"],
        )
        for row in await connection.fetch(_FIND, list(key_ids))
    ]


async def list_keys(
    connection: Connection, customer: int | None, after: str | None, most: int
) -> list[Any]:
    """Keys of one customer or of all, oldest first, from the one after `after`."""
    rows: list[Any] = await connection.fetch(_LIST, customer, after, most)
    return rows


async def add_key(connection: Connection, key: ApiKey) -> None:
    """Keep a new key."""
    await connection.execute(
        _ADD,
        key.customer,
        key.key_id,
        key.digest,
        key.name,
        sorted(key.scopes),
        key.created_at,
        key.created_by,
        key.expires_at,
    )


async def mark_revoked(connection: Connection, key: ApiKey, revoked_at: datetime) -> bool:
    """Revoke a key; whether it was alive until then."""
    status: str = await connection.execute(_REVOKE, key.customer, key.key_id, revoked_at)
    return status == "UPDATE 1"
