"""What `ledger demo` prints, to the letter: its clock is set and its records are bundled."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from ledger.bootstrap import open_ledger
from ledger.cli.demo_pages import print_walk
from ledger.clock import FixedClock
from ledger.demo.walk import DECIDED_AT, walk
from ledger.settings import Settings
from ledger.store import migrations
from tests.conftest import execute
from tests.servers import with_database

GOLDEN = Path(__file__).with_name("demo_at_80_columns.txt")
FOLDER = Path("/tmp/ledger-demo")  # noqa: S108 - only shown
MONTHS = 2  # that the records are of, after the first
# What follows from how records happened to be gathered, and from the salt of what was said.
VARYING = ((r"batch 1-\d+", "batch 1-N"), (r"digest +[0-9a-f]{64}", "digest    D"))


@pytest.fixture
async def empty_url(server_url: str) -> AsyncIterator[str]:
    """A database with nothing in it: the demo's own clock says when its rate tables are published."""
    name = f"ledger_demo_{os.getpid()}"
    await execute(server_url, f"CREATE DATABASE {name}")
    yield with_database(server_url, name)
    await execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


async def test_the_demo_tells_its_story(
    empty_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Every word and every figure, in 80 columns; the file beside this one is what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEDGER_DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(migrations, "MONTHS_AHEAD", MONTHS)
    clock = FixedClock(DECIDED_AT)
    settings = Settings(database_url=empty_url, data_dir=tmp_path)
    heard: list[str] = []

    async with open_ledger(settings, clock, migrating=True) as ledger:
        print_walk(await walk(ledger, clock, tmp_path / "export", heard.append), FOLDER)

    shown = capsys.readouterr().out
    assert max(map(cell_len, shown.splitlines())) <= 80
    for pattern, word in VARYING:
        shown = re.sub(pattern, word, shown)
    assert shown == GOLDEN.read_text()
    assert len(heard) == 4
