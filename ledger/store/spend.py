"""Reading spend: whole days and hours from rollups, the edges from the log.

What came after a cut is taken off. Tiered fees are beside that, in rows of their own.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from ledger.core.condensing import whole_days
from ledger.core.cuts import Cut
from ledger.core.spend import (
    FIGURES,
    GROUPINGS,
    MAX_ROWS,
    Group,
    SpendFigures,
    SpendQuery,
    SpendRow,
    tiered_rows,
)
from ledger.core.usage.stated import OTHER_FIELDS
from ledger.store.database import Connection
from ledger.store.interning import read_customer_words
from ledger.store.meter_usage import read_tiered_fees
from ledger.store.sql_files import query

_CUSTOMERS = query("interning", "customers")
_SHAPE = query("spend", "shape")
_FIGURES = query("spend", "figures")
_UNITS = query("spend", "units")


async def read_spend(
    connection: Connection, question: SpendQuery, lanes_after: Cut
) -> list[SpendRow]:
    """Give the groups with their figures, other units apart; at most one more than an answer may have.

    `lanes_after` are the lanes that go on after the cut in question, and where each stood at it; none of
    them for the snapshot as it is.
    """
    span = question.span
    customers, *others = await _filters(connection, question)
    until, has_units, has_tiers = await connection.fetchrow(_SHAPE)
    how = _how(question, until)
    arguments: tuple[Any, ...] = (
        *(span.start_at, span.hours_from, span.hours_to, span.end_at),
        *(name in question.group_by for name in GROUPINGS),
        *(customers, *others),
        *(list(lanes_after.keys()), list(lanes_after.values())),
    )
    figures = [
        SpendRow(_group(question, row), _figures(row))
        for row in await connection.fetch(_FIGURES, *arguments, MAX_ROWS + 1, *how)
    ]
    units: list[SpendRow] = []
    tiered: list[SpendRow] = []
    if has_units:
        most = (MAX_ROWS + 1) * len(OTHER_FIELDS)
        units = [
            SpendRow(_group(question, row), SpendFigures(units={row["unit"]: int(row["quantity"])}))
            for row in await connection.fetch(_UNITS, *arguments, most, *how)
        ]
    if has_tiers:
        tiered = await _tiered(connection, question, customers, lanes_after)
    return figures + units + tiered


def _how(question: SpendQuery, condensed_until: date) -> tuple[datetime, datetime, bool]:
    """Which stretch is read by days, and whether by customers; else of all together."""
    span = question.span
    days = (span.hours_from, span.hours_from)
    if "hour" not in question.group_by:
        days = whole_days(span.hours_from, span.hours_to, condensed_until)
    return *days, bool(question.customers) or "customer" in question.group_by


async def _tiered(
    connection: Connection, question: SpendQuery, customers: list[int] | None, lanes_after: Cut
) -> list[SpendRow]:
    """The tiered fees of the months that begin in the span."""
    if not question.asks_for_tiered_fees:
        return []
    span = (question.span.start_at, question.span.end_at)
    fees = await read_tiered_fees(connection, customers, span, lanes_after)
    if not fees:
        return []
    words = await read_customer_words(connection, {fee.customer for fee in fees})
    return tiered_rows(question, fees, {number: name for number, (name,) in words.items()})


async def _filters(connection: Connection, question: SpendQuery) -> list[list[Any] | None]:
    """The filters as the queries take them; customers that do not exist match nothing."""
    customers = None
    if question.customers:
        rows = await connection.fetch(_CUSTOMERS, list(question.customers))
        customers = [row["customer"] for row in rows]
    others: Iterable[tuple[str, ...]] = (question.providers, question.models, question.key_types)
    return [customers, *(list(values) or None for values in others)]


def _group(question: SpendQuery, row: Any) -> Group:
    return tuple(row[name] for name in question.group_by)


def _figures(row: Any) -> SpendFigures:
    return SpendFigures(**{figure: int(row[figure]) for figure in FIGURES}, units={})
