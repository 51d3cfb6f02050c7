"""Whether this process can do its work now, check by check.

What is asked for often is known beforehand: the pulse tells of the database and its clock, the writer of its
lane. Only the schema is read, at most every few seconds and for whoever asks.
"""

import msgspec

from ledger.services.intake.writer import Writer
from ledger.services.observing.remembered import Remembered
from ledger.store.database import Database
from ledger.store.migrations import schema_fault

MOST_CLOCK_OFFSET_S = 60
KEEP_S = 5
PATIENCE_S = 1
UNKNOWN = "unknown"


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that must be so; where it is not, `code` says how."""

    name: str
    ok: bool
    code: str | None = None


class Readiness:
    """The checks over a database and a writer on it."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._schema = Remembered(self._read_schema, KEEP_S, PATIENCE_S)
        self._last_schema = UNKNOWN

    async def checks(self) -> list[Check]:
        """All of them, within little more than a second whatever the database does."""
        faults = {
            "database": self._database.presence.why_away,
            "migrations": await self._schema_fault(),
            "lane": None if self._writer.holds_lane else "lost",
            "clock": self._clock_fault(),
        }
        return [Check(name, fault is None, fault) for name, fault in faults.items()]

    async def _schema_fault(self) -> str | None:
        """A pool in use says nothing of the schema: then it is what it was."""
        if self._database.presence.why_away is not None:
            return UNKNOWN
        self._last_schema = await self._schema.get() or self._last_schema
        return None if self._last_schema == _CURRENT else self._last_schema

    async def _read_schema(self) -> str:
        async with self._database.connection() as connection:
            return "other_schema" if await schema_fault(connection) else _CURRENT

    def _clock_fault(self) -> str | None:
        """Records get this process's time as the one at which they were recorded, for ever."""
        offset = self._database.presence.clock_offset
        if offset is None:
            return UNKNOWN
        return "off" if offset.at_least_s > MOST_CLOCK_OFFSET_S else None


_CURRENT = "current"
