"""`ledger rebuild` as programs and people use it."""

import asyncio
import json

import pytest

from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from ledger.store.rebuild import PROJECTIONS
from tests.cli.conftest import Run
from tests.store.rebuild_damage import make_ledger
from tests.store.tampering import tamper


@pytest.fixture(autouse=True)
async def ledger(database: Database, clock: FixedClock, writer: Writer) -> None:
    """A ledger with everything in it."""
    await make_ledger(database, clock, writer)


async def test_rebuild_tells_what_it_found(run: Run, database_url: str) -> None:
    """One document; before and after are digests, and what differed says how many keys were repaired."""
    await tamper(database_url, "DELETE FROM alert WHERE limit_id = 'acme-day'")

    done = await asyncio.to_thread(run, "rebuild", "--json")

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

    first = await asyncio.to_thread(run, "rebuild", "rollup_hour_unit")
    second = await asyncio.to_thread(run, "rebuild", "rollup_hour_unit")

    assert first.stdout.startswith("REPAIRED  rollup_hour_unit: ")
    assert "did not follow from the log" in first.stdout
    assert second.stdout.startswith("      ok  rollup_hour_unit: ")
    assert len(second.stdout.splitlines()) == 1


async def test_an_unknown_projection_is_wrong_usage(run: Run) -> None:
    """With the names that there are."""
    done = await asyncio.to_thread(run, "rebuild", "usage_event", code=2)

    assert "projection: must be one of customer_setting" in done.stderr
