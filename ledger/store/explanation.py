"""Reading what an amount follows from: revisions with their prices, and the rows behind an invoice line."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
from asyncpg.pgproto.pgproto import UUID

from ledger.core.cuts import Cut, lanes_after, parse_cut
from ledger.core.instants import month_period
from ledger.core.request_ids import RequestKey
from ledger.core.settlement import IssuedInvoice
from ledger.store.database import Connection
from ledger.store.sql_files import query

_REVISIONS = query("explanation", "revisions")
_TABLES = query("explanation", "tables")
_ISSUED = query("explanation", "issued")
_LINE = query("explanation", "line")
_DAYS = query("explanation", "days")
_RECORDS = query("explanation", "records")


class LineUsage(msgspec.Struct, frozen=True):
    """Which rows of the log a line is about: of one kind and month, behind one cut and within another."""

    customer: int
    month: date
    provider: str | None
    model: str | None
    key_type: str | None
    after: Cut
    upto: Cut

    def parameters(self) -> tuple[Any, ...]:
        """The first nine parameters of the queries."""
        lanes = lanes_after(self.after, self.upto)
        period = month_period(self.month)
        return (
            list(lanes),
            list(lanes.values()),
            [self.upto[lane] for lane in lanes],
            self.customer,
            period.start_at,
            period.end_at,
            self.provider,
            self.model,
            self.key_type,
        )


async def read_explained(
    connection: Connection, request_id: str, key: RequestKey, customer: int
) -> list[Any]:
    """The revisions of a request in their order."""
    rows = await connection.fetch(_REVISIONS, UUID(key.bits), request_id, customer)
    # An opaque key is a digest: only the same text is the same request.
    return [row for row in rows if row["opaque_id"] == key.opaque_id]


async def read_tables(connection: Connection, versions: Iterable[int]) -> dict[int, Any]:
    """What is published about some rate tables, by their numbers."""
    rows = await connection.fetch(_TABLES, sorted(versions))
    return {row["rate_version"]: row for row in rows}


async def read_issued(connection: Connection, customer: int) -> list[IssuedInvoice]:
    """The invoices of a customer in the order of issue."""
    return [
        IssuedInvoice(number, period_start, None if cut is None else parse_cut(cut), issued_at)
        for number, period_start, cut, issued_at in await connection.fetch(_ISSUED, customer)
    ]


async def find_line(
    connection: Connection,
    customer: int,
    number: str,
    month: date,
    kind: tuple[str | None, str | None, str],
) -> int | None:
    """The line of an invoice for a provider, model and key type; None when it came to nothing."""
    line: int | None = await connection.fetchval(_LINE, customer, number, month, *kind)
    return line


async def read_days(connection: Connection, usage: LineUsage) -> list[Any]:
    """The rows of a line summed up by day; sums come as text, for they may be wide."""
    rows: list[Any] = await connection.fetch(_DAYS, *usage.parameters())
    return rows


async def read_records(connection: Connection, usage: LineUsage, most: int) -> list[Any]:
    """The first rows of a line, by time and then by key."""
    rows: list[Any] = await connection.fetch(_RECORDS, *usage.parameters(), most)
    return rows
