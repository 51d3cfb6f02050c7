"""`ledger demo`."""

import tempfile
from pathlib import Path

import click
import msgspec

from ledger.bootstrap import open_ledger
from ledger.cli.demo_pages import print_walk
from ledger.cli.progress import steps
from ledger.cli.running import DONE, WITH_PROBLEMS, command, json_option, print_json
from ledger.clock import FixedClock
from ledger.demo.walk import DECIDED_AT, walk
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
    clock = FixedClock(DECIDED_AT)
    settings = Settings(database_url=None, data_dir=folder)
    with steps() as tell:
        tell(f"starting a PostgreSQL of its own in {folder}")
        async with open_ledger(settings, clock) as ledger:
            shown = await walk(ledger, clock, folder / "export", tell)
            tell("stopping it")
    if as_json:
        print_json({**msgspec.structs.asdict(shown), "folder": str(folder)})
    else:
        print_walk(shown, folder)
    return DONE if shown.verified["ok"] else WITH_PROBLEMS


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ledger-demo-"))
    folder.chmod(0o711)  # as root, an unprivileged user runs the server in it
    return folder
