"""The program as it will be once it carries more migrations: `python -m tests.newer_program WORDS`.

`LEDGER_TEST_MIGRATIONS` has their names and texts, as a JSON object.
"""

import json
import os

from ledger.cli.main import main
from ledger.store.migrations import Migration, migrations
from tests.former_ledgers import program_with

VARIABLE = "LEDGER_TEST_MIGRATIONS"


def later_migration(word: str, sql: str, *, steps: int = 1, breaks: bool = False) -> Migration:
    """A migration after the last one. It works with programs of today, or with nobody older."""
    last = int(migrations()[-1].name[:4])
    number = f"{last + steps:04}"
    works_with = number if breaks else f"{last:04}"
    return Migration(f"{number}_{word}", f"-- works with: {works_with}\n{sql}\n")


def carrying(*later: Migration) -> dict[str, str]:
    """The environment of a program that carries them."""
    return {VARIABLE: json.dumps({each.name: each.sql for each in later})}


if __name__ == "__main__":
    carried = json.loads(os.environ[VARIABLE])
    with program_with(*migrations(), *(Migration(*each) for each in carried.items())):
        main(prog_name="ledger")
