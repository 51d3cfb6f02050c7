"""Reading spend: whole hours from rollups, the edges from the log."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from ledger.core.spend import FIGURES, GROUPINGS, MAX_ROWS, Group, SpendFigures, SpendQuery
from ledger.store.database import Connection
from ledger.store.sql_files import query

_CUSTOMERS = query("interning", "customers")
_FROM_ROLLUPS = query("spend", "from_rollups")
_UNITS_FROM_ROLLUPS = query("spend", "units_from_rollups")
_FROM_EVENTS = query("spend", "from_events")
_UNITS_FROM_EVENTS = query("spend", "units_from_events")


async def read_spend(
    connection: Connection, question: SpendQuery
) -> AsyncIterator[tuple[Group, SpendFigures]]:
    """Give the groups of each stretch with their figures; a group may come more than once.

    At most one row more than an answer may have comes from each stretch.
    """
    filters = await _filters(connection, question)
    flags = [name in question.group_by for name in GROUPINGS]
    span = question.span
    stretches = [(span.hours_from, span.hours_to, _FROM_ROLLUPS, _UNITS_FROM_ROLLUPS)]
    stretches += [(*edge, _FROM_EVENTS, _UNITS_FROM_EVENTS) for edge in span.edges]
    for start_at, end_at, figures_sql, units_sql in stretches:
        if start_at < end_at:
            arguments: tuple[Any, ...] = (start_at, end_at, *flags, *filters, MAX_ROWS + 1)
            for row in await connection.fetch(figures_sql, *arguments):
                yield _group(question, row), _figures(row)
            for row in await connection.fetch(units_sql, *arguments):
                yield _group(question, row), SpendFigures(units={row["unit"]: int(row["quantity"])})


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
