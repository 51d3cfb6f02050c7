"""Reading what an adjustment starts from: what stands under a key, and what was adjusted before."""

from typing import Any

import msgspec
from asyncpg.pgproto.pgproto import UUID

from ledger.core.adjustments import Standing
from ledger.core.digests import canonical_units
from ledger.core.request_ids import RequestKey
from ledger.core.rows import Dimension, UsageEvent
from ledger.store.database import Connection
from ledger.store.events import recorded_statement
from ledger.store.meters import read_meter
from ledger.store.sql_files import query

_STANDING = query("events", "standing")
_CUSTOMERS_WITH = query("events", "customers_with")
_LOCK_REQUEST = query("events", "lock_request")
_ADJUSTMENT = query("events", "adjustment")


class Adjusted(msgspec.Struct, frozen=True):
    """A recorded adjustment: why, and the body of its decision."""

    reason: str
    body: dict[str, Any]


async def customers_with(connection: Connection, key: RequestKey) -> list[int]:
    """The numbers of the customers who have a request under a key."""
    rows = await connection.fetch(_CUSTOMERS_WITH, UUID(key.bits), key.opaque_id)
    return [row["customer"] for row in rows]


async def read_standing(connection: Connection, key: RequestKey, customer: int) -> Standing | None:
    """What stands under a key of a customer, voided or unmetered too."""
    row = await connection.fetchrow(_STANDING, UUID(key.bits), customer)
    if row is None or row["opaque_id"] != key.opaque_id:
        return None
    values = {name: row[name] for name in UsageEvent._fields}
    values |= {"request_id": key.bits, "other_units": canonical_units(row["other_units"])}
    return Standing(
        event=UsageEvent(**values),
        statement=recorded_statement(row),
        dimension=Dimension(*(row[name] for name in Dimension._fields)),
        meter=read_meter(row),
    )


async def lock_request(connection: Connection, key: RequestKey) -> None:
    """Hold off other adjustments of a request until the transaction ends."""
    await connection.execute(_LOCK_REQUEST, UUID(key.bits))


async def read_adjustment(
    connection: Connection, customer: int, idempotency_key: str
) -> Adjusted | None:
    """The adjustment that was recorded under an idempotency key of a customer."""
    row = await connection.fetchrow(_ADJUSTMENT, customer, idempotency_key)
    return None if row is None else Adjusted(row["reason"], msgspec.json.decode(row["body"]))
