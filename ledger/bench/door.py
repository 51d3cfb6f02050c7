"""`bench door`: all that strangers and careless clients do at once, and what it costs a real server."""

import asyncio
import gzip
import itertools
import secrets
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import click
import httpx
import msgspec
import zstandard

from ledger.bench.databases import bench_server, count_events
from ledger.bench.drippers import Drippers
from ledger.bench.processes import ServerProcess, peak_resident_bytes, server_process
from ledger.bench.records import Mix, record_lines
from ledger.bench.running import run_bench
from ledger.bench.silent import SilentReaders, fill_with_words
from ledger.cli.running import json_option, print_json, print_table, stderr
from ledger.cli.serve import connections_within_limits
from ledger.clock import SystemClock

_MEBIBYTE = 1024 * 1024
_BATCH = 100
_TIMEOUT_S = 300
_NOTE_BYTES = 10_000
DISTINCT = 1_000
_PATH = "/v1/requests/batch"
_NDJSON = {"Content-Type": "application/x-ndjson"}


class Options(msgspec.Struct, frozen=True):
    """How many connections drip, how many never read; how long good records are sent and streams are."""

    connections: int
    silent: int
    seconds: float
    stream_mib: int


class Result(msgspec.Struct):
    """What became of it. `answers` are the statuses of the attacks, by name."""

    peak_mib: int = 0
    dripping_at_once: int = 0
    ended_by_the_server: int = 0
    silent_at_once: int = 0
    silent_ended_by_the_server: int = 0
    good_records: int = 0
    recorded: int = 0
    slowest_good_ms: int = 0
    slowest_health_ms: int = 0
    answers: dict[str, list[int]] = {}


@click.command("door")
@json_option
@click.option("--connections", default=10_000, show_default=True, help="That drip a byte a second.")
@click.option("--silent", default=60, show_default=True, help="That never read an answer.")
@click.option("--seconds", default=40.0, show_default=True, help="How long good records are sent.")
@click.option("--stream-mib", default=1000, show_default=True, help="Length of the streams.")
def bench(*, as_json: bool, connections: int, silent: int, seconds: float, stream_mib: int) -> None:
    """Bombs, long streams, clients that drip or never read, good records beside: its peak memory."""
    connections_within_limits(None)
    options = Options(connections, silent, seconds, stream_mib)
    result = run_bench(measure(options, SystemClock().now()))
    if as_json:
        print_json({"bench": "door", "result": result})
        return
    row = msgspec.to_builtins(result)
    row["answers"] = ", ".join(f"{name} {each}" for name, each in result.answers.items())
    rows = [{"what": name.replace("_", " "), "figure": figure} for name, figure in row.items()]
    print_table("door", {"what": "what", "figure": "figure"}, rows)


