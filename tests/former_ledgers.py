"""Ledgers as former programs left them, and programs as they were before their newest migrations."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.store import migrations as store_migrations
from ledger.store.database import Connection, owner_connection
from ledger.store.migrations import Migration, apply_migrations, migrations

GOLDEN = Path(__file__).parent / "golden"
RECORDS = GOLDEN / "former_records.ndjson"
MAKE_MONTHS = "SELECT ledger.make_month_partitions($1, $2)"


@contextmanager
def program_with(*known: Migration) -> Iterator[None]:
    """In the block this process is a program that carries these migrations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_migrations, "migrations", lambda: known)
        yield


def up_to(schema: str) -> tuple[Migration, ...]:
    """What a program made for a schema carries."""
    return tuple(each for each in migrations() if each.name[:4] <= schema)


async def make_schema(owner: Connection, schema: str) -> None:
    """The empty ledger of a former schema; the connection becomes the owner's."""
    with program_with(*up_to(schema)):
        await apply_migrations(owner)


async def load_former(url: str, schema: str) -> None:
    """The ledger that the program of a schema left, its rows in the months that it had made."""
    async with owner_connection(url) as owner:
        await make_schema(owner, schema)
        await owner.execute(MAKE_MONTHS, date(2026, 3, 1), 9)
        await owner.execute("RESET ROLE")
        await owner.execute((GOLDEN / f"former_{schema}.sql").read_text())


def former_answers(schema: str) -> dict[str, Any]:
    """What that program said of it: spend, invoices, the heads of its lanes."""
    answers: dict[str, Any] = json.loads((GOLDEN / f"former_{schema}.json").read_text())
    return answers
