"""Answers that other systems are known to have got wrong, asked of the real service.

A lab's table says, in USD per 1M tokens:

| model   | call  | input | cached | output |
| chat    | plain | 2.00  | 0.50   | 8.00   |
| chat    | batch | 1.00  | 0.25   | 4.00   |
| thinker | plain | 1.25  | -      | 10.00  |
"""

import itertools
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ledger.clock import FixedClock
from ledger.services.proof.verification import verify
from ledger.services.rates import publish_tables
from ledger.store.database import Database
from tests.scenarios.invoice_tables import run

LLAMA = "accounts/fireworks/models/llama-v3p3-70b-instruct"
MODELS = """\
  chat:
    input: "2.00"
    cached_input: "0.50"
    output: "8.00"
    variants:
      - {when: {batch: true}, input: "1.00", cached_input: "0.25", output: "4.00"}
  thinker: {input: "1.25", output: "10.00"}
"""
OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}
_ids = itertools.count()


async def publish(
    database: Database, clock: FixedClock, version: str, since: str, models: str = MODELS
) -> None:
    text = (
        f'provider: lab\nversion: "{version}"\neffective_from: {since}T00:00:00Z\ncurrency: USD\n'
        f"models:\n{models}"
    )
    await publish_tables(database, clock, "test", [(f"{version}.yaml", text)], currency="USD")


@pytest.fixture
async def lab(api: httpx.AsyncClient, database: Database, clock: FixedClock) -> httpx.AsyncClient:
    """The service with the lab's table published."""
    await publish(database, clock, "first", "2026-01-01")
    return api


async def sent(lab: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """The service's answer to one more record of acme's, of the lab unless it says otherwise."""
    record = {
        "request_id": f"wrong-answers-{next(_ids)}",
        "customer_id": "acme",
        "provider": "lab",
        "model": "chat",
        "timestamp": "2026-10-15T12:00:00Z",
    }
    answer = await lab.post("/v1/requests", json=record | fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def spend(lab: httpx.AsyncClient, **question: Any) -> dict[str, Any]:
    answer = await lab.get("/v1/spend", params=OCTOBER | question)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


OPENAI = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 400},
}
RESPONSES = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 400},
    "output_tokens": 100,
    "total_tokens": 1100,
}
ANTHROPIC = {"input_tokens": 600, "cache_read_input_tokens": 400, "output_tokens": 100}
GEMINI = {"promptTokenCount": 1000, "cachedContentTokenCount": 400, "candidatesTokenCount": 100}
DEEPSEEK = {
    "prompt_tokens": 1000,
    "prompt_cache_hit_tokens": 400,
    "prompt_cache_miss_tokens": 600,
    "completion_tokens": 100,
}


@pytest.mark.parametrize("usage", [OPENAI, RESPONSES, ANTHROPIC, GEMINI, DEEPSEEK], ids="ORAGD")
async def test_cached_tokens_are_not_charged_twice(
    lab: httpx.AsyncClient, usage: dict[str, Any]
) -> None:
    """600 x 2.00 + 400 x 0.50 + 100 x 8.00 per million, whichever way a provider counts its cache.

    0.0030 is the answer that charges them in full, 0.0030 + 0.0002 the one that charges them again beside
    the input they are part of (litellm#6215, #11364, #14874; langfuse#5568).
    """
    body = await sent(lab, usage=usage)
    assert body["cost"] == "0.002200000000"
    assert (body["input_tokens"], body["cached_input_tokens"]) == (1000, 400)
    totals = (await spend(lab))["totals"]
    assert (totals["cost"], totals["input_tokens"]) == ("0.002200000000", 1000)


async def test_reasoning_is_neither_added_again_nor_all_there_is(lab: httpx.AsyncClient) -> None:
    """1,000 x 2.00 + 500 x 8.00: the 300 of reasoning are within the 500 (litellm#18599).

    0.0084 is the answer that adds them, 0.0044 the one that forgets the other output.
    """
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "total_tokens": 1500,
        "completion_tokens_details": {"reasoning_tokens": 300},
    }
    body = await sent(lab, usage=usage)
    assert (body["cost"], body["output_tokens"]) == ("0.006000000000", 500)
    assert body["reasoning_tokens"] == 300


@pytest.mark.parametrize(
    "call",
    [
        {"batch": True, "input_tokens": 1000, "output_tokens": 100},
        {"service_tier": "batch", "input_tokens": 1000, "output_tokens": 100},
        {"usage": ANTHROPIC | {"cache_read_input_tokens": 0, "input_tokens": 1000, "service_tier": "batch"}},
    ],
    ids=["stated", "as a tier", "in the usage object"],
)  # fmt: skip
async def test_a_batch_costs_half_and_not_the_full_price(
    lab: httpx.AsyncClient, call: dict[str, Any]
) -> None:
    """1,000 x 1.00 + 100 x 4.00, however it is said that it was a batch (litellm PR#37077)."""
    assert (await sent(lab, **call))["cost"] == "0.001400000000"