async def measure(options: Options, now: datetime) -> Result:
    """Run a server, attack it, and say what came of that."""
    start_at = (now - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    key = secrets.token_hex(32)
    async with bench_server() as server:
        url = await server.fresh_database("door")
        environment = {"LEDGER_DATABASE_URL": url, "LEDGER_ADMIN_KEY": key}
        async with server_process(
            "ledger", "serve", "--port", "0", environment=environment
        ) as process:
            result = await _attack(process, key, options, start_at)
            result.peak_mib = peak_resident_bytes(process.process.pid) // _MEBIBYTE
        result.recorded = await count_events(url)
    return result


async def _attack(process: ServerProcess, key: str, options: Options, start_at: datetime) -> Result:
    result = Result(answers={})
    drippers = Drippers(process.host, process.port, key, options.connections)
    silent = SilentReaders(process.host, process.port, key, options.silent)
    lines = record_lines(1 << 40, start_at, Mix())
    headers = {"Authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=20)
    async with (
        httpx.AsyncClient(
            base_url=process.url, headers=headers, timeout=_TIMEOUT_S, limits=limits
        ) as http,
        _beside(drippers.drip),
    ):
        while drippers.most_open < options.connections:  # noqa: ASYNC110 - no event is set
            await asyncio.sleep(0.1)
        await fill_with_words(http, start_at.isoformat())
        async with (
            _beside(silent.ask),
            _beside(lambda: _look_at_health(http, result)),
            _beside(lambda: _throw_everything(http, result, options)) as attacks,
        ):
            await _send_good(http, result, lines, options.seconds)
            await attacks
    result.dripping_at_once, result.ended_by_the_server = drippers.most_open, drippers.ended
    result.silent_at_once, result.silent_ended_by_the_server = silent.most_open, silent.ended
    return result


async def _send_good(
    http: httpx.AsyncClient, result: Result, lines: Iterator[bytes], seconds: float
) -> None:
    """Good records, in batches and singly, each of which must be accepted."""
    end_at = time.perf_counter() + seconds
    while time.perf_counter() < end_at:
        batch = list(itertools.islice(lines, _BATCH))
        sent_at = time.perf_counter()
        answer = await http.post(_PATH, content=b"\n".join(batch), headers=_NDJSON)
        single = await http.post("/v1/requests", content=next(lines))
        taken_ms = round((time.perf_counter() - sent_at) * 1000)
        result.slowest_good_ms = max(result.slowest_good_ms, taken_ms)
        accepted = answer.raise_for_status().json()["accepted"]
        if accepted != _BATCH or single.status_code != httpx.codes.CREATED:
            raise RuntimeError(f"good records were refused: {answer.text} {single.text}")
        result.good_records += _BATCH + 1
        await asyncio.sleep(0.05)


async def _look_at_health(http: httpx.AsyncClient, result: Result) -> None:
    while True:
        asked_at = time.perf_counter()
        (await http.get("/healthz")).raise_for_status()
        taken_ms = round((time.perf_counter() - asked_at) * 1000)
        result.slowest_health_ms = max(result.slowest_health_ms, taken_ms)
        await asyncio.sleep(0.2)


async def _throw_everything(http: httpx.AsyncClient, result: Result, options: Options) -> None:
    """Each attack four times at once, one kind after the other."""
    size = options.stream_mib * _MEBIBYTE
    zeros = await asyncio.to_thread(_zstd_bomb, b"\0", 2 * size)  # 64 KiB can stand for 2 GiB
    blanks = await asyncio.to_thread(_zstd_bomb, b"\n", size)
    array = await asyncio.to_thread(_zstd_bomb, b"0,", size)
    squeezed = await asyncio.to_thread(_gzip_bomb, b"\0", size)
    for name, bomb in (("zeros, zstd", zeros), ("blank lines, zstd", blanks), ("gzip", squeezed)):
        stderr().print(f"bench: a bomb of {name} has {len(bomb) / 1024:.0f} KiB on the wire")
    attacks: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
        "bomb of zeros, zstd": lambda: _post(http, zeros, "ndjson", "zstd"),
        "bomb of blank lines, zstd": lambda: _post(http, blanks, "ndjson", "zstd"),
        "bomb of zeros, gzip": lambda: _post(http, squeezed, "ndjson", "gzip"),
        "bomb as an array": lambda: _post(http, array, "json", "zstd"),
        "array of zeros": lambda: _post(http, b"[" + b"0," * 8_000_000 + b"0]", "json"),
        "stream on the wire": lambda: _post(http, _endless(size), "ndjson"),
        "stream, compressed": lambda: _post(http, _squeezed_lines(size), "ndjson", "gzip"),
    }
    for name, attack in attacks.items():
        times = 1 if name.startswith("stream") else 4
        begun_at = time.perf_counter()
        result.answers[name] = await asyncio.gather(*(_status(attack()) for _ in range(times)))
        stderr().print(f"bench: {name}: {time.perf_counter() - begun_at:.1f} s")


async def _status(answering: Awaitable[httpx.Response]) -> int:
    """The status of an answer; 0 where the server cut a client that went on sending after it."""
    try:
        return (await answering).status_code
    except httpx.TransportError:
        return 0


async def _post(
    http: httpx.AsyncClient,
    content: bytes | AsyncIterator[bytes],
    form: str,
    encoding: str = "identity",
) -> httpx.Response:
    media_type = "application/json" if form == "json" else _NDJSON["Content-Type"]
    headers = {"Content-Type": media_type, "Content-Encoding": encoding}
    return await http.post(_PATH, content=content, headers=headers)


def _zstd_bomb(filler: bytes, size: int) -> bytes:
    packer = zstandard.ZstdCompressor(level=19).compressobj()
    block = filler * (_MEBIBYTE // len(filler))
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


def _gzip_bomb(filler: bytes, size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = filler * _MEBIBYTE
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


async def _endless(size: int) -> AsyncIterator[bytes]:
    """Lines that are no records, on the wire as they are."""
    block = (b"x" * 999 + b"\n") * 66
    for _ in range(size // len(block)):
        yield block


async def _squeezed_lines(size: int) -> AsyncIterator[bytes]:
    """Good records of ten thousand bytes, the same thousand again and again."""
    note = (
        b'{"note":"'
        + b"n" * _NOTE_BYTES
        + b'","customer_id":"stream","input_tokens":1,"request_id":"s'
    )
    block = b"".join(note + str(number).encode() + b'"}\n' for number in range(DISTINCT))
    member = await asyncio.to_thread(gzip.compress, block)
    for _ in range(size // len(block)):
        yield member


@asynccontextmanager
async def _beside(
    run: Callable[[], Coroutine[None, None, None]],
) -> AsyncIterator[asyncio.Task[None]]:
    """Run something beside the block, and end it with the block; if it failed, so does the block."""
    task = asyncio.create_task(run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
