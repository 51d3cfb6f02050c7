"""Usage without a price: announced in the outbox, summed up in the rollups."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.store.database import Connection
from ledger.store.sql_files import query

_ANNOUNCE = query("unrated", "announce")
_GROUPS = query("unrated", "groups")
_UNITS = query("unrated", "units")
_ANNOUNCED = query("unrated", "announced")

Message = tuple[int, str, dict[str, Any]]  # customer, subject, body
GROUPED_BY = (
    "customer", "provider", "model", "service_tier", "is_batch", "region", "accelerator", "key_type",
)  # fmt: skip


async def announce(
    connection: Connection, messages: Sequence[Message], announced_at: datetime
) -> list[Message]:
    """Put messages, in the order of their keys, into the outbox; give back those that are new there."""
    customers, subjects, bodies = zip(*messages, strict=True)
    texts = [msgspec.json.encode(body).decode() for body in bodies]
    rows = await connection.fetch(_ANNOUNCE, customers, subjects, texts, announced_at)
    new = {tuple(row) for row in rows}
    return [message for message in messages if message[:2] in new]


async def read_unrated(
    connection: Connection, customer_ids: Sequence[str] | None, most: int
) -> list[Any]:
    """Groups of usage without a price, of some customers or of all; sums come as text."""
    rows: list[Any] = await connection.fetch(_GROUPS, customer_ids, most)
    return rows


async def read_unrated_units(
    connection: Connection, customers: Iterable[int]
) -> dict[tuple[Any, ...], dict[str, int]]:
    """The other units of some customers' groups: quantities by unit, by `GROUPED_BY`."""
    found: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in await connection.fetch(_UNITS, sorted(set(customers))):
        group = tuple(row[name] for name in GROUPED_BY)
        found.setdefault(group, {})[row["unit"]] = int(row["quantity"])
    return found


async def read_announced(connection: Connection, customers: Iterable[int]) -> dict[str, datetime]:
    """When some customers' unrated usage was announced, by alert id."""
    rows = await connection.fetch(_ANNOUNCED, sorted(set(customers)))
    return {row["subject"]: row["created_at"] for row in rows}
