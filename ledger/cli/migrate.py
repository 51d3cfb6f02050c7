"""`ledger migrate`."""

import click

from ledger.bootstrap import open_ledger
from ledger.cli.running import (
    command,
    json_option,
    print_json,
    say,
)
from ledger.services.price_lists import list_tables
from ledger.settings import read_settings


@click.command("migrate")
@json_option
@command
async def command_group(*, as_json: bool) -> None:
    """Bring the database up to date: schema, roles, months ahead, shipped rate tables.

    Example: LEDGER_DATABASE_URL=postgresql://... ledger migrate

    Safe to run again at any time and by several processes at once. `ledger serve` does it too.
    """
    async with open_ledger(read_settings(), migrating=True) as ledger:
        tables = await list_tables(ledger.database)
        body = {
            "migrations": list(ledger.migrated),
            "rate_tables": [f"{table['provider']}/{table['version']}" for table in tables],
        }
    if as_json:
        print_json(body)
    else:
        say(f"Applied: {', '.join(body['migrations']) or 'nothing, all is up to date'}")
        say(f"Rate tables: {', '.join(body['rate_tables'])}")