async def test_a_batch_without_a_batch_price_is_unrated(lab: httpx.AsyncClient) -> None:
    """Neither at the full price nor at nothing."""
    body = await sent(lab, model="thinker", batch=True, input_tokens=1000)
    assert (body["cost"], body["fee"], body["rate_version"]) == (None, None, None)


async def test_an_unknown_model_is_not_free(lab: httpx.AsyncClient) -> None:
    """It is counted as unrated, told beside the sums, and never priced at zero in silence.

    (litellm#11975, #10598; Helicone#2983.)
    """
    body = await sent(lab, model="chat-next", input_tokens=1000)
    assert (body["cost"], body["fee"], body["spend"]) == (None, None, None)
    answer = await spend(lab)
    assert (answer["unrated_requests"], answer["totals"]["requests"]) == (1, 1)
    listed = (await lab.get("/v1/requests", params={"status": "unrated"})).json()["data"]
    assert [each["model"] for each in listed] == ["chat-next"]


async def test_thoughts_are_output(lab: httpx.AsyncClient) -> None:
    """1,000 x 1.25 + (200 + 300) x 10.00: Gemini states its thoughts beside the candidates.

    0.00325 is the answer that drops them.
    """
    usage = {
        "promptTokenCount": 1000,
        "candidatesTokenCount": 200,
        "thoughtsTokenCount": 300,
        "totalTokenCount": 1500,
    }
    body = await sent(lab, model="thinker", usage=usage)
    assert (body["cost"], body["output_tokens"]) == ("0.006250000000", 500)


async def test_a_change_in_mid_month_prices_each_side_by_its_own(
    lab: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """Records before it keep the old price, even those that come late.

    | used on | came     | price |
    | 10-14   | in time  | 2.00  |
    | 10-15   | in time  | 3.00  |
    | 10-14   | late     | 2.00  |
    """
    await publish(database, clock, "autumn", "2026-10-15", '  chat: {input: "3.00"}\n')
    for day in ("14", "15", "14"):
        await sent(lab, timestamp=f"2026-10-{day}T12:00:00Z", input_tokens=1_000_000)
    rows = (await spend(lab, group_by="day"))["rows"]
    assert [(row["day"], row["requests"], row["cost"]) for row in rows] == [
        ("2026-10-14", 2, "4.000000000000"),
        ("2026-10-15", 1, "3.000000000000"),
    ]


async def test_a_price_for_the_past_changes_nothing_by_itself(
    lab: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """What is recorded keeps the version it was priced by; only what comes later has the new one.

    (agentsview#1540, any-llm PR#995: history priced anew whenever a table changes.)
    """
    before = await sent(lab, input_tokens=1_000_000)
    await publish(database, clock, "retroactive", "2026-02-01", '  chat: {input: "9.00"}\n')

    stands = (await lab.get(f"/v1/requests/{before['request_id']}")).json()
    assert (stands["cost"], stands["rate_version"]) == ("2.000000000000", "first")
    assert (await spend(lab))["totals"]["cost"] == "2.000000000000"
    after = await sent(lab, input_tokens=1_000_000)
    assert (after["cost"], after["rate_version"]) == ("9.000000000000", "retroactive")
    assert (await verify(database, clock))["ok"]


async def test_a_thousand_small_records_are_not_rounded_one_by_one(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """1,000 x 0.001244430000 are 1.24443 and are invoiced as 1.24.

    Each in cents is 0.00, for ever (mitos-run/mitos#662).
    """
    meter = {"meter_slug": "standard", "percentage": "10"}
    assert (await api.post("/v1/meters", json=meter)).status_code == 200
    assert (await api.put("/v1/customers/acme", json={"meter_slug": "standard"})).status_code == 200
    records = [
        {
            "request_id": f"small-{number}",
            "customer_id": "acme",
            "model": LLAMA,
            "timestamp": "2026-10-15T12:00:00Z",
            "input_tokens": 845,
            "output_tokens": 412,
        }
        for number in range(1000)
    ]
    answer = await api.post("/v1/requests/batch", json=records)
    assert answer.json()["accepted"] == 1000
    totals = (await spend(api))["totals"]
    assert (totals["cost"], totals["spend"]) == ("1.131300000000", "1.244430000000")

    report = await run(database, clock, "2026-10")
    [invoice] = report["invoices"]
    assert Decimal(invoice["total"]) == Decimal("1.24")
