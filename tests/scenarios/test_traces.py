"""Traces: what a real collector gets, what it never gets, and that nobody waits for it."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import get
from litestar.params import FromPath
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from ledger.api.app import create_app
from ledger.api.spans import with_spans
from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.core.errors import SetupError
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services.intake.writer import Writer
from ledger.services.jobs.runner import run_due
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.traces import exporter
from ledger.traces.collected import collected_traces, is_wanted
from ledger.traces.spans import count, here, recorder, span
from tests.collector import Collector, attributes_of, collecting
from tests.conftest import ADMIN_KEY, NOW, serving
from tests.scenarios.job_desk import Diary, made_up_job

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
SENT = ("customer-of-mine", "model-of-mine", "words-in-a-query", "baggage-of-mine", "state-of-mine",
        "words-in-a-path", "words-of-an-error", "words-in-metadata", ADMIN_KEY)  # fmt: skip
RECORD = {
    "request_id": "id-of-mine",
    "customer_id": SENT[0],
    "model": SENT[1],
    "input_tokens": 1,
    "metadata": {"words-in-metadata": "words-in-metadata"},
}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the environment names."""
    with collecting(monkeypatch) as started:
        yield started


@get("/defect/{word:str}", opt={"public": True})
async def fail(word: FromPath[str]) -> None:
    """A defect whose message holds a value."""
    raise ValueError(word)


