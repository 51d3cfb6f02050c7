"""The floor of batch intake: COPY of the same rows into the same table, one commit a batch."""

import time
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import msgspec
from asyncpg.pgproto.pgproto import UUID

from ledger.clock import Clock
from ledger.core.configuration import Configuration
from ledger.core.events import usage_event
from ledger.core.rating import RatedStatement, rate_statement
from ledger.core.reading import read_statement
from ledger.core.rows import UsageEvent
from ledger.core.statements import Statement
from ledger.store.configuration import load_configuration
from ledger.store.database import Database

_LANE = 1
Row = tuple[Any, ...]


class Numbers(dict[Any, int]):
    """Numbers given in the order of asking, as interning would."""

    def __init__(self) -> None:
        super().__init__()
        self._next = count(1)

    def __missing__(self, key: Any) -> int:
        """The next number is the key's from now on."""
        self[key] = next(self._next)
        return self[key]


class Copied(msgspec.Struct, frozen=True):
    """How many rows went in, and how long that took."""

    rows: int
    elapsed_s: float

    @property
    def rows_per_s(self) -> float:
        """Rows committed in a second."""
        return self.rows / self.elapsed_s


async def event_rows(url: str, lines: Iterable[bytes], clock: Clock) -> list[Row]:
    """The rows that intake would make of records, by the product's own core, ready for the driver."""
    database = Database(url)
    connection = await database.connect()
    try:
        configuration = await load_configuration(connection)
    finally:
        await connection.close()
    customers, dimensions = Numbers(), Numbers()
    received_at = clock.now()
    return [
        _row(
            read_statement(line, received_at),
            configuration,
            customers,
            dimensions,
            1 + index // 1000,
        )
        for index, line in enumerate(lines)
    ]


async def copy_rows(url: str, rows: Sequence[Row], batch: int, seconds: float) -> Copied:
    """COPY rows over one connection, as the service role, until all are in or time is up."""
    connection = await Database(url).connect()
    copied, started_at = 0, time.perf_counter()
    try:
        while copied < len(rows) and time.perf_counter() < started_at + seconds:
            several = rows[copied : copied + batch]
            await connection.copy_records_to_table(
                "usage_event", schema_name="ledger", columns=UsageEvent._fields, records=several
            )
            copied += len(several)
        return Copied(copied, time.perf_counter() - started_at)
    finally:
        await connection.close()


def _row(
    statement: object,
    configuration: Configuration,
    customers: Numbers,
    dimensions: Numbers,
    batch: int,
) -> Row:
    assert isinstance(statement, Statement)  # noqa: S101 - the generator makes no other
    customer = customers[statement.customer_id]
    rated = rate_statement(statement, customer, configuration)
    assert isinstance(rated, RatedStatement)  # noqa: S101 - the same
    event = usage_event(rated, customer, dimensions[rated.dimension], _LANE, batch)
    return (UUID(event.request_id), *event[1:])
