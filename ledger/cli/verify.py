"""`ledger verify`."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import click

from ledger.bootstrap import Ledger
from ledger.cli.progress import steps
from ledger.cli.running import (
    DONE,
    WITH_PROBLEMS,
    PointInLog,
    in_words,
    json_option,
    on_ledger,
    print_json,
    say,
)
from ledger.core.cuts import AsOf
from ledger.core.errors import InvalidParameter
from ledger.services.proof.seals import read_heads
from ledger.services.proof.verification import OF_THE_LOG, verify

# What shows more of a note than its count.
LISTED_BY = {"unrated": "unrated", "unmetered": "unmetered", "quarantined": "quarantine list"}


@click.command("verify")
@click.option(
    "--since",
    type=PointInLog(),
    help="The as_of of an earlier run: what it covered is taken as verified.",
)
@click.option(
    "--heads", type=click.File("rb"), help="What `ledger seal show --json` printed earlier."
)
@json_option
@on_ledger
async def command_group(
    ledger: Ledger, *, since: AsOf | None, heads: BinaryIO | None, as_json: bool
) -> int:
    """Check that every figure follows from the log.

    And that the log is as it was written. The last line names the point in the log that was checked; the next
    run can go on from there. docs/verify-and-seals.md says what each check compares, and what to do when one
    fails.

    Example: ledger verify

    Example, on from an earlier run: ledger verify --since 2026-11-20T03:00:00Z~1-5023.2-17
    """
    if since is not None and since.cut is None:
        raise InvalidParameter("since", "must be the as_of that `ledger verify` printed")
    with steps() as tell:
        result = await verify(
            ledger.database,
            ledger.clock,
            since=None if since is None else since.cut,
            heads=read_heads(heads.read()) if heads else (),
            progress=lambda name: tell(f"checking {name}"),
        )
    if as_json:
        print_json(result)
    else:
        _print_checks(result)
    return DONE if result["ok"] else WITH_PROBLEMS


def _print_checks(result: dict[str, Any]) -> None:
    for check in result["checks"]:
        is_note = check["ok"] and check["count"]
        mark = "note" if is_note else "ok" if check["ok"] else "FAILED"
        found = f": {check['count']}" if check["count"] else ""
        hint = (
            f" (ledger {LISTED_BY[check['name']]})"
            if is_note and check["name"] in LISTED_BY
            else ""
        )
        say(f"{mark:>6}  {check['name']}{found}{hint}")
        if not check["ok"]:
            for offender in check["offenders"]:
                say(f"          {in_words(offender)}")
            if check["count"] > len(check["offenders"]):
                say(f"          and {check['count'] - len(check['offenders'])} more")
    for line in _verdict(result):
        say(line)


def _verdict(result: dict[str, Any]) -> Iterator[str]:
    """How it stands, and what to do."""
    failed = [check["name"] for check in result["checks"] if not check["ok"]]
    if result["since"] is not None:
        yield f"What {result['since'] or 'an empty log'} covers was taken as verified before."
    if not failed:
        yield f"All {len(result['checks'])} checks hold."
    else:
        yield f"{len(failed)} of {len(result['checks'])} checks FAILED: {', '.join(failed)}."
    if OF_THE_LOG & set(failed):
        yield "The log itself was altered, outside the ledger. Keep the database as it is, compare heads that"
        yield "were kept elsewhere (`ledger seal check`), restore from a backup; do not rebuild before."
    elif failed:
        yield "The log holds; what is derived from it does not follow. `ledger rebuild` derives it anew."
    yield f"as of {result['as_of']}"
