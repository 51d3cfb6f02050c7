"""Many records in one request, in every form that is spoken."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from ledger.api.app import create_app
from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.settings import Settings
from ledger.store.database import Database
from tests.conftest import ADMIN_KEY, serving

NDJSON = "application/x-ndjson"
MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}
zstd = zstandard.ZstdCompressor().compress
VERDICTS = ("accepted", "duplicates", "conflicts", "rejected")


def record(request_id: str, **fields: Any) -> dict[str, Any]:
    """A request of acme on 2026-11-19: 10 input and 1 output token, unless it says otherwise."""
    return {
        "request_id": request_id,
        "customer_id": "acme",
        "model": MODEL,
        "input_tokens": 10,
        "output_tokens": 1,
        "timestamp": "2026-11-19T08:00:00Z",
    } | fields


def lines(*records: dict[str, Any]) -> bytes:
    """Records as NDJSON."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


async def send(
    api: httpx.AsyncClient, body: bytes, media_type: str = "application/json", encoding: str = ""
) -> httpx.Response:
    """A body as a batch."""
    headers = {"Content-Type": media_type} | ({"Content-Encoding": encoding} if encoding else {})
    return await api.post("/v1/requests/batch", content=body, headers=headers)


async def batch(api: httpx.AsyncClient, *records: dict[str, Any]) -> dict[str, Any]:
    """The counters of an array, which add up."""
    return counters(await api.post("/v1/requests/batch", json=list(records)))


def counters(answer: httpx.Response) -> dict[str, Any]:
    """The counters of a batch, which add up."""
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["read"] == sum(body[name] for name in VERDICTS)
    return body


def verdicts(body: dict[str, Any]) -> tuple[int, ...]:
    """Accepted, duplicates, conflicts, rejected."""
    return tuple(body[name] for name in VERDICTS)


async def november(api: httpx.AsyncClient) -> dict[str, Any]:
    """The totals of the month."""
    totals: dict[str, Any] = (await api.get("/v1/spend", params=NOVEMBER)).json()["totals"]
    return totals


async def test_every_form_lands_the_same(api: httpx.AsyncClient) -> None:
    """Array, object, lines; plain, gzip, zstd; of one member or of several."""
    plain = [record(f"a{n}") for n in range(3)]
    array = json.dumps(plain).encode()
    text = lines(*plain)
    half = len(text) // 2  # in the middle of a line
    forms = [
        (array, "application/json", ""),
        (b'{"requests": ' + array + b"}", "application/json; charset=utf-8", ""),
        (text, NDJSON, ""),
        (gzip.compress(array), "application/json", "gzip"),
        (gzip.compress(text), NDJSON, "GZIP"),
        (zstd(array), "application/json", "zstd"),
        (gzip.compress(text[:half]) + gzip.compress(text[half:]), NDJSON, "gzip"),
        (zstd(text[:half]) + zstd(text[half:]), NDJSON, "zstd"),
        (gzip.compress(array[:9]) + gzip.compress(array[9:]), "application/json", "gzip"),
        (zstd(array[:9]) + zstd(array[9:]), "application/json", "zstd"),
        (text, NDJSON, "identity"),
    ]
    for place, form in enumerate(forms):
        body = counters(await send(api, *form))
        assert verdicts(body) == ((3, 0, 0, 0) if place == 0 else (0, 3, 0, 0))
        assert body["problems"] == []
    assert (await november(api))["requests"] == 3


async def test_a_batch_may_be_empty(api: httpx.AsyncClient) -> None:
    """Nothing read, nothing wrong."""
    for body, media_type in ((b"[]", "application/json"), (b"", NDJSON), (b"\n\n", NDJSON)):
        assert counters(await send(api, body, media_type)) == {
            "read": 0, "accepted": 0, "duplicates": 0, "conflicts": 0, "rejected": 0,
            "unrated": 0, "problems": [],
        }  # fmt: skip


async def test_within_a_batch_the_first_stands(api: httpx.AsyncClient) -> None:
    """Repeats are judged in array order, against the first and not against one another."""
    body = await batch(
        api,
        record("a"),
        record("a"),
        record("a", output_tokens=2),
        record("a", output_tokens=2),
        record("b", output_tokens=3),
        record("a", metadata={"only": "here"}),
    )
    assert verdicts(body) == (2, 2, 2, 0)
    assert [
        (each["index"], each["request_id"], each["outcome"], each["code"], each["field"])
        for each in body["problems"]
    ] == [
        (2, "a", "conflict", "conflicting_value", "output_tokens"),
        (3, "a", "conflict", "conflicting_value", "output_tokens"),
    ]
    assert (await november(api))["output_tokens"] == 4


