"""`bench limits`: what a gateway asks before a call, at a steady rate, alone and beside intake."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

import click
import msgspec

from ledger.bench.aims import prepared
from ledger.bench.databases import BenchServer, on_bench_server, require_recorded
from ledger.bench.filling import fill, past_until
from ledger.bench.load import Prepared, prepare_question, prepare_request, send_all
from ledger.bench.open_loop import Arrivals, send_at_rate
from ledger.bench.records import Mix, customer_id, cut, record_lines, yesterday
from ledger.bench.report import in_order, show, tell
from ledger.bench.serving import NOTHING, Serving, serving
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock

_INTAKE = (0, 10_000)
_DAYS = 30
_CONNECTIONS, _INTAKE_CONNECTIONS = 64, 16
# Holds, which would decide, are not there yet: who asks before a call looks at these.
_CHECKS = {
    "limits": "/v1/limits?customer_id={customer}",
    "alerts": "/v1/alerts?customer_id={customer}",
    "spend": "/v1/spend?from={start}&to={end}&customer_id={customer}",
}


class Options(msgspec.Struct, frozen=True):
    """How often is asked, how many records a second come in beside that, and what is there already."""

    checks: tuple[str, ...]
    per_s: int
    intake: tuple[int, ...]
    seconds: float
    batch: int
    events: int
    customers: int
    models: int


class Point(msgspec.Struct, frozen=True):
    """One question at a steady rate. Latencies count from when each was due.

    The floor is a handler in a server like this one that answers at once, at the same rate and alone.
    `intake_p99_ms` is that of the batches that came in beside. `refused` are other answers, and none.
    """

    check: str
    asked_per_s: int
    answered_per_s: int
    answered: int
    refused: int
    p50_ms: float
    p99_ms: float
    floor_p50_ms: float
    floor_p99_ms: float
    ratio: float
    intake_per_s: int
    intake_p99_ms: float
    server_peak_mib: int
    client_cpu_share: float


@click.command("limits")
@json_option
@click.option(
    "--check", "checks", type=click.Choice(list(_CHECKS)), multiple=True, help="Repeatable; all."
)
@click.option("--rate", "per_s", default=1000, show_default=True, help="Questions a second.")
@click.option("--intake", type=int, multiple=True, help=f"Records/s beside; repeatable; {_INTAKE}.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each is asked.")
@click.option("--batch", default=100, show_default=True, help="Records in a batch beside.")
@click.option("--events", default=100_000, show_default=True, help="Recorded before, over 30 days.")
@click.option("--customers", default=50, show_default=True)
@click.option("--models", default=20, show_default=True)
def bench(
    *, as_json: bool, checks: tuple[str, ...], intake: tuple[int, ...], **rest: object
) -> None:
    """Ask about a customer's limit at a steady rate, alone and beside intake: p50 and p99."""
    options = msgspec.convert(
        {**rest, "checks": checks or tuple(_CHECKS), "intake": intake or _INTAKE}, Options
    )
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("limits", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Ask each question alone and beside intake, on one ledger whose every customer has a limit.

    Raises:
        RuntimeError: not every record that was answered is recorded.
    """
    floor = await _floor(options, clock.now())
    url = await server.fresh_database("limits")
    mix = Mix(options.customers, options.models)
    await fill(url, past_until(clock, _DAYS, options.events, mix), clock)
    points, first_at = [], yesterday(clock)
    recorded, unanswered = options.events, 0
    async with serving(url=url) as served:
        await _set_limits(served, options.customers)
        for check in options.checks:
            for intake_per_s in in_order(options.intake):
                first_at += timedelta(hours=1)
                beside = _Beside(intake_per_s, options, first_at, served)
                points.append(await _point(check, beside, floor, clock.now()))
                recorded += beside.arrivals.records
                unanswered += beside.arrivals.unanswered_records
                tell(f"{check} beside {points[-1].intake_per_s}/s: p99 {points[-1].p99_ms} ms")
    await require_recorded(url, recorded, unanswered)
    await server.drop_database("limits")
    return points


class _Beside:
    """Intake at a steady rate of its own, of records that begin at a time; none of it at the rate 0."""

    def __init__(self, per_s: int, options: Options, start_at: datetime, served: Serving) -> None:
        mix = Mix(options.customers, options.models)
        lines = list(record_lines(round(per_s * options.seconds), start_at, mix))
        self.requests = list(prepared(cut(lines, options.batch), "json", served.key))
        self.arrivals = Arrivals(elapsed_s=options.seconds)
        self.options = options
        self.served = served

    async def send(self) -> None:
        if self.requests:
            self.arrivals = await send_at_rate(
                self.served.addresses,
                self.requests,
                per_s=len(self.requests) / self.options.seconds,
                seconds=self.options.seconds,
                connections=_INTAKE_CONNECTIONS,
            )


async def _point(check: str, beside: _Beside, floor: Arrivals, now: datetime) -> Point:
    options, served = beside.options, beside.served
    arrivals, _ = await asyncio.gather(
        _ask(served, _questions(check, options, served.key, now), options), beside.send()
    )
    p99_ms, floor_p99_ms = arrivals.latency_ms(0.99), floor.latency_ms(0.99)
    return Point(
        check=check,
        asked_per_s=options.per_s,
        answered_per_s=round(arrivals.per_s),
        answered=len(arrivals.latencies_s),
        refused=arrivals.due - len(arrivals.latencies_s),
        p50_ms=arrivals.latency_ms(0.50),
        p99_ms=p99_ms,
        floor_p50_ms=floor.latency_ms(0.50),
        floor_p99_ms=floor_p99_ms,
        ratio=round(p99_ms / floor_p99_ms, 2),
        intake_per_s=round(beside.arrivals.records / beside.arrivals.elapsed_s),
        intake_p99_ms=beside.arrivals.latency_ms(0.99),
        server_peak_mib=served.peak_mib,
        client_cpu_share=arrivals.client_cpu_share,
    )


async def _floor(options: Options, now: datetime) -> Arrivals:
    async with serving(*NOTHING) as served:
        return await _ask(served, _questions("limits", options, served.key, now), options)


async def _ask(served: Serving, questions: Iterator[Prepared], options: Options) -> Arrivals:
    return await send_at_rate(
        served.addresses,
        questions,
        per_s=options.per_s,
        seconds=options.seconds,
        connections=_CONNECTIONS,
    )


def _questions(check: str, options: Options, key: str, now: datetime) -> Iterator[Prepared]:
    """The question about every customer in turn; spend is that of the current month."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = midnight.replace(day=1), midnight + timedelta(days=1)
    for number in count():
        customer = customer_id(number % options.customers)
        path = _CHECKS[check].format(customer=customer, start=start.date(), end=end.date())
        yield prepare_question(path, key), 1


async def _set_limits(served: Serving, customers: int) -> None:
    """Give every customer a limit of the month that is never reached."""
    requests = []
    for number in range(customers):
        limit = {"customer_id": customer_id(number), "amount": "1000000", "window": "month"}
        body = json.dumps(limit | {"action": "block"}).encode()
        requests.append((prepare_request("/v1/limits", "application/json", served.key, body), 1))
    await send_all(served.addresses, requests, connections=1, seconds=60)
