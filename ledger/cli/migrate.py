"""`ledger migrate`."""

from collections.abc import Sequence

import click

from ledger.bootstrap import open_ledger, schema_state
from ledger.cli.running import (
    DONE,
    WITH_PROBLEMS,
    command,
    json_option,
    print_json,
    say,
)
from ledger.core.errors import SetupError
from ledger.services.price_lists import list_tables
from ledger.settings import read_settings


@click.command("migrate")
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 if there is work to do.")
@json_option
@command
async def command_group(*, check: bool, as_json: bool) -> int:
    """Bring the database up to date.

    The schema, the roles, the months ahead and the rate tables that are shipped.

    Safe to run again at any time and by several processes at once. `ledger serve` does it too.

    Example: LEDGER_DATABASE_URL=postgresql://db/ledger ledger migrate
    """
    if check:
        return await _check(as_json=as_json)
    async with open_ledger(read_settings(), migrating=True) as ledger:
        tables = await list_tables(ledger.database)
        body = {
            "migrations": list(ledger.migrated),
            "newer": list(ledger.newer),
            "rate_tables": [f"{table['provider']}/{table['version']}" for table in tables],
        }
    if as_json:
        print_json(body)
    else:
        say(f"Applied: {', '.join(body['migrations']) or 'nothing, all is up to date'}")
        _say_newer(body["newer"])
        say(f"Rate tables: {', '.join(body['rate_tables'])}")
    return DONE


async def _check(*, as_json: bool) -> int:
    """Tell what `ledger migrate` would apply. A database that this version must not touch is refused."""
    state = await schema_state(read_settings())
    if state.refusal:
        raise SetupError(state.refusal)
    if as_json:
        print_json({"missing": list(state.missing), "newer": list(state.newer)})
    else:
        say(f"Missing: {', '.join(state.missing) or 'nothing'}")
        _say_newer(state.newer)
    return WITH_PROBLEMS if state.missing else DONE


def _say_newer(newer: Sequence[str]) -> None:
    if newer:
        say(f"Newer than this version, which works with it: {', '.join(newer)}")