async def test_what_is_recorded_stands_against_a_batch(
    api: httpx.AsyncClient, database: Database
) -> None:
    """Same again, another figure, something new: each by itself; the conflict lies in quarantine."""
    await batch(api, record("a"), record("b"))
    body = await batch(api, record("b"), record("a", input_tokens=11), record("c"))
    assert verdicts(body) == (1, 1, 1, 0)
    assert [(each["index"], each["field"]) for each in body["problems"]] == [(1, "input_tokens")]
    async with database.connection() as connection:
        [kept] = await connection.fetch("SELECT * FROM quarantine")
    assert (kept["outcome"], kept["field"], kept["request_id"]) == ("conflict", "input_tokens", "a")
    assert json.loads(kept["record"]) == record("a", input_tokens=11)


async def test_a_pending_request_completes_in_the_same_batch(api: httpx.AsyncClient) -> None:
    """Two rows, one request; what comes after the completion adds nothing."""
    pending = record("a", status="pending", input_tokens=None, output_tokens=None)
    body = await batch(api, pending, pending, record("a"), pending, record("a"))
    assert verdicts(body) == (2, 3, 0, 0)
    assert (await november(api))["requests"] == 1
    shown = (await api.get("/v1/requests/a")).json()
    assert shown["status"] == "completed"
    assert [row["kind"] for row in shown["revisions"]] == ["pending", "usage"]


@pytest.mark.parametrize("status", ["pending", "error"])
async def test_an_unmetered_request_completes_later(api: httpx.AsyncClient, status: str) -> None:
    """201 for the sighting, 200 for its completion and for whatever comes after it."""
    sighted = record("a", status=status)
    first = await api.post("/v1/requests", json=sighted)
    assert first.status_code == 201
    assert (first.json()["status"], first.json()["cost"]) == (status, None)
    assert (await api.post("/v1/requests", json=sighted)).status_code == 200
    assert (await november(api))["requests"] == 0

    completed = await api.post("/v1/requests", json=record("a"))
    assert completed.status_code == 200
    assert (completed.json()["status"], completed.json()["input_tokens"]) == ("completed", 10)
    late = await api.post("/v1/requests", json=record("a", status=status, input_tokens=99))
    assert late.status_code == 200
    assert late.json()["status"] == "completed"
    assert (await api.post("/v1/requests", json=record("a", input_tokens=99))).status_code == 409
    totals = await november(api)
    assert (totals["requests"], totals["input_tokens"]) == (1, 10)


async def test_an_error_counts_nothing_in_a_batch_either(api: httpx.AsyncClient) -> None:
    """It is accepted, not unrated, and shown as what it is."""
    body = await batch(api, record("a", status="error"), record("b", status="pending", model=None))
    assert verdicts(body) == (2, 0, 0, 0)
    assert (body["unrated"], body["problems"]) == (0, [])
    assert (await november(api))["requests"] == 0
    assert (await api.get("/v1/requests/a")).json()["status"] == "error"


async def test_unrated_requests_are_accepted_and_told(api: httpx.AsyncClient) -> None:
    """Counted as requests, at no price, never priced at zero in silence."""
    body = await batch(
        api,
        record("a"),
        record("b", model="nobody's"),
        record("c", model=None),
        record("d", images=1),
    )
    assert (verdicts(body), body["unrated"]) == ((4, 0, 0, 0), 3)
    assert [(each["index"], each["outcome"], each["code"]) for each in body["problems"]] == [
        (1, "unrated", "unrated"), (2, "unrated", "unrated"), (3, "unrated", "unrated"),
    ]  # fmt: skip
    answer = (await api.get("/v1/spend", params=NOVEMBER)).json()
    assert (answer["totals"]["requests"], answer["unrated_requests"]) == (4, 3)
    assert answer["totals"]["cost"] == "0.000009900000"
    shown = (await api.get("/v1/requests/b")).json()
    assert (shown["cost"], shown["spend"], shown["rate_version"]) == (None, None, None)


async def test_the_first_1000_problems_are_told(api: httpx.AsyncClient) -> None:
    """All of them are counted."""
    records = [record(f"r{n}", model="nobody's") for n in range(600)]
    records += [record(f"r{n}", input_tokens=-1) for n in range(601)]
    for answer in (
        await api.post("/v1/requests/batch", json=records),
        await send(api, lines(*records), NDJSON),
    ):
        body = counters(answer)
        assert (body["read"], body["rejected"]) == (1201, 601)
    body = await batch(api, *[record(f"s{n}", input_tokens=-1) for n in range(1001)])
    assert (body["rejected"], len(body["problems"])) == (1001, 1000)
    assert body["problems"][-1]["index"] == 999


