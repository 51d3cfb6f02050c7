"""`GET /v1/jobs`: what ran, what comes next, what is late."""

from datetime import timedelta
from typing import Any

import httpx

from ledger.clock import FixedClock
from ledger.services.jobs.runner import run_due
from ledger.store.database import Database
from tests.api.doors import open_door
from tests.conftest import ADMIN_KEY, NOW
from tests.scenarios.job_desk import Diary, product_job

NAMES = ["invoices", "export", "unmetered", "verify", "months", "unrated", "condense"]


async def listed(api: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    answer = await api.get("/v1/jobs")
    assert answer.status_code == 200, answer.text
    return {job["name"]: job for job in answer.json()["data"]}


async def test_before_the_first_run_the_latest_of_each_is_due(api: httpx.AsyncClient) -> None:
    """A job that is off says why and is never late."""
    jobs = await listed(api)
    assert list(jobs) == NAMES
    assert jobs["verify"] == {
        "name": "verify",
        "schedule": "each day, 3 h after its end, only the latest",
        "off_because": None,
        "last_run": None,
        "slots_due": 1,
        "next_slot": "2026-11-19",
        "next_at": "2026-11-20T03:00:00Z",
        "attempts": 0,
        "lag_s": 9 * 3600,
    }
    for name, setting in (
        ("invoices", "LEDGER_INVOICE_GRACE_HOURS"),
        ("export", "LEDGER_EXPORT_DIR"),
    ):
        job = jobs[name]
        assert (job["off_because"], job["slots_due"]) == (f"{setting} is not set", 0)
        assert (job["next_slot"], job["next_at"], job["lag_s"]) == (None, None, 0)


async def test_a_run_is_shown_and_what_comes_after_it(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """Done, nothing is late; a day on it is."""
    await run_due(database, clock, product_job(database, clock, "unmetered"))
    job = (await listed(api))["unmetered"]
    worker = job["last_run"].pop("worker")
    assert "/" in worker
    assert job == {
        "name": "unmetered",
        "schedule": "each day, only the latest",
        "off_because": None,
        "last_run": {
            "slot": "2026-11-19",
            "attempt": 1,
            "started_at": "2026-11-20T12:00:00Z",
            "ended_at": "2026-11-20T12:00:00Z",
            "outcome": "done",
            "by_hand": False,
            "detail": {"pending": 0, "error": 0},
        },
        "slots_due": 0,
        "next_slot": "2026-11-20",
        "next_at": "2026-11-21T00:00:00Z",
        "attempts": 0,
        "lag_s": 0,
    }
    clock.instant = NOW + timedelta(days=1)
    job = (await listed(api))["unmetered"]
    assert (job["next_slot"], job["slots_due"], job["lag_s"]) == ("2026-11-20", 1, 12 * 3600)


async def test_a_failure_says_when_it_is_tried_again(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """With the attempts so far, the type of the error, and for how long it has been due."""
    job = product_job(database, clock, "months")
    failing = type(job)(job.name, job.number, job.schedule, Diary(failures=9).work)
    for minute in (0, 1):
        clock.instant = NOW + timedelta(minutes=minute)
        await run_due(database, clock, failing)
    shown = (await listed(api))["months"]
    assert shown["last_run"]["detail"] == {"error": "ValueError"}
    assert (shown["last_run"]["outcome"], shown["attempts"]) == ("failed", 2)
    assert (shown["next_slot"], shown["next_at"]) == ("2026-11-19", "2026-11-20T12:03:00Z")
    assert shown["lag_s"] == 12 * 3600 + 60


async def test_a_key_of_one_customer_does_not_see_jobs(
    database: Database, clock: FixedClock
) -> None:
    """They are about all; it is told that it lacks the right, and a key without the scope as well."""
    async with open_door(database, clock) as door:
        bound = await door.make_key("read", "finance", customer_id="acme")
        for key in (bound, await door.make_key("finance")):
            answer = await door.ask(key, "GET", "/v1/jobs")
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "insufficient_scope"
        for key in (await door.make_key("read"), ADMIN_KEY):
            assert (await door.ask(key, "GET", "/v1/jobs")).status_code == 200
