"""`ledger jobs`."""

import asyncio
from typing import Any

import click

from ledger.bootstrap import Ledger, jobs_of
from ledger.cli.running import (
    DONE,
    WITH_PROBLEMS,
    in_words,
    json_option,
    on_ledger,
    print_json,
    print_table,
    remark,
    say,
)
from ledger.cli.signals import SIGNALS
from ledger.core.errors import NotFound
from ledger.jobs.scheduler import scheduled_jobs
from ledger.logs import begin_log
from ledger.services.jobs.due import Job
from ledger.services.jobs.listing import list_jobs, run_body
from ledger.services.jobs.runner import chosen_slot, run_now
from ledger.store.jobs import Outcome
from ledger.traces.collected import collected_traces

COLUMNS = {
    "name": "job",
    "schedule": "schedule",
    "last": "last run",
    "outcome": "outcome",
    "next_at": "next",
    "attempts": "attempts",
    "lag": "lag",
}


@click.group("jobs")
def command_group() -> None:
    """Show and run what is done without anybody asking.

    Example: ledger jobs list
    """


@command_group.command("list")
@json_option
@on_ledger
async def list_(ledger: Ledger, *, as_json: bool) -> None:
    """List the jobs: when each ran, how that went, what comes next."""
    jobs = await list_jobs(ledger.database, ledger.clock, jobs_of(ledger))
    if as_json:
        print_json({"jobs": jobs})
    else:
        print_table("Jobs", COLUMNS, [_row(job) for job in jobs])


@command_group.command("run")
@click.argument("name", required=False)
@click.option("--slot", help="The period to run for, as in 2026-11-20; the latest one if left out.")
@json_option
@on_ledger
async def run(ledger: Ledger, *, name: str | None, slot: str | None, as_json: bool) -> int:
    """Run a job once, now, whether it is due or not; without a NAME run all jobs when they are due.

    Without a NAME it goes on until SIGTERM or SIGINT. `ledger serve` does the same beside the API; any number
    of processes may, and each job runs in one at a time.

    Example: ledger jobs run export --slot 2026-11-20
    """
    begin_log(ledger.settings.log_level, ledger.settings.log_format)
    if name is None:
        if slot is not None or as_json:
            raise click.UsageError("--slot and --json belong to a NAME")
        await _run_until_told(ledger)
        return DONE
    job = _known(jobs_of(ledger), name)
    chosen = chosen_slot(job, slot, ledger.clock)
    async with collected_traces():
        done = await run_now(ledger.database, ledger.clock, job, chosen)
    if done is None:
        remark(f"ledger: another process is running {name} at the moment")
        return WITH_PROBLEMS
    body = {"name": name, **run_body(done)}
    if as_json:
        print_json(body)
    else:
        detail = f" ({in_words(done.detail)})" if done.detail else ""
        say(f"{name} {done.slot}: {done.outcome}{detail}")
    return DONE if done.outcome is Outcome.DONE else WITH_PROBLEMS


async def _run_until_told(ledger: Ledger) -> None:
    told = asyncio.Event()
    with SIGNALS.call(told.set):
        async with collected_traces(), ledger.database.watched(), scheduled_jobs(ledger):
            remark("ledger: running jobs when they are due")
            await told.wait()


def _known(jobs: tuple[Job, ...], name: str) -> Job:
    for job in jobs:
        if job.name == name:
            return job
    raise NotFound(f"no job {name!r}; there are {', '.join(job.name for job in jobs)}")


def _row(job: dict[str, Any]) -> dict[str, Any]:
    """A job in a line of the table."""
    last = job["last_run"] or {"slot": None, "outcome": None}
    return {
        **job,
        "last": last["slot"],
        "outcome": last["outcome"],
        "next_at": job["off_because"] or job["next_at"],
        "lag": _duration(job["lag_s"]),
    }


def _duration(seconds: int) -> str:
    """Days, hours and minutes, whichever are needed."""
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    parts = [
        f"{value} {unit}" for value, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if value
    ]
    return " ".join(parts) or "-"
