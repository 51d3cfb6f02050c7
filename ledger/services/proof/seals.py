"""Seals: the digest at the head of every lane, for somebody else to keep.

A head vouches for its whole lane up to it. Who can change the database can compute every digest anew; who
kept a head elsewhere sees that it was done.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from ledger.clock import Clock
from ledger.core.cuts import Cut, format_as_of
from ledger.core.errors import InvalidParameter
from ledger.core.instants import format_instant
from ledger.services.proof.audit import Findings, audit_log, audit_texts
from ledger.store.audit import Stretch, find_missing_texts, read_digests
from ledger.store.database import Connection, Database
from ledger.store.log import read_cut

_FORM = 'must be what `ledger seal show --json` prints: {"lanes": [{"lane", "batch", "digest"}]}'


class Head(msgspec.Struct, frozen=True):
    """The last batch of a lane when somebody looked, and its digest in hex."""

    lane: Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    batch: Annotated[int, msgspec.Meta(ge=1, le=10**18)]
    digest: str


class _Heads(msgspec.Struct):
    lanes: list[Head]


async def show_heads(database: Database, clock: Clock) -> dict[str, Any]:
    """The head of every lane, from one snapshot; lanes whose last batch is older than digests have none."""
    async with database.snapshot() as connection:
        cut = await read_cut(connection)
        rows = await read_digests(connection, cut)
    return {
        "as_of": format_as_of(clock.now(), cut),
        "lanes": [
            {
                "lane": lane,
                "batch": row["batch"],
                "recorded_at": format_instant(row["recorded_at"]),
                "digest": row["digest"].hex(),
            }
            for lane, row in sorted(rows.items())
            if row["digest"] is not None
        ],
    }


def read_heads(text: bytes) -> list[Head]:
    """Read heads that somebody kept.

    Raises:
        InvalidParameter: they are not of the form that `ledger seal show --json` prints.
    """
    try:
        heads = msgspec.json.decode(text, type=_Heads).lanes
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidParameter("heads", f"{_FORM} ({error})") from None
    if not heads or len({head.lane for head in heads}) < len(heads):
        raise InvalidParameter("heads", f"{_FORM}, each lane once and at least one")
    return heads


async def check_heads(database: Database, heads: Sequence[Head]) -> dict[str, Any]:
    """Prove that what heads cover has not changed since: the chain up to each is computed from the facts."""
    async with database.snapshot() as connection:
        broken = await find_broken_heads(connection, heads)
        events, altered = await prove_log(connection, {head.lane: head.batch for head in heads})
    offenders = broken + altered.offenders
    return {
        "ok": not offenders,
        "lanes": [msgspec.to_builtins(head) for head in heads],
        "events": events,
        "count": len(broken) + altered.count,
        "offenders": offenders,
    }


async def prove_log(connection: Connection, upto: Cut) -> tuple[int, Findings]:
    """Compute the chain of every lane up to a cut from the facts: how many events, and what differs."""
    stretch = Stretch({}, upto)
    audited = await audit_log(connection, stretch)
    texts = Findings(*await find_missing_texts(connection, stretch))
    await audit_texts(connection, stretch, texts)
    found = audited.digests
    return audited.events, Findings(found.count + texts.count, found.offenders + texts.offenders)


async def find_broken_heads(connection: Connection, heads: Sequence[Head]) -> list[dict[str, Any]]:
    """Heads that are not in the log as they were kept."""
    rows = await read_digests(connection, {head.lane: head.batch for head in heads})
    broken = []
    for head in heads:
        row = rows.get(head.lane)
        if row is None:
            broken.append(_broken(head, "the lane ends before it", None))
        elif row["digest"] is None or row["digest"].hex() != head.digest:
            stored = row["digest"] and row["digest"].hex()
            broken.append(_broken(head, "the log has another digest there", stored))
    return broken


def _broken(head: Head, fault: str, stored: str | None) -> dict[str, Any]:
    return {
        "lane": head.lane,
        "batch": head.batch,
        "fault": fault,
        "kept": head.digest,
        "stored": stored,
    }
