"""`ledger rebuild`."""

from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.progress import steps
from ledger.cli.running import json_option, on_ledger, print_json, say
from ledger.services.proof.rebuilding import rebuild

DIGEST_CHARACTERS = 16  # enough to compare by eye; --json has all of them


@click.command("rebuild")
@click.argument("projection", required=False)
@click.option(
    "--trust-log",
    is_flag=True,
    help="Repair even though a digest says that the log was altered.",
)
@json_option
@on_ledger
async def command_group(
    ledger: Ledger, *, projection: str | None, trust_log: bool, as_json: bool
) -> None:
    """Derive projections anew from the log, and repair them.

    They are compared byte for byte. PROJECTION is one of them, such as rollup_hour. Intake goes on meanwhile.
    Before anything is repaired the digests of the log are checked: what was altered there must not spread.

    Example: ledger rebuild

    Example, only one of them: ledger rebuild rollup_hour
    """
    with steps() as tell:
        result = await rebuild(
            ledger.database,
            ledger.clock,
            None if projection is None else [projection],
            trust_log=trust_log,
            progress=tell,
        )
    if as_json:
        print_json(result)
    else:
        _show(result)


def _show(result: dict[str, Any]) -> None:
    for each in result["projections"]:
        before, after = each["before"][:DIGEST_CHARACTERS], each["after"][:DIGEST_CHARACTERS]
        digests = after if each["identical"] else f"{before} -> {after}"
        mark = "REPAIRED" if "repaired" in each else "ok"
        keys = f", {each['repaired']} keys repaired" if "repaired" in each else ""
        say(f"{mark:>8}  {each['name']}: {each['rows']} rows{keys}  {digests}")
    if any("repaired" in each for each in result["projections"]):
        say("REPAIRED: what stood there did not follow from the log, and does now.")
    if alerts := result.get("alerts"):
        say(f"{alerts} alerts raised late: their thresholds were reached while a limit was wrong.")
