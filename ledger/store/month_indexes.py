"""Indexes by customer on the months of the log that are over.

Beside the primary key one more index halves how fast the log is written, so the month that is written to has
none: a list for one customer reads its primary key. A month that is over gets one, once.
"""

from datetime import date

import msgspec

from ledger.logs import logger
from ledger.store.database import OWNER_ROLE, owner_connection
from ledger.store.sql_files import query

# Of a month below this size all is read in a few milliseconds, and an index is planned with ever after.
WORTH_BYTES = 8 * 1024 * 1024

_MAY_NOT = query("migrations", "may_not_be_owner")
_WANTED = query("month_indexes", "wanted")
_LOG = logger(__name__)


class _Wanted(msgspec.Struct, frozen=True):
    """A month without an index. `drop` removes what an interrupted attempt has left, if there was one."""

    month: str
    drop: str | None
    create: str


async def index_months_over(url: str, today: date, *, worth_bytes: int = WORTH_BYTES) -> list[str]:
    """Give every month before this one its index, and give the names of those that got it.

    Writers and readers go on meanwhile; one who reads for long keeps this waiting. What is interrupted is
    begun again at the next call. A login that may not change the schema does nothing.
    """
    async with owner_connection(url) as connection:
        if await connection.fetchval(_MAY_NOT):
            return []
        await connection.execute(f"SET ROLE {OWNER_ROLE}")
        rows = await connection.fetch(_WANTED, today.replace(day=1), worth_bytes)
        for wanted in (_Wanted(**row) for row in rows):
            if wanted.drop is not None:
                await connection.execute(wanted.drop)
            await connection.execute(wanted.create)
            _LOG.info("month_indexed", month=wanted.month)
        return [row["month"] for row in rows]
