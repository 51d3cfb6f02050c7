"""`ledger verify`."""

from typing import Any, BinaryIO

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    DONE,
    WITH_PROBLEMS,
    PointInLog,
    json_option,
    on_ledger,
    print_json,
    remark,
    say,
)
from ledger.core.cuts import AsOf
from ledger.core.errors import InvalidParameter
from ledger.services.proof.seals import read_heads
from ledger.services.proof.verification import verify


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
    """Check that every figure follows from the log, and the log is as it was written.

    The last line names the point in the log that was checked; the next run can go on from there.

    Example: ledger verify --since 2026-11-20T03:00:00Z~1-5023.2-17
    """
    if since is not None and since.cut is None:
        raise InvalidParameter("since", "must be the as_of that `ledger verify` printed")
    result = await verify(
        ledger.database,
        ledger.clock,
        since=None if since is None else since.cut,
        heads=read_heads(heads.read()) if heads else (),
        progress=lambda name: remark(f"checking {name} ..."),
    )
    if as_json:
        print_json(result)
    else:
        _print_checks(result)
    return DONE if result["ok"] else WITH_PROBLEMS


def _print_checks(result: dict[str, Any]) -> None:
    for check in result["checks"]:
        is_warning = check["ok"] and check["count"]
        mark = "note" if is_warning else "ok" if check["ok"] else "FAILED"
        say(f"{mark:>6}  {check['name']}" + (f": {check['count']}" if check["count"] else ""))
        for offender in check["offenders"] if not check["ok"] else ():
            say(f"          {_in_words(offender)}")
        if not check["ok"] and check["count"] > len(check["offenders"]):
            say(f"          and {check['count'] - len(check['offenders'])} more")
    say(f"as of {result['as_of']}")


def _in_words(offender: dict[str, Any]) -> str:
    """Where it is and what is wrong there."""
    return ", ".join(f"{name} {value}" for name, value in offender.items() if value is not None)
