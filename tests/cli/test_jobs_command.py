"""`ledger jobs`: listed, run by hand, run until told to stop."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.cli.conftest import ROOT, Run

PATIENCE_S = 60


def document(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_a_job_is_run_whether_it_is_due_or_not(run: Run) -> None:
    """For the latest period, or for one that is named; the list shows it afterwards."""
    assert run("jobs", "run", "unmetered").stdout.endswith(": done (pending 0, error 0)\n")
    body = document(run("jobs", "run", "unmetered", "--slot", "2025-02-28", "--json"))
    assert (body["name"], body["slot"], body["attempt"]) == ("unmetered", "2025-02-28", 1)
    assert (body["outcome"], body["by_hand"]) == ("done", True)
    again = document(run("jobs", "run", "unmetered", "--slot", "2025-02-28", "--json"))
    assert again["attempt"] == 2

    jobs = {job["name"]: job for job in document(run("jobs", "list", "--json"))["jobs"]}
    assert jobs["unmetered"]["last_run"]["slot"] == "2025-02-28"
    table = run("jobs", "list").stdout
    assert "each day, only the latest" in table
    assert "LEDGER_EXPORT_DIR is not set" in table


def test_the_files_of_a_day_lie_in_a_folder_of_its_name(run: Run, tmp_path: Path) -> None:
    """In the folder that the setting names."""
    drop = tmp_path / "drop"
    words = ("jobs", "run", "export", "--slot", "2025-11-20", "--json")
    body = document(run(*words, LEDGER_EXPORT_DIR=str(drop)))
    assert body["detail"]["rows"] == {"usage.csv": 0, "invoices.csv": 0}
    assert {path.name for path in (drop / "2025-11-20").iterdir()} == {
        "usage.csv", "invoices.csv", "manifest.json",
    }  # fmt: skip


def test_a_failure_is_an_exit_code(run: Run) -> None:
    """1, and the reason in words; it is a run that is listed."""
    done = run("jobs", "run", "export", code=1)
    assert ": failed (error SetupError, code setup, detail set LEDGER_EXPORT_DIR" in done.stdout
    jobs = {job["name"]: job for job in document(run("jobs", "list", "--json"))["jobs"]}
    assert jobs["export"]["last_run"]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nothing"], "no job 'nothing'; there are invoices, export, unmetered"),
        (["export", "--slot", "2026-11"], "slot: must be a day such as 2026-11-01"),
        (["invoices", "--slot", "9998-12"], "slot: must be a month that is over"),
        (["--slot", "2026-11-20"], "--slot and --json belong to a NAME"),
    ],
)
def test_wrong_words_are_refused(run: Run, words: list[str], complaint: str) -> None:
    """With what would be right, and no run is recorded."""
    assert complaint in run("jobs", "run", *words, code=2).stderr
    jobs = document(run("jobs", "list", "--json"))["jobs"]
    assert [job["last_run"] for job in jobs] == [None] * 7


async def test_a_job_at_work_elsewhere_is_left_alone(run: Run, database_url: str) -> None:
    """Said with exit code 1; nothing is recorded."""
    worker = await asyncpg.connect(database_url)
    await worker.execute("SELECT pg_advisory_lock(9, 3)")
    assert "another process is running unmetered" in run("jobs", "run", "unmetered", code=1).stderr
    await worker.close()


async def test_jobs_run_alone_until_they_are_told_to_stop(database_url: str) -> None:
    """Two processes do what is due, each slot once, without a server; either signal ends one in order."""
    ends = (signal.SIGTERM, signal.SIGINT)
    processes = [await started(database_url) for _ in ends]
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await connection.fetchval(DONE) < 6:  # noqa: ASYNC110 - another process sets no event
                await asyncio.sleep(0.1)
        for process, end in zip(processes, ends, strict=True):
            process.send_signal(end)
            _, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
            assert process.returncode == 0, said.decode()
            assert b"Traceback" not in said
        assert await connection.fetchval(SOUND)
    finally:
        await connection.close()
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def started(database_url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ledger", "jobs", "run"),
        env={
            **os.environ,
            "LEDGER_DATABASE_URL": database_url,
            "LEDGER_INVOICE_GRACE_HOURS": "24",
            "PYTHONPATH": str(ROOT),
        },
        stderr=asyncio.subprocess.PIPE,
    )


SOUND = "SELECT bool_and(outcome = 'done' AND attempt = 1 AND NOT by_hand) FROM ledger.job_run"
DONE = "SELECT count(*) FROM ledger.job_run WHERE outcome = 'done'"
