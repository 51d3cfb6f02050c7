"""When quarantine itself cannot keep what was refused: what is decided stays decided."""

import json
import logging
from typing import Any

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable
from ledger.core.keys import Sender
from ledger.services.intake import intake as intake_module
from ledger.services.intake.intake import Intake
from ledger.services.intake.writer import Writer
from ledger.store.database import Database

SENDER = Sender("cli")


@pytest.fixture
def intake(writer: Writer, database: Database, clock: FixedClock) -> Intake:
    """The way in."""
    return Intake(writer, database, clock)


def raws(*names: str) -> list[bytes]:
    """Good records, and one that is not."""
    good = [json.dumps({"request_id": name, "customer_id": "acme"}).encode() for name in names]
    return [*good, b'{"request_id": "private words", "customer_id": "acme", "images": -1}']


async def kept(database: Database) -> int:
    """How many records lie in quarantine."""
    async with database.connection() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM quarantine")
    return count


def breaking(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let whoever keeps refused records fail."""

    async def keep(*_: Any) -> None:
        raise error

    monkeypatch.setattr(intake_module, "keep_refused", keep)


async def test_a_record_that_no_database_holds_fails_nobodys_answer(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Sent again it would fail again, and for ever. The log has it, without a word of the record."""
    breaking(monkeypatch, asyncpg.DataError("private words"))

    with caplog.at_level(logging.ERROR):
        taken = await intake.take(raws("a"), SENDER)

    assert [each.verdict for each in taken.outcomes] == ["accepted", "rejected"]
    assert "refused_not_kept records=1 why=DataError" in caplog.text
    assert "private words" not in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.DiskFullError("full"),
        asyncpg.DeadlockDetectedError("met"),
        DatabaseUnavailable("gone"),
    ],
)
async def test_without_the_database_nobody_is_told(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The good ones are recorded; sent again they are duplicates, and what was refused is kept then."""
    with monkeypatch.context() as broken:
        breaking(broken, error)
        with pytest.raises(DatabaseUnavailable):
            await intake.take(raws("a"), SENDER)
    assert await kept(database) == 0

    again = await intake.take(raws("a"), SENDER)

    assert [each.verdict for each in again.outcomes] == ["duplicate", "rejected"]
    assert await kept(database) == 1
