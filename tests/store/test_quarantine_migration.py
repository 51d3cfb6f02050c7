"""What lay in quarantine before it had bounds is kept, under the ids that it would get today."""

import hashlib
import os

import pytest

from ledger.clock import FixedClock
from ledger.core.refused import quarantine_id
from ledger.services.quarantine import dismiss, list_quarantined, show_quarantined
from ledger.store import migrations as store_migrations
from ledger.store.database import Database, owner_connection
from ledger.store.migrations import apply_migrations, migrate, migrations
from ledger.store.quarantine import QuarantineFilter
from tests.conftest import NOW
from tests.schema import make_database

BEFORE = "0013"
LONG = b"x" * 65536
HINTS = (
    rb'{"metadata": {"key": "sk-0\u2026 (23 characters)"}}',
    '{"model": "sk-0… (23 characters)"}'.encode(),
)
NO_HINTS = (
    rb'{"note": "\u2026 (many characters)"}',
    b'{"note": "u2026 (23 characters)", "\xff": 1}',
)
INSERT = (
    "INSERT INTO quarantine VALUES ($1, $2, 'missing', 'rejected', 'request_id', 'is required', NULL, 'r', "
    "$3, 2, $4, $4)"
)


async def make_old(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger as it was, with some refused records."""
    older = [each for each in migrations() if each.name < BEFORE]
    async with owner_connection(url) as owner:
        with monkeypatch.context() as early:
            early.setattr(store_migrations, "migrations", lambda: older)
            await apply_migrations(owner)
        for sender, record in (
            ("cli", b"{}"),
            ("admin", b"{}"),
            ("admin", LONG),
            *(("old", each) for each in HINTS + NO_HINTS),
        ):
            digest = hashlib.sha256(record).digest()
            await owner.execute(INSERT, sender, digest, record, NOW)


def id_of(sender: str, record: bytes) -> str:
    """What a record that lacks its request id is kept under."""
    return quarantine_id(sender, "missing", hashlib.sha256(record).digest())


async def test_old_rows_are_as_new_ones(
    server_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its id, counted for its sender; what filled 64 KiB may have been cut, and hints hide."""
    url = await make_database(server_url, f"quarantine_before_{os.getpid()}")
    await make_old(url, monkeypatch)
    await migrate(url, NOW.date())
    database = Database(url)
    await database.open()
    try:
        page = await list_quarantined(database, QuarantineFilter(), most=10)
        assert {row["quarantine_id"]: row["is_whole"] for row in page["data"]} == {
            id_of("cli", b"{}"): True,
            id_of("admin", b"{}"): True,
            id_of("admin", LONG): False,
            **{id_of("old", each): False for each in HINTS},
            **{id_of("old", each): True for each in NO_HINTS},
        }
        shown = await show_quarantined(database, id_of("cli", b"{}"))
        assert (shown["record"], shown["sightings"]) == ("{}", 2)
        assert shown["errors"] == [
            {"field": "request_id", "code": "missing", "detail": "is required"}
        ]
        await dismiss(database, clock, "jane", [id_of("cli", b"{}")], reason="old")
        async with database.connection() as connection:
            counted = await connection.fetch("SELECT * FROM quarantine_sender ORDER BY sender")
        old_bytes = sum(map(len, HINTS + NO_HINTS))
        assert [tuple(row) for row in counted] == [
            (0, "admin", 2, 65538, 0),
            (0, "cli", 0, 0, 0),
            (0, "old", 4, old_bytes, 0),
        ]
    finally:
        await database.close()
