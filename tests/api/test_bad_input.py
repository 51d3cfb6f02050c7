"""What a stranger can send: refused by name, one by one, and never a 500."""

import asyncio
import gzip
import itertools
import json
import resource
import zlib
from typing import Any

import httpx
import pytest
import zstandard

from ledger.store.database import Database

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}
SECRET = "fw_0123456789abcdefghij"  # noqa: S105 - of nobody
START = b'{"customer_id": "acme", "request_id": "bad", '


def good(request_id: str) -> bytes:
    """A record without a fault."""
    record = {
        "request_id": request_id,
        "customer_id": "acme",
        "model": MODEL,
        "input_tokens": 10,
        "output_tokens": 1,
        "timestamp": "2026-11-19T08:00:00Z",
    }
    return json.dumps(record).encode()


# A record, the field and the code that its refusal names, and a part of what it says.
Row = tuple[bytes, str | None, str, str]
BAD: list[Row] = [
    (b'{"customer_id": "acme"}', "request_id", "missing", "1 to 255 characters"),
    (b'{"customer_id": "acme", "request_id": null}', "request_id", "missing", "1 to 255"),
    (b'{"customer_id": "acme", "request_id": ""}', "request_id", "wrong_length", "0 characters"),
    (b'{"customer_id": "acme", "request_id": 5}', "request_id", "wrong_type", "an integer"),
    (
        b'{"customer_id": "acme", "request_id": "a\\u0000b"}',
        "request_id",
        "nul_character",
        "must not contain a NUL",
    ),
    (
        b'{"customer_id": "acme", "request_id": "' + b"r" * 256 + b'"}',
        "request_id",
        "wrong_length",
        "256 characters",
    ),
    (b'{"request_id": "bad"}', "customer_id", "missing", "1 to 255 characters"),
    (b'{"request_id": "bad", "customer_id": ""}', "customer_id", "wrong_length", "0 characters"),
    (
        b'{"request_id": "bad", "customer_id": "\\u0000"}',
        "customer_id",
        "nul_character",
        "must not contain a NUL",
    ),
    (
        b'{"request_id": "bad", "customer_id": "' + b"c" * 256 + b'"}',
        "customer_id",
        "wrong_length",
        "256 characters",
    ),
    (START + b'"input_tokens": -1}', "input_tokens", "out_of_range", "a negative integer"),
    (START + b'"input_tokens": 1.5}', "input_tokens", "wrong_type", "a fraction"),
    (START + b'"input_tokens": NaN}', "input_tokens", "not_finite", "NaN"),
    (START + b'"output_tokens": Infinity}', "output_tokens", "not_finite", "infinity"),
    (
        START + b'"output_tokens": 9223372036854775808}',
        "output_tokens",
        "out_of_range",
        "19 digits",
    ),
    (START + b'"output_tokens": 1e99999999999999999999}', "output_tokens", "out_of_range", "range"),
    (START + b'"output_tokens": ' + b"9" * 5000 + b"}", "output_tokens", "out_of_range", "range"),
    (
        START + b'"input_tokens": 1, "cached_input_tokens": 2}',
        "cached_input_tokens",
        "exceeds_input_tokens",
        "must not exceed",
    ),
    (START + b'"input_seconds": 0.1234567}', "input_seconds", "too_precise", "6 decimals, got 7"),
    (START + b'"timestamp": "2026-11-01T00:00:00"}', "timestamp", "invalid_time", "offset"),
    (START + b'"timestamp": "9999-12-31T23:59:59Z"}', "timestamp", "in_the_future", "24 hours"),
    (START + b'"timestamp": "0001-01-01T00:00:00Z"}', "timestamp", "out_of_range", "before 1970"),
    (START + b'"timestamp": 5}', "timestamp", "wrong_type", "an integer"),
    (START + b'"status": "done"}', "status", "unknown_value", "one of completed, pending, error"),
    (START + b'"provider_key_type": "x"}', "provider_key_type", "unknown_value", "one of managed"),
    (
        START + b'"metadata": ' + json.dumps({str(n): "v" for n in range(101)}).encode() + b"}",
        "metadata",
        "too_many_pairs",
        "got 101",
    ),
    (START + b'"metadata": {"a": 1}}', "metadata", "invalid_metadata", "pairs of strings"),
    (START + b'"metadata": {"a": "\\u0000"}}', "metadata", "nul_character", "NUL"),
    (START + b'"meter_slug": "nobody\'s"}', "meter_slug", "unknown_meter", "slug of a meter"),
    (START + b'"charge": "\\ud800"}', "charge", "invalid_unicode", "half a surrogate"),
    (START + b'"unheard_of": "\\udfff"}', "unheard_of", "invalid_unicode", "half a surrogate"),
    (START + b'"charge": 1e999}', "charge", "out_of_range", "range of a double"),
    (START + b'"cost": "0E+999999999"}', "cost", "out_of_range", "18 decimals"),
    (START + b'"model": "\xff"}', None, "malformed_json", "not UTF-8"),
    (START + b'"charge": "\xff"}', None, "malformed_json", "not UTF-8"),
    (START + b'"charge": ' + b"[" * 32 + b"]" * 32 + b"}", None, "too_deep", "32 levels"),
    (START + b'"x": ' + b"[" * 32 + b"]" * 32 + b"}", None, "too_deep", "32 levels"),
    (b"[" * 100_000 + b"]" * 100_000, None, "too_deep", "32 levels"),
    (START + b'"x": "' + b"a" * 1024 * 1024 + b'"}', None, "record_too_large", "1 MiB"),
    (b"null", None, "not_an_object", "got null"),
    (b"[1]", None, "not_an_object", "an array of 1 element"),
    (b'"text"', None, "not_an_object", "a string of 4 characters"),
    (b"NaN", None, "not_an_object", "must be an object"),
]
# Only a line can be broken without breaking its neighbours.
BROKEN_LINES: list[Row] = [
    (b"{", None, "malformed_json", "is not JSON"),
    (b'{"request_id": "bad"} x', None, "malformed_json", "is not JSON: extra data"),
    (f'{{"provider_key": "{SECRET}"'.encode(), None, "malformed_json", "is not JSON"),
]


