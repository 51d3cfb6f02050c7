"""`bench moving`: how fast a ledger is dumped and loaded, and how large the dump is."""

import tempfile
import time
from pathlib import Path

import click
import msgspec

from ledger.bench.databases import BenchServer, on_bench_server
from ledger.bench.filling import fill, past_until
from ledger.bench.processes import run_command
from ledger.bench.records import Mix
from ledger.bench.report import show
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock
from ledger.store.database import owner_connection

_DAYS = 30
_EVENTS = "SELECT * FROM usage_event ORDER BY request_id, customer, revision"


class Step(msgspec.Struct, frozen=True):
    """A dump or a load beside COPY of the events alone, by the second; memory is the command's own."""

    work: str
    events: int
    seconds: float
    events_per_s: int
    copy_per_s: int
    ratio: float
    folder_mib: int
    peak_mib: int


@click.command("moving", help="Dump a ledger and load it, beside COPY of its events alone.")
@json_option
@click.option("--events", default=1_000_000, show_default=True)
@click.option("--customers", default=50, show_default=True)
@click.option("--models", default=20, show_default=True)
def bench(*, as_json: bool, events: int, customers: int, models: int) -> None:
    """Measure, and print as it is asked for."""
    mix = Mix(customers, models)
    steps = on_bench_server(lambda server: _measure(server, events, mix, SystemClock()))
    show("moving", Step, steps, as_json=as_json)


async def _measure(server: BenchServer, events: int, mix: Mix, clock: Clock) -> list[Step]:
    """Dump a ledger with events of 30 days; load it with and without its digests computed."""
    url = await server.fresh_database("moved")
    await fill(url, past_until(clock, _DAYS, events, mix), clock)
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as parent:
        folder = Path(parent) / "dump"
        text = Path(parent) / "events"
        copied_s = await _copied_out_s(url, text)
        steps = [await _step(url, events, copied_s, folder, "dump")]
        copied_s = await _copied_in_s(await server.fresh_database("floor"), text)
        for name, *words in (("proved", "load"), ("bare", "load", "--no-verify")):
            empty = await _empty_database(server, name)
            steps.append(await _step(empty, events, copied_s, folder, *words))
    return steps


async def _step(url: str, events: int, floor_s: float, folder: Path, *words: str) -> Step:
    ended = await run_command(url, *words, str(folder))
    return Step(
        work=" ".join(words),
        events=events,
        seconds=round(ended.elapsed_s, 2),
        events_per_s=round(events / ended.elapsed_s),
        copy_per_s=round(events / floor_s),
        ratio=round(floor_s / ended.elapsed_s, 2),
        folder_mib=_folder_mib(folder),
        peak_mib=ended.peak_mib,
    )


def _folder_mib(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir()) >> 20


async def _copied_out_s(url: str, file: Path) -> float:
    """How long COPY of the events into a file takes."""
    async with owner_connection(url) as connection:
        started_at = time.perf_counter()
        await connection.copy_from_query(_EVENTS, output=file)
        return time.perf_counter() - started_at


async def _copied_in_s(url: str, file: Path) -> float:
    """How long COPY of the same file into an empty ledger takes."""
    async with owner_connection(url) as connection:
        started_at = time.perf_counter()
        await connection.copy_to_table("usage_event", schema_name="ledger", source=file)
        return time.perf_counter() - started_at


async def _empty_database(server: BenchServer, name: str) -> str:
    """The address of a database without a schema."""
    async with owner_connection(server.embedded.url("postgres")) as connection:
        await connection.execute(f'CREATE DATABASE "{name}"')
    return server.embedded.url(name)
