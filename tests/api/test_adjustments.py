"""Voids and corrections over HTTP: what stands is negated, what is right is stated, the sums follow."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from ledger.clock import FixedClock
from ledger.services.proof.verification import verify
from ledger.store.database import Database
from tests.api.test_worked_record import OCTOBER, RECORD, with_meter

URL = f"/v1/requests/{RECORD['request_id']}/adjustments"
ALL = {"from": "2020-01-01", "to": "2030-01-01"}
_ZERO = "0.000000000000"


def void(key: str = "v1", **more: Any) -> dict[str, Any]:
    return {"kind": "void", "reason": "test traffic", "idempotency_key": key, **more}


def correction(key: str = "c1", **quantities: Any) -> dict[str, Any]:
    return {"kind": "correction", "reason": "counted twice", "idempotency_key": key, **quantities}


async def recorded(api: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await api.post("/v1/requests", json={**RECORD, **changes})
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def totals(api: httpx.AsyncClient, **span: str) -> dict[str, Any]:
    return dict((await api.get("/v1/spend", params=span or OCTOBER)).json()["totals"])


@pytest.fixture(autouse=True)
async def everything_still_adds_up(database: Database, clock: FixedClock) -> Any:
    """After every test the whole ledger is verified."""
    yield
    report = await verify(database, clock)
    assert report["ok"], [check for check in report["checks"] if not check["ok"]]


async def test_the_record_of_the_design_is_corrected_to_the_digit(api: httpx.AsyncClient) -> None:
    """845 in and 400 out: cost 0.001120500000, fee 0.000112050000."""
    await with_meter(api)
    await recorded(api)

    answer = await api.post(URL, json=correction(output_tokens=400))

    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["input_tokens"], body["output_tokens"]) == (845, 400)
    assert (body["cost"], body["fee"]) == ("0.001120500000", "0.000112050000")
    revisions = [
        (each["revision"], each["kind"], each["requests"], each["output_tokens"], each["cost"])
        for each in body["revisions"]
    ]
    assert revisions == [
        (1, "usage", 1, 412, "0.001131300000"),
        (2, "reversal", -1, -412, "-0.001131300000"),
        (3, "replacement", 1, 400, "0.001120500000"),
    ]
    assert [(each["actor"], each["reason"]) for each in body["revisions"][1:]] == [
        ("admin", "counted twice"),
        ("admin", "counted twice"),
    ]
    after = await totals(api)
    assert (after["requests"], after["output_tokens"]) == (1, 400)
    assert (after["cost"], after["spend"]) == ("0.001120500000", "0.001232550000")


async def test_a_void_leaves_nothing_of_it(api: httpx.AsyncClient) -> None:
    """The sums are as if it had never been; the record is shown as voided, with its history."""
    await with_meter(api)
    await recorded(api)

    body = (await api.post(URL, json=void())).json()

    assert body["status"] == "voided"
    assert [each["revision"] for each in body["revisions"]] == [1, 2]
    assert (await totals(api))["requests"] == 0
    assert (await api.get("/v1/spend", params={**OCTOBER, "group_by": "model"})).json()[
        "rows"
    ] == []
    listed = {
        status: [each["request_id"] for each in (await _list(api, status))]
        for status in ("completed", "voided")
    }
    assert listed == {"completed": [], "voided": [RECORD["request_id"]]}
    assert [each["status"] for each in await _list(api, None)] == ["voided"]


async def test_voiding_twice_is_one_void(api: httpx.AsyncClient) -> None:
    """Under the same key it is the same answer, under another one nothing more happens."""
    await recorded(api)
    first = await api.post(URL, json=void("v1"))
    again = await api.post(URL, json=void("v1"))
    second = await api.post(URL, json=void("v2"))

    assert [each.status_code for each in (first, again, second)] == [201, 200, 201]
    assert first.json() == again.json() == second.json()


async def test_a_void_cannot_be_corrected(api: httpx.AsyncClient) -> None:
    """422 says so, and nothing is recorded: the key is still free."""
    await recorded(api)
    await api.post(URL, json=void())

    refused = await api.post(URL, json=correction(output_tokens=1))

    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "voided")
    assert (await api.post(URL, json=void("c1"))).status_code == 201


async def test_a_correction_can_be_corrected_and_voided(api: httpx.AsyncClient) -> None:
    """Each is computed from what stands, and what is left out stays as it is."""
    await recorded(api)
    await api.post(URL, json=correction("c1", output_tokens=400))
    await api.post(URL, json=correction("c2", input_tokens=800, cached_input_tokens=300))
    body = (await api.get(f"/v1/requests/{RECORD['request_id']}")).json()
    assert (body["input_tokens"], body["cached_input_tokens"], body["output_tokens"]) == (
        800,
        300,
        400,
    )
    assert body["cost"] == "0.001080000000"  # 1,200 x 0.90 / 1,000,000

    body = (await api.post(URL, json=void())).json()

    assert [each["revision"] for each in body["revisions"]] == [1, 2, 3, 4, 5, 6]
    assert (await totals(api))["spend"] == _ZERO


async def test_a_correction_that_changes_nothing_appends_no_revision(
    api: httpx.AsyncClient,
) -> None:
    """It is recorded as a decision, so that its key is used up."""
    await recorded(api)

    answer = await api.post(URL, json=correction(output_tokens=412))

    assert answer.status_code == 201
    assert [each["revision"] for each in answer.json()["revisions"]] == [1]
    reused = await api.post(URL, json=correction(output_tokens=413))
    assert reused.json()["error"]["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (void("c1"), "kind"),
        (correction("c1", output_tokens=401), "quantities"),
        (correction("c1", output_tokens=400) | {"reason": "another"}, "reason"),
    ],
    ids=["kind", "quantities", "reason"],
)
async def test_a_reused_key_with_other_content_is_a_conflict(
    api: httpx.AsyncClient, other: dict[str, Any], named: str
) -> None:
    """409 names what differs; nothing moves."""
    await recorded(api)
    await api.post(URL, json=correction("c1", output_tokens=400))

    answer = await api.post(URL, json=other)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert named in answer.json()["detail"]
    assert (await totals(api))["output_tokens"] == 400


async def test_a_key_used_for_another_request_is_a_conflict(api: httpx.AsyncClient) -> None:
    """Keys are scoped by customer, not by request."""
    await recorded(api)
    await recorded(api, request_id="other")
    await api.post(URL, json=void("k"))

    answer = await api.post("/v1/requests/other/adjustments", json=void("k"))

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_reused")


async def test_an_unknown_request_is_not_found(api: httpx.AsyncClient) -> None:
    """404, also when another customer has it and when the text only shares its key."""
    await recorded(api)
    await recorded(api, request_id="elsewhere", customer_id="globex")

    for url, body in (
        ("/v1/requests/nobody/adjustments", void()),
        ("/v1/requests/elsewhere/adjustments", void(customer_id="acme")),
        (URL, void(customer_id="nobody")),
    ):
        assert (await api.post(url, json=body)).status_code == 404


async def test_an_id_of_two_customers_needs_a_name(api: httpx.AsyncClient) -> None:
    """409 `ambiguous_request_id`; with the customer named it moves only theirs."""
    await recorded(api)
    await recorded(api, customer_id="globex")

    answer = await api.post(URL, json=void())
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ambiguous_request_id")

    assert (await api.post(URL, json=void(customer_id="globex"))).status_code == 201
    rows = (await api.get("/v1/spend", params={**OCTOBER, "group_by": "customer"})).json()["rows"]
    assert [row["customer"] for row in rows] == ["acme"]


@pytest.mark.parametrize("status", ["pending", "error"])
async def test_an_unmetered_request_cannot_be_adjusted(api: httpx.AsyncClient, status: str) -> None:
    """It counts nothing, so there is nothing to adjust."""
    await recorded(api, status=status)

    for body in (void(), correction(output_tokens=1)):
        answer = await api.post(URL, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unmetered")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (correction(output_tokens=-1), "output_tokens", "out_of_range"),
        (correction(output_tokens=10**12 + 1), "output_tokens", "out_of_range"),
        (correction(output_tokens="400"), "output_tokens", "wrong_type"),
        (correction(output_tokens=1.5), "output_tokens", "wrong_type"),
        (correction(input_seconds=-1), "input_seconds", "out_of_range"),
        (correction(input_seconds="0.0000001"), "input_seconds", "too_precise"),
        (correction(cached_input_tokens=846), "cached_input_tokens", "exceeds_input_tokens"),
        (correction(), None, "no_quantity"),
        (correction(model="cheaper"), "model", "unknown_field"),
        (correction(cost="0"), "cost", "unknown_field"),
        (void(output_tokens=0), "output_tokens", "not_in_a_void"),
        (void() | {"half \ud800": 1}, "half ?", "unknown_field"),
        ({**void(), "kind": "delete"}, "kind", "unknown_value"),
        ({**void(), "reason": ""}, "reason", "wrong_length"),
        ({**void(), "reason": None}, "reason", "missing"),
        ({**void(), "reason": "half \ud800"}, "reason", "lone_surrogate"),
        ({**void(), "idempotency_key": "a\0b"}, "idempotency_key", "wrong_length"),
        ({**void(), "idempotency_key": "k" * 256}, "idempotency_key", "wrong_length"),
        ({**void(), "customer_id": 7}, "customer_id", "wrong_type"),
    ],
)
async def test_bad_adjustments_name_the_field(
    api: httpx.AsyncClient, body: dict[str, Any], field: str | None, code: str
) -> None:
    """400 with the field, a code and the rule; nothing moves."""
    await recorded(api)

    headers = {"Content-Type": "application/json"}
    answer = await api.post(URL, content=json.dumps(body), headers=headers)

    assert answer.status_code == 400, answer.text
    faults = [(each["field"], each["code"]) for each in answer.json()["errors"]]
    assert (field, code) in faults
    assert (await totals(api))["output_tokens"] == 412


async def test_an_amount_too_large_names_its_quantity(api: httpx.AsyncClient) -> None:
    """10^12 seconds at 0.20 a minute are more than an amount can hold."""
    await recorded(api, model="whisper-v3", input_tokens=0, output_tokens=0, input_seconds=90)

    answer = await api.post(URL, json=correction(input_seconds=10**12))

    faults = [(each["field"], each["code"]) for each in answer.json()["errors"]]
    assert (answer.status_code, faults) == (400, [("input_seconds", "amount_out_of_range")])


async def test_all_faults_are_named_at_once(api: httpx.AsyncClient) -> None:
    """Whoever sends a form learns everything that is wrong with it."""
    body = {"kind": "void", "idempotency_key": "", "input_tokens": -1, "colour": "red"}

    answer = await api.post(URL, json=body)

    fields = {each["field"] for each in answer.json()["errors"]}
    assert fields == {"reason", "idempotency_key", "input_tokens", "colour"}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'"void"', b'{"kind": "void", "reason": "\\ud800"}']
)
async def test_what_is_no_form_is_refused(api: httpx.AsyncClient, body: bytes) -> None:
    """400, whatever was sent."""
    headers = {"Content-Type": "application/json"}
    assert (await api.post(URL, content=body, headers=headers)).status_code == 400


async def test_two_corrections_at_once_end_in_one_order(api: httpx.AsyncClient) -> None:
    """Eight racing corrections: each is computed from what another left, none is lost."""
    await recorded(api)

    answers = await asyncio.gather(
        *(api.post(URL, json=correction(f"c{n}", output_tokens=n)) for n in range(1, 9))
    )

    assert {answer.status_code for answer in answers} == {201}
    body = (await api.get(f"/v1/requests/{RECORD['request_id']}")).json()
    assert len(body["revisions"]) == 17
    odd = [each["output_tokens"] for each in body["revisions"][2::2]]
    assert sorted(odd) == list(range(1, 9))
    assert (await totals(api))["output_tokens"] == odd[-1]


async def test_the_same_adjustment_at_once_is_one(api: httpx.AsyncClient) -> None:
    """A retry that overtakes its first try does not count twice."""
    await recorded(api)

    answers = await asyncio.gather(
        *(api.post(URL, json=correction("c", output_tokens=1)) for _ in range(6))
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len(answers[0].json()["revisions"]) == 3


async def test_a_resend_is_compared_with_the_first_statement(api: httpx.AsyncClient) -> None:
    """The original stays a duplicate after a correction; what was corrected to is a conflict."""
    await recorded(api)
    await api.post(URL, json=correction(output_tokens=400))

    assert (await api.post("/v1/requests", json=RECORD)).status_code == 200
    assert (
        await api.post("/v1/requests", json={**RECORD, "output_tokens": 400})
    ).status_code == 409


async def test_a_correction_moves_limits_at_once(api: httpx.AsyncClient) -> None:
    """A window goes down with a correction and raises its alert when one takes it up again."""
    await recorded(api)
    limit = {"customer_id": "acme", "amount": "1.00", "window": "total", "thresholds": ["1"]}
    assert (await api.post("/v1/limits", json=limit)).status_code == 200
    assert (await api.get("/v1/alerts")).json()["data"] == []

    await api.post(URL, json=correction("up", output_tokens=2_000_000))
    raised = (await api.get("/v1/alerts")).json()["data"]
    await api.post(URL, json=correction("down", output_tokens=1))
    await api.post(URL, json=correction("up again", output_tokens=2_000_000))

    assert [each["spend"] for each in raised] == ["1.800760500000"]
    assert (await api.get("/v1/alerts")).json()["data"] == raised


async def test_seconds_are_corrected_exactly(api: httpx.AsyncClient) -> None:
    """Other units too: 90 seconds of audio at 0.20 a minute cost 0.30, 60 cost 0.20."""
    await recorded(api, model="whisper-v3", input_tokens=0, output_tokens=0, input_seconds=90)
    body = (await api.post(URL, json=correction(input_seconds=60))).json()

    assert (body["input_seconds"], body["cost"]) == ("60.000000", "0.200000000000")
    assert (await totals(api))["input_seconds"] == "60.000000"
    body = (await api.post(URL, json=correction("c2", input_seconds=0, output_tokens=5))).json()
    assert "input_seconds" not in body
    assert (body["cost"], body["rate_version"]) == (
        None,
        None,
    )  # whisper-v3 has no price for tokens
    assert (await api.get("/v1/spend", params=OCTOBER)).json()["unrated_requests"] == 1


async def test_ids_are_any_text(api: httpx.AsyncClient) -> None:
    """An id with slashes, or one that ends like a path of ours, is written quoted."""
    for name, quoted in (("a/b c", "a%2Fb%20c"), ("x/adjustments", "x%2Fadjustments")):
        await recorded(api, request_id=name)
        answer = await api.post(f"/v1/requests/{quoted}/adjustments", json=void(name))
        assert (answer.status_code, answer.json()["request_id"]) == (201, name)
    assert (await api.post("/v1/requests/a%2Fb%20c", json=void())).status_code == 405


async def _list(api: httpx.AsyncClient, status: str | None) -> list[dict[str, Any]]:
    parameters = {} if status is None else {"status": status}
    return list((await api.get("/v1/requests", params=parameters)).json()["data"])