async def test_an_id_may_be_any_text_and_belongs_to_its_customer(api: httpx.AsyncClient) -> None:
    """Two customers may use one id; who asks for it without a customer is told so."""
    body = await batch(
        api,
        record("order 66/ü"),
        record("order 66/ü", customer_id="beta", input_tokens=20),
        record("ORDER 66/ü", input_tokens=30),
    )
    assert verdicts(body) == (3, 0, 0, 0)
    path = "/v1/requests/order%2066/%C3%BC"
    answer = await api.get(path)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "ambiguous_request_id"
    for customer_id, tokens in (("acme", 10), ("beta", 20)):
        shown = (await api.get(path, params={"customer_id": customer_id})).json()
        assert (shown["customer_id"], shown["input_tokens"]) == (customer_id, tokens)
    assert (await api.get(path, params={"customer_id": "nobody"})).status_code == 404


@pytest.fixture
async def closed_api(database: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that does not create customers on use."""
    settings = Settings(database_url=database.url, data_dir=Path(), auto_create_customers=False)
    app = create_app(Ledger(settings, clock, database, ()), ADMIN_KEY)
    async with serving(app) as url:
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            yield client


async def test_unknown_customers_are_refused_where_they_are_not_created(
    closed_api: httpx.AsyncClient,
) -> None:
    """A customer that was set up is known, any other is a reject by name."""
    await closed_api.post("/v1/meters", json={"meter_slug": "free"})
    made = await closed_api.put("/v1/customers/acme", json={"meter_slug": "free"})
    assert made.status_code == 200, made.text
    body = await batch(closed_api, record("a"), record("b", customer_id="nobody"))
    assert verdicts(body) == (1, 0, 0, 1)
    [problem] = body["problems"]
    assert (problem["field"], problem["code"]) == ("customer_id", "unknown_customer")
    answer = await closed_api.post("/v1/requests", json=record("b", customer_id="nobody"))
    assert answer.status_code == 400
    assert (await closed_api.get("/v1/customers/nobody")).status_code == 404


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd)])
async def test_a_stream_that_breaks_off_lands_its_complete_lines(
    api: httpx.AsyncClient, encoding: str, compress: Any
) -> None:
    """400 with the counters of what landed; sent again whole, the rest lands and nothing twice."""
    first = lines(record("a"), record("b", input_tokens=-1), record("c", model="nobody's"))
    second = lines(record("d"), record("e"))
    whole = compress(first) + compress(second)
    answer = await send(api, whole[: len(compress(first)) + 12], NDJSON, encoding)
    assert answer.status_code == 400
    body = answer.json()
    assert body["error"]["code"] == "body_truncated"
    progress = body["progress"]
    assert (progress["read"], *verdicts(progress), progress["unrated"]) == (3, 2, 0, 0, 1, 1)
    assert [each["index"] for each in progress["problems"]] == [1, 2]
    assert (await november(api))["requests"] == 2
    assert verdicts(counters(await send(api, whole, NDJSON, encoding))) == (2, 2, 0, 1)
    assert (await november(api))["requests"] == 4


async def test_a_stream_that_turns_into_something_else_tells_what_landed(
    api: httpx.AsyncClient,
) -> None:
    """`invalid_encoding`, with the counters all the same."""
    answer = await send(api, gzip.compress(lines(record("a"))) + b"no gzip", NDJSON, "gzip")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_encoding"
    assert answer.json()["progress"]["accepted"] == 1
    assert (await november(api))["requests"] == 1


async def test_a_long_stream_lands_in_pieces_with_one_count(api: httpx.AsyncClient) -> None:
    """Lines are numbered through, whatever batch they went in; the first of a key stands."""
    records = [record(f"r{n}") for n in range(12_000)]
    records[7_000] = record("r7000", input_tokens=-1)
    records += [record("r3"), record("r4", input_tokens=11)]
    body = counters(await send(api, zstd(lines(*records)), NDJSON, "zstd"))
    assert (body["read"], *verdicts(body)) == (12_002, 11_999, 1, 1, 1)
    assert [(each["index"], each["outcome"]) for each in body["problems"]] == [
        (7_000, "rejected"), (12_001, "conflict"),
    ]  # fmt: skip
    assert (await november(api))["requests"] == 11_999
