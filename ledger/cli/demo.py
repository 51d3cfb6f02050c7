"""`ledger demo`."""

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
    stderr,
    stdout,
)
from ledger.cli.spend import print_spend
from ledger.clock import FixedClock
from ledger.demo.walk import DECIDED_AT, Walk, walk
from ledger.settings import Settings


@click.command("demo")
@json_option
@command
async def command_group(*, as_json: bool) -> int:
    """Show the main job on bundled records: intake, spend, an alert, an invoice, CSV files.

    Works on an embedded PostgreSQL in a new folder, which is left for looking around.
    """
    folder = _new_folder()
    stderr().print(f"ledger: a ledger of its own in {folder} ...")
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
    out, counters = stdout(), shown.counters
    out.print(
        f"\n1. Intake of {counters.read:,} records: {counters.accepted:,} accepted, "
        f"{counters.duplicates} duplicates, {counters.conflicts} conflict, "
        f"{counters.rejected} rejected, {counters.unrated} without a rate yet\n\n2. Spend by model"
    )
    print_spend(shown.spend)
    out.print("\n3. Alerts of acme's limit of 100.00 a month")
    columns = {"threshold": "at", "window_start": "month from", "spend": "spend"}
    print_table("", columns, shown.alerts)
    out.print("\n4. Invoices")
    for run in shown.runs:
        out.print(
            f"   {run['period']}: {run['issued']} issued, {run['skipped']} skipped, total {run['total']}"
        )
    out.print(f"\n{shown.invoice}")
    out.print("\n5. CSV for finance")
    for file in shown.manifest["files"]:
        out.print(f"   {folder / 'export' / file['name']}: {file['rows']:,} rows")
    verdict = "holds" if shown.verified["ok"] else "FAILED"
    out.print(f"\n6. Verify: every figure follows from the log: {verdict}\n")
    _print_next(folder)


def _print_next(folder: Path) -> None:
    program = "scripts/ledger" if Path("scripts/ledger").exists() else "ledger"
    out = stdout()
    out.print(f"Look around:  export LEDGER_DATA_DIR={shlex.quote(str(folder))}")
    for words in (
        "spend --from 2026-04-01 --to 2026-06-01 --by customer,month",
        "invoices list",
        "verify",
        "serve",
    ):
        out.print(f"              {program} {words}")
    out.print(f"Throw away:   rm -r {shlex.quote(str(folder))}")
