"""`verify`: does everything that is derived follow from the facts, to the last digit?

Each check compares two ways to the same figures. Most are one query each, in the words of
sql/queries/verification.sql; digests and amounts are computed anew in one pass over the log.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.cuts import Cut, format_as_of, format_cut
from ledger.services.proof.audit import Findings, audit_log, audit_texts
from ledger.services.proof.seals import Head, find_broken_heads
from ledger.store.audit import Stretch, find_missing_texts, find_unsound_tables
from ledger.store.database import Connection, Database
from ledger.store.log import read_cut
from ledger.store.verification import CHECKS, WARNINGS, find_offenders

DIGESTS_MATCH, RATES_REPRODUCE_AMOUNTS = "digests_match", "rates_reproduce_amounts"
TEXTS_MATCH, RATE_TABLES_SOUND = "texts_match_digests", "rate_tables_sound"
SEALS_HOLD, UNSEALED, SINCE_REACHED = "seals_hold", "unsealed", "log_reaches_since"

# What a rebuild cannot mend: facts, not what is derived from them.
OF_THE_LOG = frozenset(
    {
        DIGESTS_MATCH, RATES_REPRODUCE_AMOUNTS, TEXTS_MATCH, RATE_TABLES_SOUND, SEALS_HOLD, SINCE_REACHED,
        "revisions_whole", "batches_whole", "guards_in_place",
    }
)  # fmt: skip

Progress = Callable[[str], None]


class Check(msgspec.Struct, omit_defaults=True):
    """How a check ended: `count` offenders, of which the first ten are shown."""

    name: str
    ok: bool
    count: int
    offenders: Sequence[dict[str, Any]]
    warning: bool = False

    def body(self) -> dict[str, Any]:
        """The check as it is reported."""
        return {
            "name": self.name,
            "ok": self.ok,
            **({"warning": True} if self.warning else {}),
            "count": self.count,
            "offenders": list(self.offenders),
        }


async def verify(
    database: Database,
    clock: Clock,
    *,
    since: Cut | None = None,
    heads: Sequence[Head] = (),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make every check in one snapshot, which `as_of` names; feed that back as `since` the next time.

    With `since`, events up to that cut are taken as verified before. With `heads`, the digests that
    somebody kept must still be those of the log. Checks with `warning` tell what somebody should look at
    and do not decide `ok`.

    """
    async with database.snapshot() as connection:
        cut = await read_cut(connection)
        stretch = Stretch(since or {}, cut)
        asked = None if since is None else stretch
        checks = [
            check async for check in _checks(connection, stretch, asked, heads, progress or _silent)
        ]
        as_of = format_as_of(clock.now(), cut)
    return {
        "since": None if since is None else format_cut(since),
        "ok": all(check.ok for check in checks),
        "as_of": as_of,
        "checks": [check.body() for check in checks],
    }


async def _checks(
    connection: Connection,
    stretch: Stretch,
    asked: Stretch | None,
    heads: Sequence[Head],
    progress: Progress,
) -> AsyncIterator[Check]:
    if asked is not None:
        yield _check(SINCE_REACHED, *_batches_gone(asked))
    for name in CHECKS:
        progress(name)
        yield _check(name, *await find_offenders(connection, name, asked))
    progress(DIGESTS_MATCH)
    audited = await audit_log(connection, stretch)
    yield _found(DIGESTS_MATCH, audited.digests)
    yield _found(RATES_REPRODUCE_AMOUNTS, audited.amounts)
    progress(TEXTS_MATCH)
    yield _found(TEXTS_MATCH, await _texts(connection, stretch))
    unsound = await find_unsound_tables(connection)
    yield _check(RATE_TABLES_SOUND, len(unsound), unsound)
    if heads:
        broken = await find_broken_heads(connection, heads)
        yield _check(SEALS_HOLD, len(broken), broken)
    for name in WARNINGS:
        progress(name)
        yield _warning(name, *await find_offenders(connection, name, asked))
    yield _warning(UNSEALED, audited.unsealed, ())


async def _texts(connection: Connection, stretch: Stretch) -> Findings:
    findings = Findings(*await find_missing_texts(connection, stretch))
    await audit_texts(connection, stretch, findings)
    return findings


def _batches_gone(stretch: Stretch) -> tuple[int, list[dict[str, Any]]]:
    """Lanes that end before the cut of an earlier run."""
    gone = [
        {
            "lane": lane,
            "batch": batch,
            "fault": f"was verified before, and the lane ends at batch {stretch.upto.get(lane, 0)}: its end"
            " was removed, or this is an older copy",
        }
        for lane, batch in sorted(stretch.after.items())
        if batch > stretch.upto.get(lane, 0)
    ]
    return len(gone), gone


def _found(name: str, findings: Findings) -> Check:
    return _check(name, findings.count, findings.offenders)


def _check(name: str, count: int, offenders: Sequence[dict[str, Any]]) -> Check:
    return Check(name, count == 0, count, offenders)


def _warning(name: str, count: int, offenders: Sequence[dict[str, Any]]) -> Check:
    return Check(name, ok=True, count=count, offenders=offenders, warning=True)


def _silent(_: str) -> None:
    """Nobody watches."""
