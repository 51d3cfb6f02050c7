"""`ledger demo`."""

import os
import shlex
import tempfile
from pathlib import Path

import click
import msgspec

from ledger.bootstrap import open_ledger
from ledger.cli.running import (
    DONE,
    WITH_PROBLEMS,
    command,
    json_option,
    print_json,
    print_table,
    remark,
    say,
)
from ledger.cli.spend import print_spend
from ledger.clock import FixedClock
from ledger.demo.walk import DECIDED_AT, Walk, walk
from ledger.services.intake.outcomes import Counters
from ledger.settings import Settings


@click.command("demo")
@json_option
@command
async def command_group(*, as_json: bool) -> int:
    """Show the whole job on bundled records, from intake to invoice.

    Works on an embedded PostgreSQL in a new folder, which is left for looking around.

    Example: ledger demo
    """
    folder = _new_folder()
    remark(f"ledger: a ledger of its own in {folder} ...")
    clock = FixedClock(DECIDED_AT)
    settings = Settings(database_url=None, data_dir=folder)
    async with open_ledger(settings, clock) as ledger:
        shown = await walk(ledger, clock, folder / "export")
    if as_json:
        print_json({**msgspec.structs.asdict(shown), "folder": str(folder)})
    else:
        _print(shown, folder)
    return DONE if shown.verified["ok"] else WITH_PROBLEMS


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ledger-demo-"))
    folder.chmod(0o711)  # as root, an unprivileged user runs the server in it
    return folder


def _print(shown: Walk, folder: Path) -> None:
    _print_intake(shown.counters)
    say("\n2. Spend by model")
    print_spend(shown.spend)
    say("Spend is cost plus our fee; with a customer's own key (byok) it is the fee alone.")
    say("\n3. Alerts of acme's limit of 100.00 a month")
    columns = {"threshold": "share", "window_start": "month from", "spend": "spend"}
    print_table("Alerts", columns, shown.alerts)
    say("\n4. Invoices")
    for run in shown.runs:
        say(f"   {run['period']}: {run['issued']} issued, total {run['total']}")
    if any(run["skipped"] for run in shown.runs):
        say(
            "   A month that comes to less than half a cent is not invoiced; it waits for the next."
        )
    say(f"\n{shown.invoice}\n5. CSV for finance")
    for file in shown.manifest["files"]:
        say(f"   {folder / 'export' / file['name']}: {file['rows']} rows")
    verdict = "it does" if shown.verified["ok"] else "IT DOES NOT; see `verify`"
    say(f"\n6. Does every figure follow from the log? {verdict}\n")
    _print_next(folder)


def _print_intake(counters: Counters) -> None:
    say(f"\n1. Intake of {counters.read} records")
    for count, words in (
        (
            counters.accepted,
            "accepted, among them a few that are pending or failed and count nothing",
        ),
        (counters.unrated, "of these have a model that no rate table lists yet"),
        (counters.duplicates, "duplicates: sent again, nothing moved"),
        (counters.conflicts, "conflict: the same id with another figure, kept in quarantine"),
        (counters.rejected, "rejected: broken lines, kept in quarantine"),
    ):
        say(f"{count:>8} {words}")


def _print_next(folder: Path) -> None:
    program = "scripts/ledger" if Path("scripts/ledger").exists() else "ledger"
    say("Look around:")
    if "LEDGER_DATABASE_URL" in os.environ:
        say("   unset LEDGER_DATABASE_URL")
    say(f"   export LEDGER_DATA_DIR={shlex.quote(str(folder))}")
    for words in (
        "spend --from 2026-04-01 --to 2026-06-01 --by customer,month",
        "invoices list",
        "verify",
        "serve",
    ):
        say(f"   {program} {words}")
    say(f"Throw away:\n   rm -r {shlex.quote(str(folder))}")
