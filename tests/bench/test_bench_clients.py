"""What benches send with: requests as they go over the wire, and answers counted as what they are."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest

from ledger.bench.aims import Aim
from ledger.bench.load import UnexpectedAnswer, prepare_question, send_all
from ledger.bench.open_loop import send_at_rate
from ledger.bench.serving import Address

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
FULL = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
NOTHING = b""

Answers = Callable[[int], bytes]  # by the number of the request


@asynccontextmanager
async def answering(answer: Answers, pause_s: float = 0) -> AsyncIterator[list[Address]]:
    """A server that answers as it is told, one request at a time; it closes after `LAST` and `NOTHING`."""
    asked, handlers = 0, set[asyncio.Task[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        handlers.add(cast("asyncio.Task[Any]", asyncio.current_task()))
        said = OK
        while said in (OK, FULL) and await _ends(reader):
            said, asked = answer(asked), asked + 1
            await asyncio.sleep(pause_s)
            writer.write(said)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield [server.sockets[0].getsockname()[:2]]
        await asyncio.gather(*handlers)


async def _ends(reader: asyncio.StreamReader) -> bool:
    """Whether another request came; questions have no body."""
    try:
        return bool(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.IncompleteReadError:
        return False


def test_a_batch_of_one_is_a_single_record() -> None:
    """It goes to the path of single records, as it is; larger ones go as an array or as lines."""
    lines = [b'{"a":1}', b'{"a":2}', b'{"a":3}']
    for batch, form, bodies in (
        (1, "json", lines),
        (2, "json", [b'[{"a":1},{"a":2}]', b'[{"a":3}]']),
        (2, "ndjson", [b'{"a":1}\n{"a":2}\n', b'{"a":3}\n']),
    ):
        requests = Aim(lines, batch, form, connections=1, seconds=1).requests("key")
        assert [request.partition(b"\r\n\r\n")[2] for request, _ in requests] == bodies
        assert sum(records for _, records in requests) == 3
        path = b"POST /v1/requests HTTP" if batch == 1 else b"POST /v1/requests/batch HTTP"
        assert all(request.startswith(path) for request, _ in requests)


async def test_who_waits_fails_with_the_first_refusal() -> None:
    """A rate that counted refusals would say nothing."""
    question = prepare_question("/", "key"), 1
    async with answering(lambda number: OK if number < 3 else FULL) as addresses:
        with pytest.raises(UnexpectedAnswer, match="429"):
            await send_all(addresses, [question] * 5, connections=1, seconds=30)
    async with answering(lambda _: OK) as addresses:
        sent = await send_all(addresses, [question] * 5, connections=2, seconds=30)
    assert (sent.records, len(sent.latencies_s), sent.last_answer) == (5, 5, b"{}")


async def test_arrivals_are_counted_as_what_became_of_them() -> None:
    """Successes, refusals, and those whose connection ended; each of them once, on new connections."""
    answers = (OK, FULL, NOTHING, LAST)
    async with answering(lambda number: answers[number % 4]) as addresses:
        arrivals = await send_at_rate(
            addresses,
            [(prepare_question("/", "key"), 10)] * 40,
            per_s=400,
            seconds=0.1,
            connections=3,
        )
    assert arrivals.due == 40
    assert arrivals.statuses == {200: 20, 429: 10}
    assert (arrivals.records, arrivals.unanswered_records) == (200, 100)
    assert len(arrivals.latencies_s) == 20


async def test_latency_counts_from_when_a_request_was_due() -> None:
    """Who waits for a connection waits: behind a slow server each is later than the one before it."""
    async with answering(lambda _: OK, pause_s=0.02) as addresses:
        arrivals = await send_at_rate(
            addresses,
            [(prepare_question("/", "key"), 1)] * 10,
            per_s=1000,
            seconds=0.01,
            connections=1,
        )
    assert arrivals.latencies_s == sorted(arrivals.latencies_s)
    assert arrivals.latencies_s[-1] > 5 * arrivals.latencies_s[0] > 0
