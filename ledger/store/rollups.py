"""Moving the sums that answers are read from."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from operator import sub
from typing import Any

from ledger.core.rollups import RollupDelta
from ledger.store.database import Connection
from ledger.store.sql_files import query

_ADD = query("rollups", "add")
_ADD_UNITS = query("rollups", "add_units")
_TOUCH = query("rollups", "touch")
_BIGINT_MAX = 2**63 - 1


async def add_to_rollups(connection: Connection, delta: RollupDelta) -> None:
    """Add a batch's sums, in the order of their keys."""
    await _add(connection, _ADD, delta.sums)
    await _add(connection, _ADD_UNITS, delta.units)


async def touch_periods(
    connection: Connection, touched: Collection[tuple[int, date]], epoch: int
) -> None:
    """Mark customers' months as having usage that no invoice run has looked at."""
    if touched:
        customers, months = zip(*sorted(touched), strict=True)
        await connection.execute(_TOUCH, customers, months, epoch)


async def _add(connection: Connection, sql: str, sums: Mapping[Any, list[int]]) -> None:
    """Add sums by key. What leaves the range of a bigint is added in several goes."""
    keys = sorted(sums)
    columns = list(zip(*map(sums.__getitem__, keys), strict=True))
    while keys:
        now = columns
        if is_wide := _is_beyond_bigint(columns):
            now = [tuple(map(_clamped, column)) for column in columns]
        await connection.execute(sql, *zip(*keys, strict=True), *now)
        if not is_wide:
            return
        columns = [tuple(map(sub, *pair)) for pair in zip(columns, now, strict=True)]


def _is_beyond_bigint(columns: Sequence[Sequence[int]]) -> bool:
    return any(max(column) > _BIGINT_MAX or min(column) < -_BIGINT_MAX for column in columns)


def _clamped(number: int) -> int:
    return max(-_BIGINT_MAX, min(_BIGINT_MAX, number))
