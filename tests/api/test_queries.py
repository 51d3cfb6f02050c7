"""Questions: pages of requests, single ones, spend, limits and what they raise."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from ledger.clock import FixedClock
from ledger.core import spend
from ledger.core.instants import parse_instant

MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"  # 0.90 USD per 1M tokens in and out
OTHER = "accounts/fireworks/models/deepseek-v4-pro"
DAY = {"from": "2026-11-19", "to": "2026-11-20"}
ULIDS = [f"req_01K{letter}{'0' * 22}" for letter in "ABCDEFGH"]  # in the order of time


def record(request_id: str, **fields: Any) -> dict[str, Any]:
    """A request of acme on 2026-11-19: a million input tokens for 0.90 USD."""
    return {
        "request_id": request_id,
        "customer_id": "acme",
        "model": MODEL,
        "input_tokens": 1_000_000,
        "timestamp": "2026-11-19T08:00:00Z",
    } | fields


async def put(api: httpx.AsyncClient, *records: dict[str, Any]) -> None:
    """Record all of them."""
    answer = await api.post("/v1/requests/batch", json=list(records))
    assert answer.json()["accepted"] == len(records), answer.text


async def ids(api: httpx.AsyncClient, **params: Any) -> list[str]:
    """The ids on a page."""
    answer = await api.get("/v1/requests", params=params)
    assert answer.status_code == 200, answer.text
    return [each["request_id"] for each in answer.json()["data"]]


async def refusal(api: httpx.AsyncClient, path: str, **params: Any) -> tuple[str, str, str]:
    """Code, field and detail of a 400."""
    answer = await api.get(path, params=params)
    assert answer.status_code == 400, answer.text
    [error] = answer.json()["errors"]
    return answer.json()["error"]["code"], error["field"], error["detail"]


async def test_pages_show_every_request_exactly_once(api: httpx.AsyncClient) -> None:
    """Newest id first, opaque ids last, one row for each customer; a page ends anywhere."""
    texts = [f"opaque {n}" for n in range(5)]
    await put(api, *[record(each) for each in ULIDS + texts])
    await put(api, *[record(each, customer_id="beta") for each in (ULIDS[0], texts[0])])
    await put(api, record(ULIDS[1].replace("B", "J"), status="pending"))
    everything = await ids(api, limit=100)
    assert len(everything) == 16
    assert everything[:10] == [ULIDS[1].replace("B", "J"), *reversed(ULIDS), ULIDS[0]]
    assert sorted(everything[10:]) == sorted([*texts, texts[0]])

    for limit in (1, 3, 4, 16):
        walked: list[str] = []
        page: dict[str, Any] = {"next_cursor": None, "has_more": True}
        while page["has_more"]:
            params = {"limit": limit} | (
                {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
            )
            page = (await api.get("/v1/requests", params=params)).json()
            assert len(page["data"]) <= limit
            walked += [each["request_id"] for each in page["data"]]
        assert page["next_cursor"] is None
        assert walked == everything
    assert len(await ids(api)) == 10


async def test_a_page_may_be_filtered(api: httpx.AsyncClient) -> None:
    """By customer, model, status, time and metadata; all that is named must hold."""
    a, b, c, d, e, f = ULIDS[:6]
    await put(
        api,
        record(a, metadata={"feature": "chat", "v": "2"}),
        record(b, metadata={"feature": "chat"}, customer_id="beta"),
        record(c, model=OTHER, timestamp="2026-11-19T09:00:00Z"),
        record(d, model="nobody's", timestamp="2026-11-19T10:00:00Z"),
        record(e, status="pending"),
        record(f, status="error"),
    )
    await put(api, record("g", status="pending"))
    await put(api, record("g"))  # it has completed
    chat, second = ["feature", "chat"], ["v", "2"]
    for params, found in [
        ({"customer_id": "beta"}, [b]),
        ({"customer_id": "nobody"}, []),
        ({"model": OTHER}, [c]),
        ({"model": "nobody's"}, [d]),
        ({"status": "completed"}, [d, c, b, a, "g"]),
        ({"status": "unrated"}, [d]),
        ({"status": "pending"}, [e]),
        ({"status": "error"}, [f]),
        ({"from": "2026-11-19T09:00:00Z"}, [d, c]),
        ({"from": "2026-11-19T09:00:00Z", "to": "2026-11-19T10:00:00Z"}, [c]),
        ({"to": "2026-11-19T08:00:00Z"}, []),
        ({"to": "2026-11-19T08:00:00.000001Z", "customer_id": "beta"}, [b]),
        ({"metadata_filters": json.dumps([chat])}, [b, a]),
        ({"metadata_filters": json.dumps([chat, second])}, [a]),
        ({"metadata_filters": json.dumps([chat]), "customer_id": "beta"}, [b]),
        ({"metadata_filters": json.dumps([["feature", "cha"]])}, []),
        ({"metadata_filters": "[]"}, [f, e, d, c, b, a, "g"]),
    ]:
        assert await ids(api, **params) == found, params


async def test_a_page_parameter_outside_its_rule_is_named(api: httpx.AsyncClient) -> None:
    """400 with the rule; never a 500, whatever is sent."""
    pairs = 'must be pairs such as [["feature","chat"]]'
    for field, value, rule in [
        ("limit", "0", "must be a whole number from 1 to 100"),
        ("limit", "101", "must be a whole number from 1 to 100"),
        ("limit", "ten", "must be a whole number from 1 to 100"),
        ("limit", "٣", "must be a whole number from 1 to 100"),
        ("limit", "-1", "must be a whole number from 1 to 100"),
        ("cursor", "x", "must be the next_cursor of a page"),
        ("cursor", "ü", "must be the next_cursor of a page"),
        ("cursor", "_" * 27, "must be the next_cursor of a page"),
        ("status", "done", "must be one of completed, voided, pending, error, unmetered, unrated"),
        ("from", "yesterday", "must be an RFC 3339 time with offset"),
        ("to", "2026-02-30", "day is out of range"),
        ("customer_id", "\0", "must not contain a NUL character"),
        ("model", "\0", "must not contain a NUL character"),
        ("metadata_filters", "feature", pairs),
        ("metadata_filters", "[[1, 2]]", pairs),
        ("metadata_filters", '[["a", "b", "c"]]', pairs),
        ("metadata_filters", "[" * 5000, pairs),
        ("metadata_filters", json.dumps([[str(n), "v"] for n in range(101)]), pairs),
        ("metadata_filters", '[["a", "\\u0000"]]', "must not contain a NUL character"),
        ("metadata_filters", '[["a", "\\ud800"]]', "must not contain half a surrogate pair"),
    ]:
        code, named, detail = await refusal(api, "/v1/requests", **{field: value})
        assert (code, named) == ("invalid_parameter", field)
        assert rule in detail


async def test_an_id_is_whatever_stands_in_the_path(api: httpx.AsyncClient) -> None:
    """Slashes, spaces, signs and letters of any script; written plainly or escaped."""
    strange = [
        "a/b", "a//b", "/lead", "trail/", "a b", "%2F", "q?x#y", "a+b", "+", "ü/😀", "a\nb", "a;b",
        "x/explain", "a/../b", "c/./d", "batch/x", "a&b=c", '"', "\\",
    ]  # fmt: skip
    await put(api, *[record(each, input_tokens=place) for place, each in enumerate(strange)])
    for place, each in enumerate(strange):
        shown = (await api.get("/v1/requests/" + quote(each, safe=""))).json()
        assert (shown["request_id"], shown["input_tokens"]) == (each, place)
        if "./" not in each and each != "x/explain":  # clients fold these
            plainly = (await api.get("/v1/requests/" + quote(each, safe="/"))).json()
            assert plainly == shown
    for unknown in ("A/b", "a/b/", "%00"):
        answer = await api.get("/v1/requests/" + unknown)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    for no_text in ("%FF", "%ED%A0%80"):
        answer = await api.get("/v1/requests/" + no_text)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_parameter")


async def test_a_request_is_shown_with_all_that_is_known_of_it(api: httpx.AsyncClient) -> None:
    """Its current statement, what came along, and every revision."""
    await put(api, record("a", status="pending"))
    full = record(
        "a", output_tokens=7, cached_input_tokens=5, response_id="chatcmpl-1", cost="0.0581000000",
        metadata={"k": "v"}, unheard_of=[1], provider_key_type="stored", input_seconds=0,
    )  # fmt: skip
    await put(api, full)
    shown = (await api.get("/v1/requests/a")).json()
    assert {name: shown[name] for name in ("status", "provider", "provider_key_type", "model")} == {
        "status": "completed", "provider": "fireworks", "provider_key_type": "unmanaged",
        "model": MODEL,
    }  # fmt: skip
    assert (shown["input_tokens"], shown["cached_input_tokens"], shown["output_tokens"]) == (
        1_000_000, 5, 7,
    )  # fmt: skip
    assert (shown["timestamp"], shown["response_id"]) == ("2026-11-19T08:00:00Z", "chatcmpl-1")
    assert (shown["reported_cost"], shown["metadata"]) == ("0.0581000000", {"k": "v"})
    assert shown["fields"] == {"unheard_of": [1]}
    assert [(row["revision"], row["kind"], row["requests"]) for row in shown["revisions"]] == [
        (0, "pending", 0), (1, "usage", 1),
    ]  # fmt: skip
    listed = (await api.get("/v1/requests")).json()["data"]
    assert [set(shown) - set(each) for each in listed] == [{"fields", "redacted", "revisions"}]


async def spent(api: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    """A spend answer."""
    answer = await api.get("/v1/spend", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_spend_parameter_outside_its_rule_is_named(api: httpx.AsyncClient) -> None:
    """Missing, backwards, unknown, twice."""
    rows: list[tuple[dict[str, Any], str, str]] = [
        ({}, "from", "is required"),
        ({"from": "2026-11-01"}, "to", "is required"),
        ({"to": "2026-11-01"}, "from", "is required"),
        ({"from": "2026-11-01", "to": "2026-11-01"}, "to", "must be later than from"),
        ({"from": "2026-11-01", "to": "2026-10-01"}, "to", "must be later than from"),
        ({"from": "2026-11-01T00:00:00", "to": "2026-12-01"}, "from", "RFC 3339 time with offset"),
        ({"from": "2026-11-01", "to": "November"}, "to", "RFC 3339 time with offset"),
        (DAY | {"group_by": "week"}, "group_by", "must be some of customer, provider"),
        (DAY | {"group_by": "day,model,day"}, "group_by", "must not name a grouping twice"),
        (DAY | {"group_by": ["day", "day"]}, "group_by", "must not name a grouping twice"),
        (DAY | {"key_type": "stored"}, "key_type", "must be managed or byok"),
        (DAY | {"customer": "\0"}, "customer", "must not contain a NUL character"),
        (DAY | {"model": ["m", "\0"]}, "model", "must not contain a NUL character"),
    ]
    for params, field, rule in rows:
        code, named, detail = await refusal(api, "/v1/spend", **params)
        assert (code, named) == ("invalid_parameter", field)
        assert rule in detail


async def test_a_span_is_exact_to_the_microsecond(api: httpx.AsyncClient) -> None:
    """Half-open at both ends, inside an hour, across hours, in any offset."""
    moments = [
        "2026-11-19T07:59:59.999999Z", "2026-11-19T08:00:00Z", "2026-11-19T08:00:00.000001Z",
        "2026-11-19T08:59:59.999999Z", "2026-11-19T09:00:00Z", "2026-11-19T10:15:00Z",
    ]  # fmt: skip
    await put(api, *[record(f"r{n}", timestamp=each) for n, each in enumerate(moments)])
    edges = [*moments, "2026-11-19T10:15:00.000001Z"]
    instants = [parse_instant(each) for each in moments]
    for place, start in enumerate(edges):
        for end in edges[place + 1 :]:
            expected = sum(parse_instant(start) <= each < parse_instant(end) for each in instants)
            assert (await spent(api, **{"from": start, "to": end}))["totals"][
                "requests"
            ] == expected
    kathmandu = {
        "from": "2026-11-19T13:45:00.000001+05:45",
        "to": "2026-11-19T14:44:59.999999+05:45",
    }
    answer = await spent(api, **kathmandu)
    assert (answer["from"], answer["to"]) == (
        "2026-11-19T08:00:00.000001Z",
        "2026-11-19T08:59:59.999999Z",
    )
    assert answer["totals"]["requests"] == 1
    plus_unescaped = "/v1/spend?from=2026-11-19T13:45:00+05:45&to=2026-11-20"
    assert (await api.get(plus_unescaped)).json()["totals"]["requests"] == 5


async def test_spend_is_grouped_and_filtered(api: httpx.AsyncClient) -> None:
    """Rows are sorted bytewise, unknown last; filters may be repeated; totals are whole."""
    await put(
        api,
        record("a"),
        record("b", customer_id="beta", provider_key_type="byok"),
        record("c", customer_id="Beta", model=OTHER, timestamp="2026-11-19T09:59:59Z"),
        record("d", model=None, timestamp="2026-11-20T00:00:00Z"),
        record("e", status="error"),
    )
    span = {"from": "2026-11-01", "to": "2026-12-01"}

    async def rows(**params: Any) -> list[tuple[Any, ...]]:
        answer = await spent(api, **span, **params)
        assert answer["totals"]["requests"] == sum(row["requests"] for row in answer["rows"])
        return [
            (*(row[name] for name in answer["group_by"]), row["requests"]) for row in answer["rows"]
        ]

    assert await rows() == [(4,)]
    assert await rows(group_by="customer") == [("Beta", 1), ("acme", 2), ("beta", 1)]
    assert await rows(group_by="model") == [(OTHER, 1), (MODEL, 2), (None, 1)]
    assert await rows(group_by="provider") == [("fireworks", 3), (None, 1)]
    assert await rows(group_by="key_type") == [("byok", 1), ("managed", 3)]
    assert await rows(group_by="hour") == [
        ("2026-11-19T08:00:00Z", 2), ("2026-11-19T09:00:00Z", 1), ("2026-11-20T00:00:00Z", 1),
    ]  # fmt: skip
    assert await rows(group_by="day") == [("2026-11-19", 3), ("2026-11-20", 1)]
    assert await rows(group_by=["month", "customer"]) == [
        ("2026-11", "Beta", 1), ("2026-11", "acme", 2), ("2026-11", "beta", 1),
    ]  # fmt: skip
    assert await rows(group_by="customer", customer=["acme", "beta"]) == [("acme", 2), ("beta", 1)]
    assert await rows(group_by="customer", customer="acme", customer_id="beta") == [
        ("acme", 2), ("beta", 1),
    ]  # fmt: skip
    assert await rows(model=[MODEL, OTHER], group_by="model") == [(OTHER, 1), (MODEL, 2)]
    assert await rows(provider="fireworks", key_type="unmanaged") == [(1,)]
    assert await rows(customer="nobody") == []
    assert await rows(customer=["nobody", "beta"]) == [(1,)]
    answer = await spent(api, **span, customer="nobody")
    assert answer["totals"]["spend"] == "0.000000000000"
    answer = await spent(api, **span, group_by="key_type")
    assert [(row["cost"], row["spend"]) for row in answer["rows"]] == [
        ("0.900000000000", "0.000000000000"), ("2.640000000000", "2.640000000000"),
    ]  # fmt: skip
    assert (answer["currency"], answer["unrated_requests"]) == ("USD", 1)


async def test_other_units_appear_where_they_are_not_zero(api: httpx.AsyncClient) -> None:
    """Seconds as decimal strings, counts as numbers, from whole hours and from edges."""
    await put(
        api,
        record("a", model="whisper-v3", input_tokens=None, input_seconds="1.5", images=0),
        record("b", model="whisper-v3", input_tokens=None, input_seconds="0.000001", images=2),
    )
    for end in ("2026-11-19T08:30:00Z", "2026-11-20"):
        [row] = (await spent(api, **{"from": "2026-11-19", "to": end, "group_by": "model"}))["rows"]
        assert (row["input_seconds"], row["images"]) == ("1.500001", 2)
        assert "gpu_seconds" not in row


async def test_an_answer_that_would_be_too_long_is_refused(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The totals of the same span are still to be had."""
    await put(api, record("a"), record("b", customer_id="beta"), record("c", customer_id="gamma"))
    monkeypatch.setattr(spend, "MAX_ROWS", 2)
    answer = await api.get("/v1/spend", params=DAY | {"group_by": "customer"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "too_many_rows")
    assert (await spent(api, **DAY))["totals"]["requests"] == 3


async def test_health_needs_no_key(api: httpx.AsyncClient) -> None:
    """Everybody may ask whether it lives; an unknown path is 404 for everybody."""
    async with httpx.AsyncClient(base_url=api.base_url) as stranger:
        assert (await stranger.get("/healthz")).json() == {"status": "ok"}
        unknown = await stranger.get("/v1/nothing-like-it")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")
    schema = await api.get("/schema")
    assert "/v1/spend" in schema.json()["paths"]


async def test_the_schema_needs_no_key(api: httpx.AsyncClient) -> None:
    """What it speaks is no secret."""
    async with httpx.AsyncClient(base_url=api.base_url) as stranger:
        assert (await stranger.get("/schema")).status_code == 200


async def set_limit(api: httpx.AsyncClient, amount: str, **fields: Any) -> dict[str, Any]:
    """A limit of acme."""
    answer = await api.post("/v1/limits", json={"customer_id": "acme", "amount": amount} | fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def alerts(api: httpx.AsyncClient) -> list[tuple[str, str, str]]:
    """Threshold, start of the window and spend of every alert."""
    data = (await api.get("/v1/alerts")).json()["data"]
    assert len({each["alert_id"] for each in data}) == len(data)
    return [(each["threshold"], each["window_start"], each["spend"]) for each in data]


async def test_each_threshold_is_raised_once(api: httpx.AsyncClient) -> None:
    """At >= its share, when a record crosses it; a duplicate and a byok request move nothing."""
    await api.put("/v1/customers/acme", json={"meter_slug": "none"})
    await put(api, record("first", input_tokens=0))
    limit = await set_limit(api, "3.60", window="day")
    assert (limit["amount"], limit["thresholds"]) == ("3.60", ["0.5", "0.8", "1"])
    today = {"timestamp": "2026-11-20T08:00:00Z"}
    start = "2026-11-20T00:00:00Z"

    await put(api, record("a", **today))
    await put(api, record("free", provider_key_type="byok", **today))
    assert await alerts(api) == []
    await put(api, record("b", **today))  # 1.80: exactly half
    assert await alerts(api) == [("0.5", start, "1.800000000000")]
    again = await api.post("/v1/requests/batch", json=[record("b", **today)] * 3)
    assert again.json()["duplicates"] == 3
    await put(api, record("tiny", input_tokens=1_199_999, **today))
    assert len(await alerts(api)) == 1  # a token short of 0.8
    await put(api, *[record(f"c{n}", **today) for n in range(3)])  # over both at once
    raised = await alerts(api)
    assert [each[0] for each in raised] == ["0.5", "0.8", "1"]
    assert {each[2] for each in raised[1:]} == {"5.579999100000"}
    await put(api, record("more", **today))
    assert await alerts(api) == raised
    [alert] = (await api.get("/v1/alerts", params={"customer_id": "acme", "limit": 1})).json()[
        "data"
    ]
    assert (alert["limit_id"], alert["limit_amount"]) == (limit["limit_id"], "3.60")
    assert (alert["window_end"], alert["raised_at"]) == (
        "2026-11-21T00:00:00Z",
        "2026-11-20T12:00:00Z",
    )
    assert (await api.get("/v1/alerts", params={"customer_id": "nobody"})).json()["data"] == []


async def test_setting_a_limit_judges_the_current_window_at_once(api: httpx.AsyncClient) -> None:
    """What is spent already counts; what was closed before raises nothing, not even late usage."""
    await put(api, record("old", timestamp="2026-10-31T23:59:59Z"), record("new"))
    await set_limit(api, "1", window="month")
    november = "2026-11-01T00:00:00Z"
    at_once = [("0.5", november, "0.900000000000"), ("0.8", november, "0.900000000000")]
    assert await alerts(api) == at_once
    late = [record(f"late {n}", timestamp="2026-10-31T23:59:59.999999Z") for n in range(9)]
    await put(api, *late)
    assert await alerts(api) == at_once
    await put(api, record("newer", input_tokens=200_000))
    assert await alerts(api) == [*at_once, ("1", november, "1.080000000000")]
    assert [each["amount"] for each in (await api.get("/v1/limits")).json()["data"]] == ["1.00"]


async def test_late_usage_in_a_window_that_has_closed_since_still_counts(
    api: httpx.AsyncClient, clock: FixedClock
) -> None:
    """The window was open when the limit was set, so it is watched for good."""
    await put(api, record("first", input_tokens=0))
    await set_limit(api, "0.90", window="day", thresholds=["1"])
    clock.instant = parse_instant("2026-11-22T12:00:00Z")
    await put(api, record("late", timestamp="2026-11-20T23:59:59.999999Z"))
    await put(api, record("too late", timestamp="2026-11-19T23:59:59.999999Z"))
    assert await alerts(api) == [("1", "2026-11-20T00:00:00Z", "0.900000000000")]


async def test_a_total_counts_everything_from_the_beginning(api: httpx.AsyncClient) -> None:
    """Its window has neither start nor end."""
    await put(api, record("ancient", timestamp="1970-01-01T00:00:00Z", model=None))
    await put(api, record("old", timestamp="2025-10-31T00:00:00Z"))
    await set_limit(api, "1.80", window="total", thresholds=["0.5", "1"])
    await put(api, record("new"))
    data = (await api.get("/v1/alerts")).json()["data"]
    assert [(each["threshold"], each["spend"]) for each in data] == [
        ("0.5", "0.900000000000"), ("1", "1.800000000000"),
    ]  # fmt: skip
    assert {(each["window_start"], each["window_end"]) for each in data} == {(None, None)}


async def test_a_limit_needs_a_customer_that_is_known(api: httpx.AsyncClient) -> None:
    """A misspelt one would be watched for ever in vain."""
    for customer_id in ("nobody", "a\0"):
        form = {"customer_id": customer_id, "amount": "1"}
        answer = await api.post("/v1/limits", json=form)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_batches_at_once_cross_a_threshold_once(api: httpx.AsyncClient) -> None:
    """However they meet, there is one alert for each threshold, and the window has it all."""
    await put(api, record("first", input_tokens=0))
    await set_limit(api, "10", window="month")
    batches = [[record(f"{n}/{m}") for m in range(5)] for n in range(8)]
    answers = await asyncio.gather(*(api.post("/v1/requests/batch", json=each) for each in batches))
    assert [answer.json()["accepted"] for answer in answers] == [5] * 8
    assert [each[0] for each in await alerts(api)] == ["0.5", "0.8", "1"]
    assert (await spent(api, **DAY))["totals"]["spend"] == "36.000000000000"


async def test_a_parameter_that_an_endpoint_does_not_have_is_refused(
    api: httpx.AsyncClient,
) -> None:
    """A misspelt filter must not answer for everybody."""
    for path in ("/v1/spend?from=2026-10-01&to=2026-11-01&custmer=bob", "/v1/requests?modle=x"):
        answer = await api.get(path)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "invalid_parameter"
        assert answer.json()["errors"][0]["field"] in ("custmer", "modle")


async def test_rates_are_listed_with_their_prices(api: httpx.AsyncClient) -> None:
    """As decimal strings, with what they are the price of."""
    tables = (await api.get("/v1/rates")).json()["data"]

    models = {table["version"]: table["models"] for table in tables}
    assert models["2025-01-01"]["whisper-v3"] == {
        "audio_input": {"price": "0.200000000000", "per": "minute"}
    }
    deepseek = models["2026-05-12"]["accounts/fireworks/models/deepseek-v4-pro"]
    assert deepseek["output"] == {"price": "3.480000000000", "per": "1M"}


async def test_amounts_that_sum_beyond_an_amount_are_exported(api: httpx.AsyncClient) -> None:
    """Cost and fee each fit an amount, their sum does not have to."""
    await api.post("/v1/meters", json={"meter_slug": "double", "percentage": "100"})
    await api.put("/v1/customers/acme", json={"meter_slug": "double"})
    huge = record("huge", model="accounts/fireworks/models/deepseek-v4-pro", output_tokens=10**12)
    answer = await api.post("/v1/requests", json=huge | {"input_tokens": 10**12})
    assert answer.status_code == 201, answer.text

    exported = await api.get(
        "/v1/exports/usage.csv", params={"from": "2020-01-01", "to": "2030-01-01"}
    )

    assert exported.status_code == 200
    assert answer.json()["spend"] in exported.text
    assert answer.json()["spend"] == "10440000.000000000000"
