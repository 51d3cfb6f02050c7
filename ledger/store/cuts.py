"""Reading where the log stood: at an instant, and who may still write to its past."""

from collections.abc import Iterable
from datetime import datetime

from ledger.core.cuts import Cut
from ledger.store.database import Connection
from ledger.store.sql_files import query

_CUT_AT = query("cuts", "cut_at")
_LAST_RECORDED_AT = query("cuts", "last_recorded_at")
_INSIDE_FENCE = query("cuts", "inside_fence")


async def read_cut_at(connection: Connection, lanes: Iterable[int], at: datetime) -> Cut:
    """The cut of all batches in some lanes that were recorded by an instant, that instant included."""
    return dict(await connection.fetch(_CUT_AT, list(lanes), at))


async def read_last_recorded_at(connection: Connection, cut: Cut) -> datetime | None:
    """When the latest batch of a cut was recorded; None if it is the empty cut."""
    at: datetime | None = await connection.fetchval(
        _LAST_RECORDED_AT, list(cut.keys()), list(cut.values())
    )
    return at


async def read_inside_fence(connection: Connection) -> frozenset[str]:
    """The transactions that are inside the fence now, by names that are theirs alone."""
    return frozenset(row[0] for row in await connection.fetch(_INSIDE_FENCE))
