"""Reading recorded requests, one or a page of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from asyncpg.pgproto.pgproto import UUID

from ledger.store.database import Connection
from ledger.store.events import EventKey
from ledger.store.sql_files import query

_PAGE = query("requests", "page")
_REVISIONS = query("requests", "revisions")
# The two stretches of the primary key: ids that tell their time, and opaque ones.
_CANONICAL = (UUID(bytes(16)), UUID(b"\x7f" + b"\xff" * 15))
_OPAQUE = (UUID(b"\x80" + bytes(15)), UUID(b"\xff" * 16))


class PageQuery(msgspec.Struct, frozen=True):
    """Which requests to list. `after` is the last key of the page before."""

    most: int
    after: EventKey | None = None
    customer: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    model: str | None = None
    status: str | None = None
    metadata: dict[str, str] | None = None


async def read_page(connection: Connection, page: PageQuery) -> list[EventKey]:
    """The keys of a page: newest id first, opaque ids last."""
    metadata = None if page.metadata is None else msgspec.json.encode(page.metadata).decode()
    after_is_opaque = page.after is not None and page.after[0][0] >> 7 == 1
    keys: list[EventKey] = []
    for is_opaque in (True,) if after_is_opaque else (False, True):
        after = page.after if is_opaque == after_is_opaque else None
        lowest, highest = _OPAQUE if is_opaque else _CANONICAL
        if (
            after
        ):  # said of the id alone too, which an index that begins with the customer understands
            highest = UUID(after[0])
        rows = await connection.fetch(
            _PAGE,
            UUID(after[0]) if after else None,
            after[1] if after else None,
            lowest,
            highest,
            page.customer,
            page.start_at,
            page.end_at,
            page.model,
            page.status,
            metadata,
            page.most - len(keys),
        )
        keys += [(row["request_id"].bytes, row["customer"]) for row in rows]
        if len(keys) == page.most:
            break
    return keys


async def read_revisions(
    connection: Connection, ids: Iterable[bytes], customers: Iterable[int] | None = None
) -> dict[EventKey, list[Any]]:
    """Every revision under some ids, by key, in their order."""
    numbers = None if customers is None else list(customers)
    found: dict[EventKey, list[Any]] = {}
    for row in await connection.fetch(_REVISIONS, [UUID(bits) for bits in ids], numbers):
        found.setdefault((row["request_id"].bytes, row["customer"]), []).append(row)
    return found
