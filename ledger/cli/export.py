"""`ledger export`."""

from datetime import datetime
from pathlib import Path

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    Instant,
    json_option,
    on_ledger,
    print_json,
    print_table,
    say,
)
from ledger.exports.compression import SUFFIXES
from ledger.services.exporting import export_files

NAMES = ("usage", "invoices")


@click.command("export")
@click.argument("names", nargs=-1, required=True, type=click.Choice(NAMES))
@click.option("--from", "start_at", type=Instant(), required=True, help="First instant or date.")
@click.option("--to", "end_at", type=Instant(), required=True, help="End, exclusive.")
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="Folder to write to."
)
@click.option(
    "--compress",
    "compression",
    type=click.Choice(list(SUFFIXES)),
    help="Write usage.csv.gz or usage.csv.zst instead of usage.csv.",
)
@json_option
@on_ledger
async def command_group(
    ledger: Ledger,
    *,
    names: tuple[str, ...],
    start_at: datetime,
    end_at: datetime,
    output: Path,
    compression: str | None,
    as_json: bool,
) -> None:
    """Write CSV files and a manifest, all of one moment.

    Example: ledger export usage invoices --from 2026-10-01 --to 2026-11-01 --output october
    """
    manifest = await export_files(
        ledger.database,
        ledger.clock,
        names,
        start_at,
        end_at,
        output,
        currency=ledger.settings.currency,
        compression=compression,
    )
    if as_json:
        print_json(manifest)
        return
    print_table(
        "Exported",
        {"name": "file", "rows": "rows", "sha256": "sha256"},
        manifest["files"],
        whole=("sha256",),
    )
    say(f"In {output}, with manifest.json")
