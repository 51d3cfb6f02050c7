"""The record that DESIGN works out by hand, over HTTP."""

import httpx

RECORD = {
    "request_id": "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ",
    "customer_id": "acme",
    "model": "accounts/fireworks/models/llama-v3p3-70b-instruct",
    "provider_key_type": "managed",
    "input_tokens": 845,
    "output_tokens": 412,
}
COST, FEE, SPEND = "0.001131300000", "0.000113130000", "0.001244430000"
OCTOBER = {"from": "2025-10-01", "to": "2025-11-01"}


async def with_meter(api: httpx.AsyncClient) -> None:
    meter = {"meter_slug": "standard", "percentage": "10"}
    assert (await api.post("/v1/meters", json=meter)).status_code == 200
    answer = await api.put("/v1/customers/acme", json={"meter_slug": "standard"})
    assert answer.status_code == 200, answer.text


async def test_a_new_record_is_priced_to_every_digit(api: httpx.AsyncClient) -> None:
    """845 x 0.90 + 412 x 0.90 per million, and 10 % of it."""
    await with_meter(api)

    answer = await api.post("/v1/requests", json=RECORD)

    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["cost"], body["fee"], body["spend"]) == (COST, FEE, SPEND)
    assert body["rate_version"] == "2025-01-01"
    assert body["timestamp"] == "2025-10-16T22:38:50.841000Z"
    totals = (await api.get("/v1/spend", params=OCTOBER)).json()["totals"]
    assert (totals["cost"], totals["fee"], totals["spend"]) == (COST, FEE, SPEND)


async def test_the_same_again_moves_nothing(api: httpx.AsyncClient) -> None:
    """200, the same answer, the same totals."""
    await with_meter(api)
    first = (await api.post("/v1/requests", json=RECORD)).json()

    again = await api.post("/v1/requests", json=RECORD)

    assert again.status_code == 200
    assert first.items() <= again.json().items()
    totals = (await api.get("/v1/spend", params=OCTOBER)).json()["totals"]
    assert (totals["requests"], totals["spend"]) == (1, SPEND)


async def test_another_figure_is_a_conflict(api: httpx.AsyncClient) -> None:
    """409 names the field, the record lies in quarantine, nothing moves."""
    await with_meter(api)
    await api.post("/v1/requests", json=RECORD)

    answer = await api.post("/v1/requests", json={**RECORD, "output_tokens": 413})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["errors"][0]["field"] == "output_tokens"
    assert body["error"]["code"] == "conflicting_record"
    totals = (await api.get("/v1/spend", params=OCTOBER)).json()["totals"]
    assert (totals["requests"], totals["spend"]) == (1, SPEND)


async def test_byok_owes_the_fee_and_keeps_the_cost_as_a_memo(api: httpx.AsyncClient) -> None:
    """Spend of an unmanaged key is the fee alone."""
    await with_meter(api)

    body = (await api.post("/v1/requests", json={**RECORD, "provider_key_type": "byok"})).json()

    assert (body["cost"], body["fee"], body["spend"]) == (COST, FEE, FEE)
    assert body["provider_key_type"] == "unmanaged"
    rows = (await api.get("/v1/spend", params={**OCTOBER, "group_by": "key_type"})).json()["rows"]
    assert [(row["key_type"], row["cost"], row["spend"]) for row in rows] == [("byok", COST, FEE)]
