"""`ledger rebuild` as programs and people use it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from ledger.store.rebuild import PROJECTIONS
from tests.store.rebuild_damage import make_ledger, tamper

ROOT = Path(__file__).parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
async def run(database: Database, clock: FixedClock, writer: Writer, database_url: str) -> Run:
    """Run the command on a ledger with everything in it."""
    await make_ledger(database, clock, writer)
    environment = {**os.environ, "LEDGER_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}

    def run_rebuild(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", "from ledger.cli.rebuild import *; command_group()", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    return run_rebuild


async def test_rebuild_tells_what_it_found(run: Run, database_url: str) -> None:
    """One document; before and after are digests, and what differed says how many keys were repaired."""
    await tamper(database_url, "DELETE FROM alert WHERE limit_id = 'acme-day'")

    done = await asyncio.to_thread(run, "--json")

    result = json.loads(done.stdout)
    assert set(result) == {"as_of", "projections"}
    found = {each.pop("name"): each for each in result["projections"]}
    assert list(found) == list(PROJECTIONS)
    assert found["alert"].pop("repaired") > 0
    assert not found["alert"]["identical"]
    assert all(each["identical"] for name, each in found.items() if name != "alert")
    assert all(set(each) == {"rows", "before", "after", "identical"} for each in found.values())
    assert "rebuilding rollup_hour ...\n" in done.stderr
    assert "repairing alert" in done.stderr


async def test_rebuild_of_one_projection(run: Run, database_url: str) -> None:
    """Only that one is looked at; a repair is said aloud, and exits 0 like nothing to do."""
    await tamper(database_url, "TRUNCATE rollup_hour_unit")

    first = await asyncio.to_thread(run, "rollup_hour_unit")
    second = await asyncio.to_thread(run, "rollup_hour_unit")

    assert first.stdout.startswith("REPAIRED  rollup_hour_unit: ")
    assert "did not follow from the log" in first.stdout
    assert second.stdout.startswith("      ok  rollup_hour_unit: ")
    assert len(second.stdout.splitlines()) == 1


async def test_an_unknown_projection_is_wrong_usage(run: Run) -> None:
    """With the names that there are."""
    done = await asyncio.to_thread(run, "usage_event", code=2)

    assert "projection: must be one of customer_setting" in done.stderr
