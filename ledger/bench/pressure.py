"""`bench pressure`: the peak of intake, latencies below it, and what becomes of twice as much."""

from datetime import datetime, timedelta

import click
import msgspec

from ledger.bench.aims import Aim, prepared
from ledger.bench.databases import BenchServer, on_bench_server, require_recorded
from ledger.bench.load import Prepared
from ledger.bench.open_loop import send_at_rate
from ledger.bench.records import Mix, cut, record_lines, yesterday
from ledger.bench.report import show, tell
from ledger.bench.serving import Serving, serving
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock

SHARES = (0.8, 2.0)
_OK, _FULL = 200, 429


class Options(msgspec.Struct, frozen=True):
    """How long each load lasts, how records are cut, and over how many connections they arrive."""

    seconds: float
    peak_records: int
    shares: tuple[float, ...]
    batch: int
    customers: int
    models: int
    connections: int
    open_connections: int


class Point(msgspec.Struct, frozen=True):
    """One load: the peak, which is the floor of the others, then shares of it that arrive steadily.

    Latencies are those of successes; of the peak from when each was sent, of the others from when each was
    due. `full` were told 429, `failed` anything else or nothing; `unanswered` are the records of the last.
    Memory is the server's most so far, and what it holds afterwards.
    """

    load: str
    offered_per_s: int
    accepted_per_s: int
    share_of_peak: float
    requests: int
    accepted: int
    full: int
    failed: int
    unanswered: int
    p50_ms: float
    p99_ms: float
    peak_mib_before: int
    peak_mib_after: int
    resident_mib_after: int
    client_cpu_share: float


@click.command("pressure")
@json_option
@click.option("--seconds", default=5.0, show_default=True, help="How long each load lasts.")
@click.option(
    "--peak-records", default=400_000, show_default=True, help="The most to find the peak with."
)
@click.option(
    "--share", "shares", type=float, multiple=True, help=f"Of the peak; repeatable; {SHARES}."
)
@click.option("--batch", default=1000, show_default=True)
@click.option("--customers", default=50, show_default=True)
@click.option("--models", default=20, show_default=True)
@click.option("--connections", default=8, show_default=True, help="To find the peak.")
@click.option("--open-connections", default=400, show_default=True, help="For steady arrivals.")
def bench(*, as_json: bool, shares: tuple[float, ...], **rest: object) -> None:
    """Find the peak rate of intake, then let less and more than that arrive."""
    options = msgspec.convert({**rest, "shares": shares or SHARES}, Options)
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("pressure", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Measure the peak and the shares of it, one after the other, on one ledger and server.

    Raises:
        RuntimeError: not every record that was accepted is recorded, or others are.
    """
    url, start_at = await server.fresh_database("pressure"), yesterday(clock)
    async with serving(url=url) as served:
        points = [await _peak(served, options, start_at)]
        tell(f"the peak is {points[0].accepted_per_s:,} records/s")
        for share in options.shares:
            start_at += timedelta(hours=2)
            points.append(await _share(served, options, share, points[0].accepted_per_s, start_at))
            tell(f"{share} of it: p99 {points[-1].p99_ms} ms, {points[-1].full} refused")
    unanswered = sum(point.unanswered for point in points)
    await require_recorded(url, sum(point.accepted for point in points), unanswered)
    await server.drop_database("pressure")
    return points


async def _peak(served: Serving, options: Options, start_at: datetime) -> Point:
    lines = _lines(options, options.peak_records, start_at)
    before_mib = served.peak_mib
    aim = Aim(lines, options.batch, "json", options.connections, options.seconds)
    sent = await aim.send(served)
    return Point(
        load="peak",
        offered_per_s=round(sent.records_per_s),
        accepted_per_s=round(sent.records_per_s),
        share_of_peak=1.0,
        requests=len(sent.latencies_s),
        accepted=sent.records,
        full=0,
        failed=0,
        unanswered=0,
        p50_ms=sent.latency_ms(0.50),
        p99_ms=sent.latency_ms(0.99),
        peak_mib_before=before_mib,
        peak_mib_after=served.peak_mib,
        resident_mib_after=served.resident_mib,
        client_cpu_share=sent.client_cpu_share,
    )


async def _share(
    served: Serving, options: Options, share: float, peak_per_s: int, start_at: datetime
) -> Point:
    per_s = share * peak_per_s / options.batch
    requests = _requests(served, options, round(per_s * options.seconds), start_at)
    before_mib = served.peak_mib
    arrivals = await send_at_rate(
        served.addresses,
        requests,
        per_s=per_s,
        seconds=options.seconds,
        connections=options.open_connections,
    )
    answered = arrivals.statuses
    return Point(
        load=f"{share:g} of the peak",
        offered_per_s=round(per_s * options.batch),
        accepted_per_s=round(arrivals.records / arrivals.elapsed_s),
        share_of_peak=round(arrivals.records / arrivals.elapsed_s / peak_per_s, 3),
        requests=arrivals.due,
        accepted=arrivals.records,
        full=answered[_FULL],
        failed=arrivals.due - answered[_OK] - answered[_FULL],
        unanswered=arrivals.unanswered_records,
        p50_ms=arrivals.latency_ms(0.50),
        p99_ms=arrivals.latency_ms(0.99),
        peak_mib_before=before_mib,
        peak_mib_after=served.peak_mib,
        resident_mib_after=served.resident_mib,
        client_cpu_share=arrivals.client_cpu_share,
    )


def _requests(served: Serving, options: Options, count: int, start_at: datetime) -> list[Prepared]:
    lines = _lines(options, count * options.batch, start_at)
    return list(prepared(cut(lines, options.batch), "json", served.key))


def _lines(options: Options, count: int, start_at: datetime) -> list[bytes]:
    return list(record_lines(count, start_at, Mix(options.customers, options.models)))
