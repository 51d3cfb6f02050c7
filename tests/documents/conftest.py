"""What the pages are read at: a fresh ledger at noon of 2026-11-20, a folder, a server if it is asked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger import bootstrap
from ledger.api.app import create_app
from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.settings import Settings
from ledger.store.database import Database
from tests.cli.conftest import Run
from tests.cli.conftest import run as run  # noqa: PLC0414 - a fixture, handed on
from tests.conftest import ADMIN_KEY, NOW, serving
from tests.documents.desk import Desk


@pytest.fixture
async def desk(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """Where commands are typed: in an empty folder, beside a server, as the time stands still."""
    clock = FixedClock(NOW)
    monkeypatch.setattr(bootstrap, "SystemClock", lambda: clock)
    monkeypatch.chdir(tmp_path)
    settings = Settings(database_url=database.url, data_dir=tmp_path)
    async with serving(create_app(Ledger(settings, clock, database, ()), ADMIN_KEY)) as url:
        yield Desk(run, tmp_path, url, ADMIN_KEY)
