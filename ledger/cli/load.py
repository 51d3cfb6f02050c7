"""`ledger load`."""

from pathlib import Path
from typing import Any

import click

from ledger.bootstrap import database_address
from ledger.cli.moved_tables import moved_tables
from ledger.cli.running import DONE, WITH_PROBLEMS, command, in_words, json_option, print_json, say
from ledger.clock import SystemClock
from ledger.services.moving.loading import load_ledger, open_dump
from ledger.settings import read_settings


@click.command("load")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--no-verify", is_flag=True, help="Do not compute the digests of what was loaded anew."
)
@json_option
@command
async def command_group(*, folder: Path, no_verify: bool, as_json: bool) -> int:
    """Load what `ledger dump` wrote into an empty database.

    Example: LEDGER_DATABASE_URL=postgresql://... ledger load /backup/ledger-2026-11

    Of any PostgreSQL from 15 on. Makes the schema by itself, as `ledger migrate` does. All or nothing: the
    text of every table, the head of every lane and the digest of every batch are checked before anything
    is committed.
    """
    settings = read_settings()
    dump = open_dump(folder, currency=settings.currency)
    async with database_address(settings) as url:
        with moved_tables(dump.manifest.rows) as progress:
            loaded = await load_ledger(
                url, SystemClock(), dump, proving=not no_verify, progress=progress
            )
    if as_json:
        print_json(loaded)
    else:
        _print(loaded)
    return DONE if loaded["ok"] else WITH_PROBLEMS


def _print(loaded: dict[str, Any]) -> None:
    say(f"{loaded['rows']:,} rows in {loaded['tables']} tables, as of {loaded['as_of']}")
    if loaded["migrations"]:
        say(f"Applied since: {', '.join(loaded['migrations'])}")
    say(f"The seals of {len(loaded['lanes'])} lanes are those of the dump.")
    if loaded["proved_events"] is None:
        say("Digests were not computed anew; `ledger verify` does that.")
    elif loaded["ok"]:
        say(f"Every digest follows from the {loaded['proved_events']:,} events that it covers.")
    for offender in loaded["offenders"]:
        say(f"FAILED  {in_words(offender)}")