async def send(api: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    """A batch, however it is made up."""
    return await api.post("/v1/requests/batch", content=body, headers=headers)


def counters(answer: httpx.Response) -> dict[str, Any]:
    """The counters of a batch, which add up."""
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    verdicts = ("accepted", "duplicates", "conflicts", "rejected")
    assert body["read"] == sum(body[name] for name in verdicts)
    return body


def problem(answer: httpx.Response, status: int) -> str:
    """The code of a problem document, whose parts agree."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == body["error"]["status"] == status
    assert body["detail"] == body["error"]["message"]
    code: str = body["error"]["code"]
    assert body["type"] == f"urn:ledger:problem:{code}"
    return code


async def requests_recorded(api: httpx.AsyncClient) -> int:
    """How many requests November counts."""
    answer = await api.get("/v1/spend", params=NOVEMBER)
    count: int = answer.json()["totals"]["requests"]
    return count


async def quarantined(database: Database) -> list[Any]:
    """What lies in quarantine."""
    async with database.connection() as connection:
        rows: list[Any] = await connection.fetch("SELECT * FROM quarantine")
        return rows


@pytest.mark.parametrize("form", ["array", "wrapped", "lines"])
async def test_each_bad_record_is_refused_alone(
    api: httpx.AsyncClient, database: Database, form: str
) -> None:
    """Field, rule and kind are named; the neighbours land; quarantine keeps the record and why."""
    rows = BAD + (BROKEN_LINES if form == "lines" else [])
    records = [b for place, row in enumerate(rows) for b in (good(f"good {place}"), row[0])]
    if form == "lines":
        answer = await send(api, b"\n".join(records), **NDJSON)
    else:
        array = b"[" + b",".join(records) + b"]"
        answer = await send(
            api, array if form == "array" else b'{"requests": ' + array + b"}", **JSON
        )

    body = counters(answer)
    assert (body["accepted"], body["rejected"]) == (len(rows), len(rows))
    assert [
        (each["index"], each["outcome"], each["field"], each["code"]) for each in body["problems"]
    ] == [
        (2 * place + 1, "rejected", field, code) for place, (_, field, code, _) in enumerate(rows)
    ]
    for each, (_, _, _, detail) in zip(body["problems"], rows, strict=True):
        assert detail in each["detail"]
    assert await requests_recorded(api) == len(rows)
    assert (await api.get("/v1/requests/good 0")).json()["input_tokens"] == 10
    assert (await api.get("/v1/requests/bad")).status_code == 404

    kept = await quarantined(database)
    assert sorted((row["code"], row["field"] or "") for row in kept) == sorted(
        (code, field or "") for _, field, code, _ in rows
    )
    assert {row["outcome"] for row in kept} == {"rejected"}
    assert max(len(row["record"]) for row in kept) <= 64 * 1024
    assert not any(SECRET.encode() in row["record"] for row in kept)


async def test_a_bad_record_by_itself_is_a_400(api: httpx.AsyncClient, database: Database) -> None:
    """The same field and code as in a batch, and quarantine keeps it just the same."""
    rows = [row for row in BAD if row[2] != "record_too_large"]
    for raw, field, code, detail in rows:
        answer = await api.post("/v1/requests", content=raw, headers=JSON)
        assert problem(answer, 400) == ("invalid_record" if field else code)
        [error] = answer.json()["errors"]
        assert (error["field"], error["code"]) == (field, code)
        assert detail in error["detail"]
    assert len(await quarantined(database)) == len(rows)


async def test_every_fault_of_a_record_is_named_at_once(api: httpx.AsyncClient) -> None:
    """One round is enough to repair it."""
    record = {"request_id": "", "customer_id": "acme", "images": -1, "status": "done"}
    answer = await api.post("/v1/requests", json=record)
    assert [error["field"] for error in answer.json()["errors"]] == [
        "request_id",
        "images",
        "status",
    ]


async def test_secrets_are_hidden_wherever_they_arrive(
    api: httpx.AsyncClient, database: Database
) -> None:
    """In what is kept of a good record, in its answers, and in quarantine."""
    secrets = {
        "provider_key": SECRET,
        "nested": [{"Authorization": f"Bearer {SECRET}", "apiKey": SECRET}],
        "charge": {"token": [SECRET]},
    }
    record = json.loads(good("r1")) | secrets
    for body in (record, record, record | {"input_tokens": 11}, record | {"input_tokens": -1}):
        answer = await api.post("/v1/requests", json=body)
        assert SECRET not in answer.text
    shown = await api.get("/v1/requests/r1")
    assert SECRET not in shown.text
    assert shown.json()["fields"]["provider_key"] == "fw_0… (23 characters)"
    assert shown.json()["input_tokens"] == 10
    kept = await quarantined(database)
    assert sorted(row["outcome"] for row in kept) == ["conflict", "rejected"]
    for row in kept:
        assert SECRET.encode() not in row["record"]
        assert b'"input_tokens": ' in row["record"].replace(b'":', b'": ')


async def test_the_same_refused_again_is_counted_not_kept_twice(
    api: httpx.AsyncClient, database: Database
) -> None:
    """Once for each content and reason."""
    for _ in range(3):
        await send(api, b"[5, 5]", **JSON)
    [row] = await quarantined(database)
    assert (row["code"], row["sender"], row["sightings"]) == ("not_an_object", "admin", 3)


async def test_digits_beyond_microseconds_are_cut_off(api: httpx.AsyncClient) -> None:
    """Seven digits are accepted and never rounded up, not even across the year."""
    record = json.loads(good("r1")) | {"timestamp": "2025-12-31T23:59:59.9999999Z"}
    answer = await api.post("/v1/requests", json=record)
    assert answer.status_code == 201
    assert answer.json()["timestamp"] == "2025-12-31T23:59:59.999999Z"


BROKEN_ARRAYS = [
    (b"", "body_truncated"),
    (b"[" + good("a"), "body_truncated"),
    (b"[" + good("a") + b",]", "malformed_json"),
    (b"[" + good("a") + b"," + good("b")[:-1] + b"]", "malformed_json"),
    (b"[" + good("a") + b", NaN,]", "malformed_json"),
    (b"[" + good("a") + b"] x", "malformed_json"),
    (b'{"requests": [' + good("a") + b"]", "body_truncated"),
    (b'{"requests": 5}', "invalid_body"),
    (good("a"), "invalid_body"),
    (b"5", "invalid_body"),
    (b"\xff\xfe", "malformed_json"),
    (b"[" * 100_000, "malformed_json"),
]


async def test_an_array_with_broken_syntax_lands_nothing(
    api: httpx.AsyncClient, database: Database
) -> None:
    """Not even the elements before the break."""
    for body, code in BROKEN_ARRAYS:
        assert problem(await send(api, body, **JSON), 400) == code
    assert await requests_recorded(api) == 0
    assert await quarantined(database) == []


async def test_lines_may_end_as_windows_ends_them(api: httpx.AsyncClient) -> None:
    """Byte order mark, CRLF, blank lines and a last line without an end are no faults."""
    body = b"\xef\xbb\xbf" + good("a") + b"\r\n\r\n \t\r\n" + good("b") + b"\n\n" + good("c")
    assert counters(await send(api, body, **NDJSON))["accepted"] == 3
    array = b"\xef\xbb\xbf [\r\n" + good("d") + b"\r\n]\r\n"
    assert counters(await send(api, array, **JSON))["accepted"] == 1
    single = await api.post("/v1/requests", content=b"\xef\xbb\xbf" + good("e"), headers=JSON)
    assert single.status_code == 201


NOT_SPOKEN = [
    ("/v1/requests/batch", {"Content-Type": "text/plain"}),
    ("/v1/requests/batch", {"Content-Type": "text/csv; charset=utf-8"}),
    ("/v1/requests/batch", JSON | {"Content-Encoding": "br"}),
    ("/v1/requests/batch", NDJSON | {"Content-Encoding": "deflate"}),
    ("/v1/requests/batch", JSON | {"Content-Encoding": "gzip, zstd"}),
    ("/v1/requests", NDJSON),
    ("/v1/requests", {"Content-Type": "application/x-www-form-urlencoded"}),
    ("/v1/limits", {"Content-Type": "text/plain"}),
]


async def test_other_types_and_encodings_are_not_spoken(api: httpx.AsyncClient) -> None:
    """415, and the answer names those that are."""
    for path, headers in NOT_SPOKEN:
        answer = await api.post(path, content=b"[]", headers=headers)
        assert problem(answer, 415) == "unsupported_media_type"
        assert "must be" in answer.json()["detail"]


COMPRESS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}


async def test_a_compressed_body_must_be_whole(api: httpx.AsyncClient) -> None:
    """A truncated one is told from one that is something else; an array lands nothing."""
    for encoding, compress in COMPRESS.items():
        whole = compress(b"[" + good(encoding) + b"]")
        headers = JSON | {"Content-Encoding": encoding}
        assert problem(await send(api, whole[:-5], **headers), 400) == "body_truncated"
        assert problem(await send(api, b"", **headers), 400) == "body_truncated"
        assert problem(await send(api, b"[]", **headers), 400) == "invalid_encoding"
        assert (await api.get(f"/v1/requests/{encoding}")).status_code == 404
        assert counters(await send(api, whole, **headers))["accepted"] == 1


def bomb(encoding: str) -> bytes:
    """At most 64 KiB that stand for 60 MiB (gzip) or 1.1 GiB (zstd) of spaces."""
    spaces = b" " * 1024 * 1024
    if encoding == "gzip":
        packer = zlib.compressobj(9, wbits=31)
        return b"".join(packer.compress(spaces) for _ in range(60)) + packer.flush()
    stream = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join(stream.compress(spaces) for _ in range(1100)) + stream.flush()


@pytest.mark.parametrize("encoding", COMPRESS)
async def test_a_bomb_is_413_within_bounded_memory(api: httpx.AsyncClient, encoding: str) -> None:
    """An array has 16 MiB once decoded, lines have 1 GiB, and neither ever stands in memory whole."""
    body = bomb(encoding)
    assert len(body) <= (64 if encoding == "gzip" else 256) * 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    headers = {"Content-Encoding": encoding}
    assert problem(await send(api, body, **JSON, **headers), 413) == "body_too_large"
    single = await api.post("/v1/requests", content=body, headers=JSON | headers)
    assert problem(single, 413) == "body_too_large"
    lines = await send(api, body, **NDJSON, **headers)
    if encoding == "zstd":
        assert problem(lines, 413) == "body_too_large"
    else:
        assert counters(lines)["read"] == 0  # blank, and within what lines may have
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 100 * 1024


async def test_an_array_has_10_000_records(api: httpx.AsyncClient) -> None:
    """One more is 413 and lands nothing."""
    many = b"[" + b",".join([good("a")] * 10_001) + b"]"
    assert problem(await send(api, many, **JSON), 413) == "too_many_records"
    assert await requests_recorded(api) == 0
    body = counters(await send(api, b"[" + b",".join([good("a")] * 10_000) + b"]", **JSON))
    assert (body["accepted"], body["duplicates"]) == (1, 9_999)


async def test_a_single_record_has_one_mebibyte(api: httpx.AsyncClient) -> None:
    """More is 413 before it is a record."""
    record = good("a")[:-1] + b', "x": "' + b"a" * (1024 * 1024) + b'"}'
    answer = await api.post("/v1/requests", content=record, headers=JSON)
    assert problem(answer, 413) == "body_too_large"


async def test_a_body_that_announces_too_much_is_not_even_read(api: httpx.AsyncClient) -> None:
    """64 MiB on the wire; the answer comes before the body."""
    reader, writer = await asyncio.open_connection(api.base_url.host, api.base_url.port)
    writer.write(
        b"POST /v1/requests/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + f"Authorization: {api.headers['authorization']}\r\n".encode()
        + b"Content-Length: 67108865\r\n\r\n"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()


KEYS = [None, "Bearer", "Bearer not-the-key", "Basic YTpi", "not-the-key", b"Bearer \xff\xfe"]
CALLS = ["GET /v1/spend", "POST /v1/requests", "POST /v1/requests/batch", "GET /v1/requests/x"]


async def test_without_the_key_nothing_is_answered(api: httpx.AsyncClient) -> None:
    """401 before anything is read, and the key that was sent is not repeated."""
    async with httpx.AsyncClient(base_url=api.base_url) as stranger:
        for call, key in itertools.product(CALLS, KEYS):
            headers = {} if key is None else {"Authorization": key}
            answer = await stranger.request(*call.split(), content=b"[]", headers=headers)  # type: ignore[arg-type]
            assert problem(answer, 401) == "unauthorized"
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "not-the-key" not in answer.text


BAD_LIMITS: list[tuple[dict[str, Any], str]] = [
    ({}, "customer_id"),
    ({"customer_id": "acme"}, "amount"),
    ({"customer_id": "acme", "amount": 100}, "amount"),
    ({"customer_id": "acme", "amount": "100", "amounts": "1"}, "amounts"),
    ({"customer_id": "acme", "amount": "-1"}, "amount"),
    ({"customer_id": "acme", "amount": "1", "window": "year"}, "window"),
    ({"customer_id": "acme", "amount": "1", "action": "shout"}, "action"),
    ({"customer_id": "acme", "amount": "1", "thresholds": ["0"]}, "thresholds"),
    ({"customer_id": "acme", "amount": "1", "limit_id": ""}, "limit_id"),
]


async def test_a_form_names_the_field_that_is_wrong(api: httpx.AsyncClient) -> None:
    """Missing, unknown, or outside its rule; what is no JSON is 400 as a body of records would be."""
    for form, field in BAD_LIMITS:
        answer = await api.post("/v1/limits", json=form)
        assert problem(answer, 400) == "invalid_record"
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    for body in (b"", b"{", b"\xff", b'{"customer_id": "\\ud800"}'):
        answer = await api.post("/v1/limits", content=body, headers=JSON)
        assert problem(answer, 400) == "malformed_json"
