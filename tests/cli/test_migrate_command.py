"""`ledger migrate`, and `--check` for scripts that deploy."""

import asyncio
import json
import os

import pytest

from ledger.store.migrations import migrations
from tests.cli.conftest import Run
from tests.conftest import execute
from tests.former_ledgers import program_with
from tests.newer_program import later_migration
from tests.schema import make_database

ALL = [migration.name for migration in migrations()]


def test_a_check_tells_what_is_missing_and_changes_nothing(
    run: Run, server_url: str, database_url: str
) -> None:
    """Exit code 1 as long as there is something; the database is as it was."""
    empty = asyncio.run(make_database(server_url, f"migrate_check_{os.getpid()}"))
    for _ in range(2):
        checked = run("migrate", "--check", "--json", code=1, LEDGER_DATABASE_URL=empty)
        assert json.loads(checked.stdout) == {"missing": ALL, "newer": []}

    assert run("migrate", "--check").stdout == "Missing: nothing\n"
    asyncio.run(execute(database_url, "DELETE FROM ledger.schema_migration WHERE name >= '0015'"))
    checked = run("migrate", "--check", code=1)
    assert checked.stdout == f"Missing: {', '.join(ALL[14:])}\n"


@pytest.mark.parametrize("words", [("migrate",), ("migrate", "--check")])
def test_a_newer_database_is_named_or_refused(run: Run, words: tuple[str, ...]) -> None:
    """As its migrations say; exit code 2 tells the refusal from work to do."""
    added = later_migration("holidays", "SELECT;")
    with program_with(*migrations(), added):
        run("migrate")
    shown = run(*words)
    assert f"Newer than this version, which works with it: {added.name}\n" in shown.stdout
    assert json.loads(run(*words, "--json").stdout)["newer"] == [added.name]

    broken = later_migration("rules", "SELECT;", steps=2, breaks=True)
    with program_with(*migrations(), added, broken):
        run("migrate")
    refused = run(*words, code=2)
    assert f"{broken.name} does not work with programs made for schema" in refused.stderr
