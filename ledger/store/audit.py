"""Reading the log in the order in which it was written, a chunk at a time."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from ledger.core.auditing import Prices
from ledger.core.cuts import Cut
from ledger.core.digests import canonical_units
from ledger.core.rating import combination_for
from ledger.core.rows import Dimension, UsageEvent
from ledger.store.configuration import published_content
from ledger.store.database import Connection
from ledger.store.meters import read_meter
from ledger.store.sql_files import query
from pricing import Meter, ModelRates, RateFileError, RateTable

CHUNK_ROWS = 5_000
Position = tuple[int, int]  # lane and batch

_ROOMY = query("audit", "roomy")
_BATCHES = query("audit", "batches")
_EVENTS = query("audit", "events")
_DECISIONS = query("audit", "decisions")
_DIGESTS_AT = query("audit", "digests_at")
_TEXTS = query("audit", "texts")
_TEXTS_MISSING = query("audit", "texts_missing")
_PRICES = query("audit", "prices")
_RATE_TABLES = query("audit", "rate_tables")
_LANE, _BATCH = UsageEvent._fields.index("lane"), UsageEvent._fields.index("batch")
_UNITS = UsageEvent._fields.index("other_units")


class Stretch(msgspec.Struct, frozen=True):
    """A part of the log: after one cut, up to and with another; lanes that are not in `upto` are left out."""

    after: Cut
    upto: Cut

    @property
    def parameters(self) -> tuple[list[int], list[int], list[int]]:
        """Lanes, and for each the batch it begins after and ends with."""
        lanes = sorted(self.upto)
        return (
            lanes,
            [self.after.get(lane, 0) for lane in lanes],
            [self.upto[lane] for lane in lanes],
        )


class InOrder:
    """Rows in the order of their batches, handed out batch by batch."""

    def __init__(self, chunks: AsyncIterator[list[Any]], lane: int | str, batch: int | str) -> None:
        self._chunks = chunks
        self._lane, self._batch = lane, batch
        self._waiting: list[Any] = []
        self._next = 0

    async def take(self, position: Position) -> tuple[list[Any], list[Position]]:
        """The rows of a batch, and the positions of rows before it that belong to no batch."""
        rows: list[Any] = []
        strays: list[Position] = []
        while await self._is_more():
            self._pass(position, rows, strays)
            if self._next < len(self._waiting):
                break
        return rows, strays

    def _pass(self, position: Position, rows: list[Any], strays: list[Position]) -> None:
        """Hand out of what waits, up to the first row of a later batch."""
        waiting, lane, batch, at = self._waiting, self._lane, self._batch, self._next
        while at < len(waiting):
            row = waiting[at]
            row_position = (row[lane], row[batch])
            if row_position > position:
                break
            if row_position == position:
                rows.append(row)
            else:
                strays.append(row_position)
            at += 1
        self._next = at

    async def _is_more(self) -> bool:
        if self._next == len(self._waiting):
            self._waiting, self._next = await anext(self._chunks, []), 0
        return bool(self._waiting)


async def make_room(connection: Connection) -> None:
    """Let the transaction sort in more memory than is usual."""
    await connection.execute(_ROOMY)


async def read_batches(connection: Connection, stretch: Stretch) -> AsyncIterator[Any]:
    """The rows of `batch` in a stretch, in their order."""
    async for chunk in _chunks(connection, _BATCHES, stretch):
        for row in chunk:
            yield row


def read_events(connection: Connection, stretch: Stretch) -> InOrder:
    """The events of a stretch as tuples in the order of the columns."""
    return InOrder(_event_chunks(connection, stretch), _LANE, _BATCH)


def read_decisions(connection: Connection, stretch: Stretch) -> InOrder:
    """The decisions of a stretch."""
    return InOrder(_chunks(connection, _DECISIONS, stretch), "lane", "batch")


async def read_digests(connection: Connection, positions: Cut) -> dict[int, Any]:
    """The rows of single batches, by lane; those that are not there are left out."""
    lanes = sorted(positions)
    rows = await connection.fetch(_DIGESTS_AT, lanes, [positions[lane] for lane in lanes])
    return {row["lane"]: row for row in rows}


async def read_texts(connection: Connection, stretch: Stretch) -> AsyncIterator[list[Any]]:
    """The words of the events of a stretch, with the digest that they must have."""
    async for chunk in _chunks(connection, _TEXTS, stretch):
        yield chunk


async def find_missing_texts(
    connection: Connection, stretch: Stretch
) -> tuple[int, list[dict[str, Any]]]:
    """Words that are gone without a decision, and words of no event: how many, and the first ten."""
    rows = await connection.fetch(_TEXTS_MISSING, *stretch.parameters)
    offenders = [msgspec.json.decode(row["offender"]) for row in rows]
    return int(rows[0]["found"]) if rows else 0, offenders


async def read_prices(connection: Connection) -> dict[int, Prices]:
    """What every dimension is priced by. A rate table that does not load prices nothing."""
    tables = {row["rate_version"]: _table(row) for row in await connection.fetch(_RATE_TABLES)}
    prices = {}
    for row in await connection.fetch(_PRICES):
        dimension = Dimension(*(row[name] for name in Dimension._fields))
        table = tables.get(dimension.rate_version or 0)
        meter = _meter(row)
        is_sound = meter is not None or row["meter_slug"] is None
        prices[row["dimension"]] = Prices(
            is_rated=dimension.rate_version is not None,
            rates=_rates(table, dimension) if table and is_sound else None,
            meter=meter,
            combination=combination_for(dimension),
        )
    return prices


async def find_unsound_tables(connection: Connection) -> list[dict[str, Any]]:
    """Published rate tables whose content does not say what their fingerprint stands for."""
    return [
        {
            "rate_version": row["rate_version"],
            "file": row["file"],
            "fingerprint": row["fingerprint"],
        }
        for row in await connection.fetch(_RATE_TABLES)
        if (table := _table(row)) is None or table.fingerprint != row["fingerprint"]
    ]


def _table(row: Any) -> RateTable | None:
    """A published table; None if its content is none any more."""
    try:
        return published_content(row["content"], row["file"], row["currency"])
    except RateFileError:
        return None


def _rates(table: RateTable, dimension: Dimension) -> ModelRates | None:
    """The prices that a dimension names; None if the table lists the model otherwise."""
    listing = None if dimension.model is None else table.find(dimension.model)
    billed_as = dimension.billed_as or dimension.model
    return listing.rates if listing is not None and listing.model == billed_as else None


async def _event_chunks(
    connection: Connection, stretch: Stretch
) -> AsyncIterator[list[tuple[Any, ...]]]:
    async for chunk in _chunks(connection, _EVENTS, stretch):
        yield [_canonical(row) for row in chunk]


def _canonical(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row as it was given to the table."""
    values = tuple(row)
    if values[_UNITS] is None:
        return values
    return (*values[:_UNITS], canonical_units(values[_UNITS]), *values[_UNITS + 1 :])


async def _chunks(connection: Connection, sql: str, stretch: Stretch) -> AsyncIterator[list[Any]]:
    cursor = await connection.cursor(sql, *stretch.parameters)
    while rows := await cursor.fetch(CHUNK_ROWS):
        yield rows


def _meter(row: Any) -> Meter | None:
    """A version of a meter; None if there is none, or none that could be applied."""
    try:
        return read_meter(row)
    except (ValueError, TypeError, msgspec.MsgspecError):
        return None
