"""Moving the sums that answers are read from."""

from collections.abc import Collection
from datetime import date

from ledger.core.rollups import RollupDelta
from ledger.store.database import Connection
from ledger.store.sql_files import query

_ADD = query("rollups", "add")
_ADD_UNITS = query("rollups", "add_units")
_TOUCH = query("rollups", "touch")


async def add_to_rollups(connection: Connection, delta: RollupDelta) -> None:
    """Add a batch's sums, in the order of their keys."""
    if not delta.sums:
        return
    rows = [(*key, *delta.sums[key]) for key in sorted(delta.sums)]
    await connection.execute(_ADD, *zip(*rows, strict=True))
    if delta.units:
        unit_rows = [(*key, *delta.units[key]) for key in sorted(delta.units)]
        await connection.execute(_ADD_UNITS, *zip(*unit_rows, strict=True))


async def touch_periods(
    connection: Connection, touched: Collection[tuple[int, date]], epoch: int
) -> None:
    """Mark customers' months as having usage that no invoice run has looked at."""
    if touched:
        customers, months = zip(*sorted(touched), strict=True)
        await connection.execute(_TOUCH, customers, months, epoch)