@asynccontextmanager
async def traced_api(database: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a served application; when it is left, all spans are with the collector."""
    ledger = Ledger(Settings(database_url=database.url, data_dir=Path()), clock, database, ())
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with collected_traces():
        app = create_app(ledger, ADMIN_KEY)
        app.register(fail)
        async with (
            serving(app) as url,
            httpx.AsyncClient(base_url=url, headers=headers) as client,
        ):
            yield client


def stated(request_id: str) -> Statement:
    """A record that can be taken."""
    record = read_statement(json.dumps({**RECORD, "request_id": request_id}).encode(), NOW)
    assert isinstance(record, Statement)
    return record


def hex_of(span: Span) -> tuple[str, str, str]:
    """A span's trace, itself and its parent."""
    return span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()


async def test_a_request_is_a_span_within_its_caller_s(
    database: Database, clock: FixedClock, collector: Collector
) -> None:
    """Named by the route as it is declared; with its status and our id of it, and nothing else."""
    async with traced_api(database, clock) as client:
        stated = {"traceparent": TRACEPARENT, "X-Request-Id": "id-of-a-request"}
        await client.get(f"/v1/customers/{SENT[5]}", headers=stated)

    [request] = collector.spans()
    assert request.name == "GET /v1/customers/{customer_id}"
    assert hex_of(request)[::2] == (TRACE, PARENT)
    assert request.kind == Span.SPAN_KIND_SERVER
    assert attributes_of(request) == {
        "http.request.method": "GET",
        "http.route": "/v1/customers/{customer_id}",
        "http.response.status_code": 404,
        "ledger.request_id": "id-of-a-request",
    }
    assert collector.resource()["service.name"] == "usage-ledger"


async def test_a_batch_is_a_span_linked_to_the_requests_whose_records_it_commits(
    database: Database, clock: FixedClock, collector: Collector
) -> None:
    """It is within none of them, counts what became of records, and has its stages within it."""
    bad = {**RECORD, "input_tokens": 2}
    async with traced_api(database, clock) as client:
        answer = await client.post("/v1/requests/batch", json=[RECORD, RECORD, bad])
    assert answer.json()["read"] == 3

    [request] = collector.named("POST /v1/requests/batch")
    [batch] = collector.named("intake batch")
    assert [(link.trace_id, link.span_id) for link in batch.links] == [
        (request.trace_id, request.span_id)
    ]
    assert batch.trace_id != request.trace_id
    assert attributes_of(batch) == {
        "ledger.records": 3, "ledger.accepted": 1, "ledger.duplicate": 1, "ledger.conflict": 1,
        "ledger.rejected": 0, "ledger.attempts": 1,
    }  # fmt: skip
    parents = {each.name: each.parent_span_id for each in collector.spans()}
    [commit] = collector.named("intake commit")
    assert parents["intake plan"] == parents["intake commit"] == batch.span_id
    assert parents["intake write"] == commit.span_id


async def test_nothing_that_was_sent_is_in_a_span(
    database: Database, clock: FixedClock, collector: Collector
) -> None:
    """Not in paths, queries, headers, bodies, and not in what an error says of them."""
    said = {
        "traceparent": TRACEPARENT,
        "tracestate": "vendor=state-of-mine",
        "baggage": "customer=baggage-of-mine",
    }
    async with traced_api(database, clock) as client:
        for method, path, body in (
            ("POST", "/v1/requests", RECORD),
            ("POST", "/v1/requests/batch", [RECORD, {**RECORD, "model": [SENT[1]]}]),
            ("GET", "/v1/spend?customer=words-in-a-query&from=2026-11-01&to=2026-12-01", None),
            ("GET", "/v1/requests/words-in-a-path/explain?customer_id=words-in-a-query", None),
            ("GET", "/words-in-a-path?words-in-a-query", None),
            ("GET", "/defect/words-of-an-error", None),
            ("OPTIONS", "/v1/limits?words-in-a-query", None),
        ):
            await client.request(method, path, headers=said, json=body)

    assert len(collector.named("GET")) == len(collector.named("OPTIONS")) == 1
    [defect] = collector.named("GET /defect/{word}")
    assert defect.status == Status(code=Status.STATUS_CODE_ERROR)
    everything = b"".join(collector.bodies)
    assert [text for text in (*SENT, "id-of-mine") if text.encode() in everything] == []
    assert not any(span.trace_state or span.events for span in collector.spans())


NO_PARENTS = (
    ["words"], [""], ["é"], [f"00-{'0' * 32}-{PARENT}-01"], [f"00-{TRACE}-{'0' * 16}-01"],
    [f"ff-{TRACE}-{PARENT}-01"], [f"00-{TRACE}-{PARENT}"], [TRACEPARENT, TRACEPARENT],
)  # fmt: skip


async def test_a_traceparent_that_cannot_be_is_not_there(
    database: Database, clock: FixedClock, collector: Collector
) -> None:
    """The request begins a trace of its own, and is answered."""
    async with traced_api(database, clock) as client:
        for parents in NO_PARENTS:
            stated = [(b"traceparent", each.encode()) for each in parents]
            assert (await client.get("/healthz", headers=stated)).status_code == 200
    traces = [hex_of(request) for request in collector.named("GET /healthz")]
    assert [parent for *_, parent in traces] == [""] * len(NO_PARENTS)
    assert TRACE not in {trace for trace, *_ in traces}


async def test_a_batch_has_no_more_links_than_fit(writer: Writer, collector: Collector) -> None:
    """Of a batch of forty requests the first 32; each once, however often it sent."""

    async def send(number: int) -> None:
        with span("request"):
            await asyncio.gather(
                *(writer.submit([stated(f"{name}{number}")]) for name in ("a", "b"))
            )

    async with collected_traces():
        await asyncio.gather(*map(send, range(40)))
    batches = collector.named("intake batch")
    assert max(len(batch.links) for batch in batches) == 32
    for batch in batches:
        linked = [link.span_id for link in batch.links]
        assert len(set(linked)) == len(linked)


async def test_a_run_of_a_job_is_a_span(
    database: Database, clock: FixedClock, collector: Collector
) -> None:
    """With its slot and attempt; one that fails tells the type of the error."""
    job = made_up_job(Diary(failures=1).work)
    async with collected_traces():
        await run_due(database, clock, job)
    [run] = collector.named("job job-901")
    assert attributes_of(run) == {
        "ledger.slot": "2026-11-19",
        "ledger.attempt": 1,
        "error.type": "builtins.ValueError",
    }
    assert run.status == Status(code=Status.STATUS_CODE_ERROR)


async def test_a_collector_that_fails_is_told_once(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """And once more when it takes spans again; what it answers, and where it is, are not told."""
    caplog.set_level(logging.INFO)
    collector.status = 400
    async with collected_traces():
        await until(collector, 3)
        collector.status = 200
        await until(collector, 3)
    said = [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG]
    assert said == ["tracing_started", "spans_not_exported", "spans_exported_again"]


async def until(collector: Collector, more: int) -> None:
    """Make spans until so many exports have been answered."""
    after = len(collector.bodies) + more
    async with asyncio.timeout(30):
        while len(collector.bodies) < after:
            with span("work"):
                await asyncio.sleep(0.01)


async def test_nobody_waits_for_a_collector_that_is_silent(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More spans than it may hold are dropped; at the end it has had its time."""
    monkeypatch.setattr(exporter, "FLUSH_S", 0.1)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64")
    collector.held.clear()
    async with asyncio.timeout(30), collected_traces():
        for _ in range(1000):
            with span("work"):
                pass
    assert collector.bodies == []


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "True"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "false"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_environment_says_whether(environment: dict[str, str], wanted: bool) -> None:  # noqa: FBT001 - a row
    """As OpenTelemetry has it for every program."""
    assert is_wanted(environment) is wanted


async def test_the_environment_may_name_the_service(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several ledgers are told apart."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ledger-two")
    async with collected_traces():
        with span("work"):
            pass
    assert collector.resource()["service.name"] == "ledger-two"


async def test_a_queue_that_cannot_be_is_a_fault_of_the_setting(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said at the start, and no traceback."""
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "0")
    with pytest.raises(SetupError, match="OTEL_"):
        async with collected_traces():
            pass
    assert collector.bodies == []


async def test_headers_that_cannot_be_read_are_not_told(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They are there to carry a key."""
    logging.getLogger("opentelemetry").setLevel(logging.NOTSET)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization: Bearer key-of-the-collector")
    async with collected_traces():
        assert recorder() is not None
    assert "key-of-the-collector" not in caplog.text
    assert collector.bodies == []


async def test_without_a_collector_there_is_nothing() -> None:
    """No recorder, no wrapper around the application, no span."""

    async def application(*_: Any) -> None:
        """Answer nothing."""

    async with collected_traces():
        assert recorder() is None
        assert with_spans(application) is application
        assert here() is None
        with span("work") as kept:
            count("ledger.attempts")
            assert kept is None


LOADED = """
import sys
import ledger.cli.serve, ledger.cli.jobs
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


def test_what_is_not_used_is_not_loaded() -> None:
    """OpenTelemetry costs time and memory, which a command that answers at once has not."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
