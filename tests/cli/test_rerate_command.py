"""`ledger rerate` and `ledger unrated` as programs and people use them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.cli.conftest import ROOT, Run
from tests.scenarios.invoice_tables import MODELS, record, scalar
from tests.scenarios.rerating_tables import publish

OCTOBER = ("--from", "2026-10-01", "--to", "2026-11-01")
USAGE = """
    customer on         model   input   times
    acme     2026-10-05 llama   1000000 3
    beta     2026-10-05 mystery 1000000 2
"""


@pytest.fixture(autouse=True)
async def usage(database: Database, clock: FixedClock, writer: Writer) -> None:
    """Usage of two customers, and a table that came late."""
    await record(writer, USAGE)
    await publish(database, clock, "dearer", llama="1.80", mystery="2")


async def document(run: Run, *words: str, code: int = 0) -> Any:
    """The one JSON document on stdout."""
    done = await asyncio.to_thread(run, *words, "--json", code=code)
    return json.loads(done.stdout)


async def page(run: Run, *words: str) -> list[str]:
    """The lines of a text on stdout, with one space between words."""
    done = await asyncio.to_thread(run, *words)
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


async def test_rerate_shows_and_then_applies(run: Run) -> None:
    """The same figures; only what is named; nothing is left to do afterwards."""
    shown = await document(run, "rerate", *OCTOBER, "--customer", "acme")
    assert not shown["applied"]
    assert [row["difference"]["spend"] for row in shown["rows"]] == ["2.700000000000"]

    llama = ("--model", MODELS["llama"], "--model", "another")
    applied = await document(
        run, "rerate", *OCTOBER, *llama, "--apply", "--reason", "new price list"
    )
    assert {**applied, "applied": False} == shown

    again = await document(run, "rerate", *OCTOBER, "--customer", "acme", "--apply")
    assert (again["totals"]["changed"], again["rows"]) == (0, [])
    rest = await document(run, "rerate", *OCTOBER)
    assert [row["customer_id"] for row in rest["rows"]] == ["beta"]


async def test_rerate_for_reading(run: Run) -> None:
    """A table with a total, and what to do next."""
    shown = await page(run, "rerate", *OCTOBER)
    applied = await page(run, "rerate", *OCTOBER, "--apply")
    again = await page(run, "rerate", *OCTOBER, "--apply")

    assert "acme llama-v3p3-70b-instruct 3 3 0 2.700000 5.400000 2.700000" in shown
    assert "total 5 5 0 2.700000 9.400000 6.700000" in shown
    assert "Nothing is recorded; --apply does it." in shown
    assert "5 requests looked at, 5 rated again." in applied
    assert again == ["5 requests looked at, 0 rated again."]


async def test_rerate_tells_what_it_leaves(
    run: Run, database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Prices that would be lost, prices that do not fit, and what has none."""
    await record(
        writer,
        "customer on model input\nacme 2026-10-06 embed 5\nacme 2026-10-06 mystery 10000000000",
    )
    await publish(database, clock, "odd", mystery="9000000")

    lines = await page(run, "rerate", *OCTOBER)

    assert "3 keep a price that the table in force now does not have for them." in lines
    assert "1 stay as they are: the new price cannot be stored." in lines
    assert "1 have no price still; see `ledger unrated`." in lines


async def test_rerate_needs_a_range(run: Run) -> None:
    """Exit code 2 without one, with an empty one, and for a customer that there is not."""
    for words, complaint in (
        (("--apply",), "Missing option '--from'"),
        (("--from", "2026-10-01"), "Missing option '--to'"),
        (("--from", "2026-10-01", "--to", "2026-10-01"), "later than from"),
        ((*OCTOBER, "--customer", "nobody"), "nobody"),
        ((*OCTOBER, "--reason", ""), "reason"),
    ):
        done = await asyncio.to_thread(run, "rerate", *words, code=2)
        assert complaint in done.stderr


async def test_an_interrupted_run_exits_3_and_goes_on(
    run: Run, database: Database, database_url: str
) -> None:
    """The run waits for somebody who decides; then it is stopped, and repeated."""
    async with database.connection() as decider:
        decision = decider.transaction()
        await decision.start()
        await decider.fetchval("SELECT pg_advisory_xact_lock(1, 0)")  # nobody is in the fence
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ledger", "rerate", *OCTOBER, "--apply"),
            env={**os.environ, "LEDGER_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        await _somebody_waits(database)
        process.send_signal(signal.SIGINT)
        _, complaint = await asyncio.wait_for(process.communicate(), 30)
        await decision.rollback()

    assert process.returncode == 3, complaint
    assert b"safe to run the command again" in complaint
    assert (await document(run, "rerate", *OCTOBER, "--apply"))["totals"]["changed"] == 5
    assert (await document(run, "verify"))["ok"]


async def _somebody_waits(database: Database) -> None:
    """Until a session waits for a lock that another has."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    for _ in range(600):
        if await scalar(database, waiting):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_unrated_lists_by_default_and_rates_when_told(run: Run) -> None:
    """With and without the word; the list is empty once all is rated."""
    listed = (await document(run, "unrated"))["unrated"]
    assert listed == (await document(run, "unrated", "list"))["unrated"]
    assert [(row["customer_id"], row["requests"]) for row in listed] == [("beta", 2)]
    assert (await document(run, "unrated", "--customer", "acme"))["unrated"] == []
    lines = await page(run, "unrated", "--customer", "beta")
    assert any(line.startswith(f"beta fireworks {MODELS['mystery']} - 2 ") for line in lines)

    rated = await document(run, "unrated", "rate", "--reason", "the list is here")
    assert rated["totals"]["changed"] == 2
    assert await page(run, "unrated") == ["Unrated: none"]
    assert (await page(run, "unrated", "rate"))[0].startswith("Nothing to rate: ")


async def test_unrated_rate_for_reading(run: Run, database: Database) -> None:
    """What it did as a table; while another process is at it, exit code 1 says so."""
    async with database.connection() as other:
        assert await other.fetchval("SELECT pg_try_advisory_lock(8, 0)")
        busy = await asyncio.to_thread(run, "unrated", "rate", code=1)
    assert "another process" in busy.stderr

    lines = await page(run, "unrated", "rate")
    assert "beta mystery 2 2 0 0.000000 4.000000 4.000000" in lines
    assert "2 requests looked at, 2 rated again." in lines


async def test_a_cut_list_says_so(run: Run, writer: Writer) -> None:
    """And how a model was called stands beside it."""
    await record(writer, "customer on model input key\nacme 2026-10-05 embed 1 byok")

    done = await asyncio.to_thread(run, "unrated", "--limit", "1")

    assert "own key" in done.stdout
    assert "--limit 1 cut the list" in done.stderr
