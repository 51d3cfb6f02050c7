"""Whether every file, key, limit, table and refusal is there, and the ledger's own proofs hold."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache

from tests.naive import read_time
from tests.soak_kills.evidence import Cells, Evidence, Files, RowKey
from tests.soak_kills.memory import Answer, Memory, Request

OK, NOBODY, FORBIDDEN = 200, 401, 403


def judge_exports(memory: Memory, evidence: Evidence) -> Iterator[str]:
    """Each file is whole, holds what was acknowledged before, and is the ledger at one cut."""
    final = {row_key(cells): cells for cells in evidence.usage}
    if final.keys() != evidence.positions.keys():
        yield f"the export and the log differ: {sorted(final.keys() ^ evidence.positions.keys())[:5]}"
    for files in evidence.exports:
        yield from _judge_files(files, memory, final, evidence)


def _judge_files(
    files: Files, memory: Memory, final: Mapping[RowKey, Cells], evidence: Evidence
) -> Iterator[str]:
    exported, name = files.exported, files.exported.folder.name
    for file, (said, found) in files.sha256.items():
        if said != found:
            yield f"{name}/{file} is not what its manifest says"
    shown = {row_key(cells): cells for cells in files.usage}
    if len(shown) < len(files.usage):
        yield f"{name} has rows twice"
    for key, cells in shown.items():
        if final.get(key) != cells:
            yield f"{name} shows {dict(cells)}, which is {final.get(key)} now"
    for customer, request_id in _owed(memory, exported.start_at, exported.end_at, exported.asked_s):
        if (customer, request_id, 1) not in shown:
            yield f"{name} lacks {customer} {request_id}, acknowledged before it was asked for"
    if files.as_of is not None:
        cut = read_cut(files.as_of)
        expected = {
            key
            for key, (lane, batch) in evidence.positions.items()
            if batch <= cut.get(lane, 0)
            and key in final
            and exported.start_at <= _moment(final[key]["timestamp"]) < exported.end_at
        }
        if shown.keys() != expected:
            yield f"{name} at {files.as_of} differs: {sorted(shown.keys() ^ expected)[:5]}"


def _owed(
    memory: Memory, start_at: datetime, end_at: datetime, asked_s: float
) -> Iterator[tuple[str, str]]:
    """What completed in a span and was acknowledged before a moment."""
    for key, request in memory.requests.items():
        was_there = any(
            each.is_acknowledged and each.answered_s < asked_s for each in request.metered()
        )
        if was_there and start_at <= _moment(request.statements[0]["timestamp"]) < end_at:
            yield key


def judge_decisions(memory: Memory, evidence: Evidence) -> Iterator[str]:
    """Every acknowledged limit, key, rate table and refusal is there, as it was told."""
    limits = {limit["limit_id"]: limit for limit in evidence.limits}
    for limit in memory.limits:
        shown = limits.get(limit.limit_id)
        told = (limit.customer, limit.window)
        if limit.answered_at is not None and shown is None:
            yield f"{limit} is lost"
        elif shown is not None and (shown["customer_id"], shown["window"]) != told:
            yield f"{limit} is {shown}"
    published = {
        (each.table.provider, each.version)
        for each in memory.shelf.publications
        if each.answered_s < float("inf")
    }
    yield from (f"rate table {each} is lost" for each in sorted(published - evidence.versions))
    yield from _judge_keys(memory, evidence)
    if not evidence.not_kept:
        for key, request in memory.requests.items():
            if _is_kept(request) and key not in evidence.refused:
                yield f"{key} was refused and not kept"


def _is_kept(request: Request) -> bool:
    """Whether a refusal of it lies in quarantine: a replay after it may have taken it out."""
    is_in_conflict = bool(request.answered(Answer.CONFLICT))
    return is_in_conflict or request.sendings[-1].answer is Answer.REJECTED


def _judge_keys(memory: Memory, evidence: Evidence) -> Iterator[str]:
    shown = {key["key_id"]: key for key in evidence.keys}
    for made in memory.keys:
        key = shown.get(made.key_id)
        statuses = set(evidence.key_statuses[made.key_id])
        live = {OK} if "read" in made.scopes else {FORBIDDEN}
        allowed = {True: [{NOBODY}], False: [live], None: [live, {NOBODY}]}[made.is_revoked]
        if key is None or statuses not in allowed:
            yield f"{made} is {key} and gets {statuses}"
        elif (tuple(key["scopes"]), key["customer_id"]) != (made.scopes, made.customer):
            yield f"{made} is {key}"


def judge_proofs(evidence: Evidence) -> Iterator[str]:
    """What the ledger says of itself, and what the killed have left."""
    failed = [check for check in evidence.verified.get("checks", ()) if not check["ok"]]
    if failed or not evidence.verified.get("ok"):
        yield f"verify: {failed}"
    projections = evidence.rebuilt.get("projections", ())
    if not projections or not all(each["identical"] for each in projections):
        yield f"rebuild: {projections}"
    for job in evidence.jobs:
        if job["last_run"] and job["last_run"]["outcome"] == "running":
            yield f"a run that nobody ends: {job}"
    yield from (f"left behind: {path}" for path in evidence.leftovers)


@cache
def _moment(text: str) -> datetime:
    """Read once, for all the exports that it is looked for in."""
    return read_time(text)


def row_key(cells: Cells) -> RowKey:
    """What identifies a row."""
    return cells["customer_id"], cells["request_id"], int(cells["revision"])


def read_cut(as_of: str) -> dict[int, int]:
    """`...~1-5023.2-17` as the last batch of each lane."""
    lanes = as_of.partition("~")[2].split(".")
    return {int(lane): int(batch) for lane, _, batch in (each.partition("-") for each in lanes)}
