"""Reading what stands, stretch by stretch, to rate it anew."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from asyncpg.pgproto.pgproto import UUID

from ledger.core.adjustments import Standing
from ledger.core.digests import canonical_units
from ledger.core.instants import hour_of
from ledger.core.rows import Dimension, UsageEvent
from ledger.store.database import Connection
from ledger.store.events import EventKey, recorded_statement
from ledger.store.meters import read_meter
from ledger.store.sql_files import query
from pricing import Meter

_HOURS = query("rerating", "hours")
_DIMENSIONS = query("rerating", "dimensions")
_STANDING = query("rerating", "standing")
_TRY_UNRATED_JOB = query("rerating", "try_unrated_job")
_EPOCH = query("configuration", "epoch")

_OTHER_UNITS = UsageEvent._fields.index("other_units")

Terms = tuple[Dimension, Meter | None]


class Reach(msgspec.Struct, frozen=True):
    """Which standing requests are meant, by their own time `[start, end)`; None does not filter."""

    start_at: datetime
    end_at: datetime
    customers: Sequence[int] | None = None
    models: Sequence[str] | None = None
    is_unrated: bool = False
    dimensions: Sequence[int] | None = None

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The first five parameters of the queries."""
        return (self.start_at, self.end_at, self.customers, self.models, self.is_unrated)


async def read_hours(connection: Connection, reach: Reach) -> list[tuple[datetime, int, int]]:
    """The hours in which requests of a reach stand: hour, dimension, how many; ascending."""
    first = hour_of(reach.start_at)
    rows = await connection.fetch(_HOURS, first, *reach.parameters[1:])
    return [tuple(row) for row in rows]


async def read_dimensions(connection: Connection, numbers: Collection[int]) -> dict[int, Dimension]:
    """Dimensions by their numbers."""
    rows = await connection.fetch(_DIMENSIONS, sorted(numbers))
    return {number: Dimension(*words) for number, *words in rows}


async def read_chunks(
    connection: Connection, reach: Reach, most: int
) -> AsyncIterator[list[Standing]]:
    """What stands within a reach, `most` requests at a time. Needs an open transaction."""
    cursor = await connection.cursor(_STANDING, *reach.parameters, reach.dimensions, None)
    terms: dict[int, Terms] = {}
    while rows := await cursor.fetch(most):
        yield [_standing(row, terms) for row in rows]


async def read_chunk_again(
    connection: Connection, reach: Reach, keys: Collection[EventKey]
) -> list[Standing]:
    """What stands within a reach under some keys by now."""
    ids = [UUID(bits) for bits in sorted({bits for bits, _ in keys})]
    rows = await connection.fetch(_STANDING, *reach.parameters, reach.dimensions, ids)
    wanted = set(keys)
    terms: dict[int, Terms] = {}
    return [
        _standing(row, terms)
        for row in rows
        if (row["request_id"].bytes, row["customer"]) in wanted
    ]


async def try_unrated_job(connection: Connection) -> bool:
    """Become the one session that rates what is unrated; False while another is."""
    is_ours: bool = await connection.fetchval(_TRY_UNRATED_JOB)
    return is_ours


async def read_epoch(connection: Connection) -> int:
    """The epoch of the configuration in force."""
    epoch: int = await connection.fetchval(_EPOCH)
    return epoch


def _standing(row: Any, terms: dict[int, Terms]) -> Standing:
    """A row as what stands; its first columns are those of the log.

    What its dimension says is read once for all rows that have it.
    """
    number = row["dimension"]
    known = terms.get(number)
    if known is None:
        dimension = Dimension(*(row[name] for name in Dimension._fields))
        known = terms[number] = (dimension, read_meter(row))
    units = canonical_units(row["other_units"])
    after = row[_OTHER_UNITS + 1 : len(UsageEvent._fields)]
    event = UsageEvent._make((row["request_id"].bytes, *row[1:_OTHER_UNITS], units, *after))
    return Standing(event, recorded_statement(row), *known)
