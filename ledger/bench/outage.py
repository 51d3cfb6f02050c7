"""`bench outage`: PostgreSQL stopped or hung under load; what was answered is there, the rest is resent."""

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import click
import httpx
import msgspec

from ledger.bench.databases import bench_server, count_events
from ledger.bench.processes import run_command, server_process
from ledger.bench.records import Mix, record_lines
from ledger.bench.running import run_bench
from ledger.bench.stopping import hung, stopped
from ledger.cli.running import json_option, print_json, print_table
from ledger.clock import SystemClock
from ledger.store.embedded import EmbeddedServer

_AWAY = {"stopped": stopped, "hung": hung}
_BATCH = 100
_SENDERS = 6
_TIMEOUT_S = 120
_PAUSE_S, _PAUSE_AFTER_REFUSAL_S = 0.02, 0.2
_NDJSON = {"Content-Type": "application/x-ndjson"}
_OK = range(200, 300)


class Outage(msgspec.Struct):
    """One outage: times in seconds since it began; counters over the records that were sent."""

    how: str
    away_s: float
    answered: int = 0
    refused: int = 0
    other_answers: int = 0
    slowest_answer_s: float = 0.0
    unready_after_s: float = 0.0
    ready_after_return_s: float = 0.0
    health_failures: int = 0
    resent_duplicates: int = 0
    resent_accepted: int = 0
    events: int = 0
    is_verified: bool = False


class Load:
    """Senders that send batches of new records without end, each batch once, and keep what was answered."""

    def __init__(self, http: httpx.AsyncClient, lines: Iterator[bytes], outage: Outage) -> None:
        self.answered: list[Sequence[bytes]] = []
        self.refused: list[Sequence[bytes]] = []
        self._http = http
        self._lines = lines
        self._outage = outage
        self._is_over = False

    def stop(self) -> None:
        """Send what has begun, and no more."""
        self._is_over = True

    async def send(self) -> None:
        """Send until stopped."""
        while not self._is_over:
            batch = list(itertools.islice(self._lines, _BATCH))
            sent_at = time.perf_counter()
            answer = await post(self._http, batch)
            taken_s = time.perf_counter() - sent_at
            self._outage.slowest_answer_s = max(self._outage.slowest_answer_s, round(taken_s, 2))
            if answer.status_code in _OK:
                self.answered.append(batch)
                await asyncio.sleep(_PAUSE_S)
            else:
                self.refused.append(batch)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    self._outage.other_answers += 1
                await asyncio.sleep(_PAUSE_AFTER_REFUSAL_S)


@click.command("outage")
@json_option
@click.option("--seconds", default=5.0, show_default=True, help="Load before and after.")
@click.option("--away-s", default=30.0, show_default=True, help="How long PostgreSQL is away.")
def bench(*, as_json: bool, seconds: float, away_s: float) -> None:
    """Stop PostgreSQL under load, and hang it; each time everything must be accounted for."""
    outages = run_bench(measure(seconds, away_s, SystemClock().now()))
    if as_json:
        print_json({"bench": "outage", "outages": outages})
    else:
        headings = {name: name.replace("_", " ") for name in Outage.__struct_fields__}
        print_table("outage", headings, [msgspec.to_builtins(each) for each in outages])


async def measure(seconds: float, away_s: float, now: datetime) -> list[Outage]:
    """One outage of each kind, on one server that is never started anew."""
    start_at = (now - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = record_lines(1 << 40, start_at, Mix())
    key = secrets.token_hex(32)
    outages = []
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        url = await server.fresh_database("outage")
        environment = {"LEDGER_DATABASE_URL": url, "LEDGER_ADMIN_KEY": key}
        process = await stack.enter_async_context(
            server_process("ledger", "serve", "--port", "0", environment=environment)
        )
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=process.url,
                headers={"Authorization": f"Bearer {key}"},
                timeout=_TIMEOUT_S,
            )
        )
        before = 0
        for how in _AWAY:
            outage = Outage(how, away_s)
            await _live_through(outage, http, lines, seconds, server.embedded)
            outage.events = await count_events(url) - before
            before += outage.events
            outage.is_verified = (await run_command(url, "verify")).document["ok"]
            outages.append(outage)
    return outages


async def _live_through(
    outage: Outage,
    http: httpx.AsyncClient,
    lines: Iterator[bytes],
    seconds: float,
    embedded: EmbeddedServer,
) -> None:
    load = Load(http, lines, outage)
    async with _sending(load):
        await asyncio.sleep(seconds)
        with _AWAY[outage.how](embedded):
            gone_at = time.perf_counter()
            await _until_ready(http, is_ready=False)
            outage.unready_after_s = round(time.perf_counter() - gone_at, 2)
            while time.perf_counter() - gone_at < outage.away_s:
                outage.health_failures += (await http.get("/healthz")).status_code not in _OK
                await asyncio.sleep(0.1)
        back_at = time.perf_counter()
        await _until_ready(http, is_ready=True)
        outage.ready_after_return_s = round(time.perf_counter() - back_at, 2)
        await asyncio.sleep(seconds)
    outage.answered, outage.refused = _BATCH * len(load.answered), _BATCH * len(load.refused)
    for batch in load.answered:
        outage.resent_duplicates += (
            (await post(http, batch)).raise_for_status().json()["duplicates"]
        )
    for batch in load.refused:
        counters = (await post(http, batch)).raise_for_status().json()
        outage.resent_accepted += counters["accepted"]
        if counters["accepted"] + counters["duplicates"] != len(batch):
            raise RuntimeError(f"what was refused could not be sent again: {counters}")


async def post(http: httpx.AsyncClient, batch: Sequence[bytes]) -> httpx.Response:
    """Send a batch as lines."""
    content = b"\n".join(batch)
    return await http.post("/v1/requests/batch", content=content, headers=_NDJSON)


async def _until_ready(http: httpx.AsyncClient, *, is_ready: bool) -> None:
    while ((await http.get("/readyz")).status_code in _OK) is not is_ready:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _sending(load: Load) -> AsyncIterator[None]:
    """Load beside the block; it ends between two batches of every sender."""
    senders = [asyncio.create_task(load.send()) for _ in range(_SENDERS)]
    try:
        yield
    finally:
        load.stop()
        await asyncio.gather(*senders)
