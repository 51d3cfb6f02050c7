"""`ledger verify`."""

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    DONE,
    WITH_PROBLEMS,
    json_option,
    on_ledger,
    print_json,
    remark,
    say,
)
from ledger.services.verification import verify


@click.command("verify")
@json_option
@on_ledger
async def command_group(ledger: Ledger, *, as_json: bool) -> int:
    """Check that every figure follows from the log; says where one does not.

    Example: ledger verify
    """
    result = await verify(
        ledger.database, ledger.clock, progress=lambda name: remark(f"checking {name} ...")
    )
    if as_json:
        print_json(result)
    else:
        for check in result["checks"]:
            is_warning = check["ok"] and check["count"]
            mark = "note" if is_warning else "ok" if check["ok"] else "FAILED"
            say(f"{mark:>6}  {check['name']}" + (f": {check['count']}" if check["count"] else ""))
            for offender in check["offenders"] if not check["ok"] else ():
                say(f"          {offender}")
    return DONE if result["ok"] else WITH_PROBLEMS
