"""`rebuild`: derive every projection anew from the facts, compare it byte for byte, repair what differs.

Intake goes on meanwhile. What the facts give is compared with what stands there in one snapshot; what
differs is then posted on top of whatever has been written since:

    snapshot: derive, hash, compare ─▶ identical: done
        ▲                           └▶ post the differences ─┐
        └──────────────── once more, from a new snapshot ────┘
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.cuts import format_as_of
from ledger.core.errors import InvalidParameter, UnprocessableDecision
from ledger.core.limits import Movement, crossing_alerts
from ledger.services.condensing import condense_alone
from ledger.services.decisions import DecisionBatch, deciding
from ledger.services.limit_windows import announce
from ledger.services.proof.audit import audit_log
from ledger.store.audit import Stretch
from ledger.store.database import Connection, Database
from ledger.store.log import read_cut
from ledger.store.rebuild import (
    DAYS,
    DOCUMENTS,
    PROJECTIONS,
    SETTINGS,
    SUMS,
    Table,
    derive,
    find_differing,
    mark_days,
    read_rebuilt,
    read_stored,
    read_unannounced,
    rebuild_snapshot,
    rebuilding,
    repair_documents,
    repair_settings,
    repair_sums,
)

# Wrong settings make intake miss windows until they are repaired, which the second pass finds.
MAX_PASSES = 5
ACTOR = "rebuild"

Progress = Callable[[str], None]


class Comparison(msgspec.Struct, frozen=True):
    """What one snapshot shows: the tables as stored and as derived; how many keys differ, where any do."""

    as_of: str
    stored: dict[str, Table]
    rebuilt: dict[str, Table]
    differing: dict[str, int]


async def rebuild(
    database: Database,
    clock: Clock,
    names: Sequence[str] | None = None,
    *,
    trust_log: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Rebuild some projections, or all, and tell of each what stood there and what the facts give.

    `as_of` names the first snapshot, and so do rows, digests and `identical`; `repaired` is how many keys
    were repaired until all was identical, and is missing where none was. `alerts` counts thresholds that
    were reached unseen while a limit was wrong: they are announced now.

    Nothing is repaired from a log that was altered, unless `trust_log`: it would spread.

    Raises:
        InvalidParameter: no such projection.
        UnprocessableDecision: something differs, and so does a digest of the log (`log_altered`).
        UnprocessableDecision: another rebuild is at work (`rebuild_running`), or something goes on
            differing, however often it is repaired (`rebuild_incomplete`).
    """
    chosen = _chosen(names)
    tell = progress or _tell_nobody
    repaired: dict[str, int] = {}
    async with rebuilding(database) as connection:
        first = found = await _compare(connection, clock, chosen, tell)
        if found.differing and not trust_log:
            await _require_sound_log(database, tell)
        for _ in range(MAX_PASSES - 1):
            if not found.differing:
                break
            await _repair(connection, clock, found.differing, tell)
            for name, keys in found.differing.items():
                repaired[name] = repaired.get(name, 0) + keys
            found = await _compare(connection, clock, chosen, tell)
        if found.differing:
            raise UnprocessableDecision(
                f"after {MAX_PASSES} passes this still differs: {', '.join(found.differing)}. "
                "Facts that contradict one another could be why; `ledger verify` may tell",
                code="rebuild_incomplete",
            )
        alerts = await _announce(database, clock, connection) if repaired else 0
    return _report(first, repaired, alerts)


def _chosen(names: Sequence[str] | None) -> list[str]:
    if names is None:
        return list(PROJECTIONS)
    for name in names:
        if name not in PROJECTIONS:
            raise InvalidParameter("projection", f"must be one of {', '.join(PROJECTIONS)}")
    return [name for name in PROJECTIONS if name in names]


async def _compare(
    connection: Connection, clock: Clock, names: Sequence[str], tell: Progress
) -> Comparison:
    """Derive and hash in one snapshot. Only where hashes differ is it worth while to look at which keys."""
    stored, rebuilt, differing = {}, {}, {}
    async with rebuild_snapshot(connection) as cut:
        as_of = format_as_of(clock.now(), cut)
        for name in names:
            tell(f"rebuilding {name}")
            await derive(connection, name)
            stored[name] = await read_stored(connection, name)
            rebuilt[name] = await read_rebuilt(connection, name)
            if stored[name] != rebuilt[name]:
                differing[name] = await find_differing(connection, name)
    return Comparison(as_of, stored, rebuilt, differing)


async def _require_sound_log(database: Database, tell: Progress) -> None:
    tell("looking through the log before anything is repaired from it")
    async with database.snapshot() as connection:
        audited = await audit_log(connection, Stretch({}, await read_cut(connection)))
    if audited.digests.count:
        first = audited.digests.offenders[0]
        raise UnprocessableDecision(
            f"the log itself does not hold: lane {first['lane']}, batch {first['batch']}: {first['fault']}. "
            "Nothing was repaired, because a repair would spread what was altered. See `ledger verify`",
            code="log_altered",
        )


async def _repair(
    connection: Connection, clock: Clock, differing: Mapping[str, int], tell: Progress
) -> None:
    """Post what differs. Settings come first: until they are right, intake goes on missing windows."""
    for name, keys in differing.items():
        tell(f"repairing {name}: {keys} keys")
    settings = [name for name in SETTINGS if name in differing]
    documents = [name for name in DOCUMENTS if name in differing]
    if settings:
        await repair_settings(connection, settings)
    for name in SUMS:
        if name in differing:
            await repair_sums(connection, name, differing[name])
    if days := [name for name in DAYS if name in differing]:
        await mark_days(connection, days)
        await condense_alone(connection, clock.now().date())
    if documents:
        await repair_documents(connection, documents)


async def _announce(database: Database, clock: Clock, connection: Connection) -> int:
    """Raise the alerts that intake did not, because what it judged by was wrong; give their number."""
    if not await read_unannounced(connection):
        return 0
    async with deciding(database, clock, ACTOR) as batch:
        await _raise_missing(batch)
        return len(batch.decisions)


async def _raise_missing(batch: DecisionBatch) -> None:
    crossing = [
        alert
        for limit, window, spend_pico in await read_unannounced(batch.connection)
        # From nothing: every threshold that is reached.
        for alert in crossing_alerts(
            Movement(limit, window, spend_pico), spend_pico, batch.decided_at
        )
    ]
    batch.decisions += await announce(batch.connection, crossing, batch.decided_at, batch.interned)


def _report(first: Comparison, repaired: Mapping[str, int], alerts: int) -> dict[str, Any]:
    projections: list[dict[str, Any]] = []
    for name, rebuilt in first.rebuilt.items():
        before = first.stored[name].digest
        shown: dict[str, Any] = {
            "name": name,
            "rows": rebuilt.rows,
            "before": before,
            "after": rebuilt.digest,
            "identical": before == rebuilt.digest,
        }
        projections.append(shown | ({"repaired": repaired[name]} if name in repaired else {}))
    return {"as_of": first.as_of, "projections": projections} | (
        {"alerts": alerts} if alerts else {}
    )


def _tell_nobody(_: str) -> None:
    pass
