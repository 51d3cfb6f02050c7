"""`bench spend`: how long answers take with few events and with many, beside the sums alone in SQL."""

import time

import click
import msgspec

from ledger.bench.databases import BenchServer, on_bench_server
from ledger.bench.filling import fill, past_until
from ledger.bench.load import latency_ms, send_all
from ledger.bench.patterns import Past
from ledger.bench.questions import QUESTIONS, Question
from ledger.bench.records import Mix
from ledger.bench.report import in_order, show, tell
from ledger.bench.serving import Serving, serving
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock
from ledger.store.database import owner_connection

EVENTS = (100_000, 1_000_000)
_FLOOR_TIMES = 50


class Options(msgspec.Struct, frozen=True):
    """How many events there are, over how many days, and how often and how long each question is asked."""

    events: tuple[int, ...]
    days: int
    customers: int
    models: int
    requests: int
    seconds: float


class Point(msgspec.Struct, frozen=True):
    """One question to a ledger of one size. `of_smallest` is its p99 in that of the smallest ledger.

    `counted` is how many requests the last answer was about. `sums_p50_ms` is the floor: the database adds up
    the same rows of the rollup into one; `ratio` is the answer's p50 in that.
    """

    question: str
    events: int
    asked: int
    rows: int
    counted: int
    answers_per_s: int
    p50_ms: float
    p99_ms: float
    of_smallest: float
    sums_p50_ms: float
    ratio: float
    server_peak_mib: int
    client_cpu_share: float


@click.command("spend")
@json_option
@click.option("--events", type=int, multiple=True, help=f"Repeatable; {EVENTS}.")
@click.option("--days", default=365, show_default=True, help="Over which they are spread.")
@click.option("--customers", default=50, show_default=True)
@click.option("--models", default=20, show_default=True)
@click.option("--requests", default=500, show_default=True, help="The most for each question.")
@click.option("--seconds", default=5.0, show_default=True, help="The longest for each question.")
def bench(*, as_json: bool, events: tuple[int, ...], **rest: object) -> None:
    """Latencies of GET /v1/spend, one question after the other, in ledgers of several sizes."""
    options = msgspec.convert({**rest, "events": events or EVENTS}, Options)
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("spend", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Ask every question of every size, from the smallest on."""
    points: list[Point] = []
    smallest: dict[str, float] = {}
    for events in in_order(options.events):
        mix = Mix(options.customers, options.models)
        past = past_until(clock, options.days, events, mix)
        url = await server.fresh_database("spend")
        await fill(url, past, clock)
        async with serving(url=url) as served:
            for question in QUESTIONS:
                points.append(await _point(served, url, question, past, options, smallest))
                tell(f"{events:,} events, {question.text}: p99 {points[-1].p99_ms} ms")
        await server.drop_database("spend")
    return points


async def _point(
    served: Serving,
    url: str,
    question: Question,
    past: Past,
    options: Options,
    smallest: dict[str, float],
) -> Point:
    sums_ms = await _sums_ms(url, question, past, options.seconds)
    requests = question.requests(past, served.key)
    await send_all(served.addresses, [next(requests)], connections=1, seconds=options.seconds)
    several = [next(requests) for _ in range(options.requests)]
    sent = await send_all(served.addresses, several, connections=1, seconds=options.seconds)
    answer = msgspec.json.decode(sent.last_answer)
    p50_ms, p99_ms = sent.latency_ms(0.50), sent.latency_ms(0.99)
    return Point(
        question=question.text,
        events=past.events,
        asked=len(sent.latencies_s),
        rows=len(answer["rows"]),
        counted=answer["totals"]["requests"],
        answers_per_s=round(sent.records_per_s),
        p50_ms=p50_ms,
        p99_ms=p99_ms,
        of_smallest=round(p99_ms / smallest.setdefault(question.text, p99_ms), 2),
        sums_p50_ms=sums_ms,
        ratio=round(p50_ms / sums_ms, 2),
        server_peak_mib=served.peak_mib,
        client_cpu_share=sent.client_cpu_share,
    )


async def _sums_ms(url: str, question: Question, past: Past, seconds: float) -> float:
    """The p50 of the sums alone, asked as often as there is time for."""
    taken_s: list[float] = []
    end_at = time.perf_counter() + seconds
    async with owner_connection(url) as connection:
        while len(taken_s) < _FLOOR_TIMES and (not taken_s or time.perf_counter() < end_at):
            taken_s.append(await question.sum_up(connection, past, len(taken_s)))
    return latency_ms(taken_s, 0.50)
