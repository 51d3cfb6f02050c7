"""`ledger dump`."""

from pathlib import Path

import click

import ledger as product
from ledger.bootstrap import Ledger
from ledger.cli.moved_tables import moved_tables
from ledger.cli.running import json_option, on_ledger, print_json, print_table, say
from ledger.services.moving.dumping import dump_ledger

COLUMNS = {"table": "table", "rows": "rows", "text_bytes": "bytes", "file_bytes": "compressed"}


@click.command("dump")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@on_ledger
async def command_group(ledger: Ledger, *, folder: Path, as_json: bool) -> None:
    """Write all of the ledger into a new folder, for `ledger load`.

    Example: ledger dump /backup/ledger-2026-11

    All files are of one moment; intake goes on meanwhile. DIR must be new or empty, and appears when it
    is whole. It holds everything that the ledger knows, also digests of keys: only its owner may read it.
    """
    with moved_tables() as progress:
        manifest = await dump_ledger(
            ledger.database,
            ledger.clock,
            folder,
            product_version=product.__version__,
            progress=progress,
        )
    if as_json:
        print_json(manifest)
        return
    rows = [{name: getattr(each, name) for name in COLUMNS} for each in manifest.tables]
    print_table("Dumped", COLUMNS, [row for row in rows if row["rows"]])
    say(f"{manifest.rows:,} rows in {folder}, as of {manifest.as_of}")
