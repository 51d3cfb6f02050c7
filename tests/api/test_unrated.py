"""`GET /v1/unrated`: what has no price, by who used it and how, with why and since when."""

from typing import Any

import httpx

from ledger.clock import FixedClock
from ledger.core.rows import UsageEvent
from ledger.services.rerating.unrated_job import rate_unrated
from ledger.services.unrated import announce_unrated
from ledger.store.database import Database
from ledger.store.interning import Interned
from tests.conftest import NOW, execute
from tests.scenarios.invoice_tables import MODELS
from tests.scenarios.rerating_tables import publish

RECORD = {
    "customer_id": "acme",
    "provider": "fireworks",
    "model": "mystery",
    "timestamp": "2026-10-05T10:20:00Z",
    "input_tokens": 10,
    "cached_input_tokens": 4,
    "output_tokens": 5,
}


async def recorded(api: httpx.AsyncClient, request_id: str, **changes: Any) -> None:
    answer = await api.post("/v1/requests", json={"request_id": request_id, **RECORD, **changes})
    assert answer.status_code == 201, answer.text


async def listed(api: httpx.AsyncClient, **parameters: Any) -> list[dict[str, Any]]:
    answer = await api.get("/v1/unrated", params=parameters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


async def test_a_group_tells_what_was_used_and_why_it_has_no_price(api: httpx.AsyncClient) -> None:
    """Sums over all requests of one kind, with every unit, and the hours they lie in."""
    await recorded(api, "req_test_1")
    await recorded(api, "req_test_2", timestamp="2026-10-07T23:59:59Z", input_seconds=2.5, images=3)
    await recorded(api, "req_test_3", status="pending", output_tokens=None)

    (group,) = await listed(api)

    del group["alerted_at"]
    assert group == {
        "customer_id": "acme",
        "provider": "fireworks",
        "model": "mystery",
        "service_tier": None,
        "batch": False,
        "region": None,
        "accelerator": None,
        "key_type": "managed",
        "requests": 2,
        "input_tokens": 20,
        "cached_input_tokens": 8,
        "output_tokens": 10,
        "images": 3,
        "input_seconds": "2.500000",
        "first_hour": "2026-10-05T10:00:00Z",
        "last_hour": "2026-10-07T23:00:00Z",
        "reason": "the rate table fireworks 2026-05-12 does not list the model",
    }


async def test_groups_are_by_all_that_prices_depend_on(api: httpx.AsyncClient) -> None:
    """And by customer and type of key; what has a price is in none."""
    await recorded(api, "req_test_rated", model="accounts/fireworks/models/gpt-oss-20b")
    kinds: list[dict[str, Any]] = [
        {"customer_id": "beta"},
        {"provider": "nobody"},
        {"model": "mystery-2"},
        {"provider_key_type": "byok"},
        {"service_tier": "priority"},
        {"batch": True},
        {"region": "us"},
        {"accelerator": "h100"},
        {"model": None},
        {"provider": None},
    ]
    for number, changes in enumerate(kinds):
        await recorded(api, f"req_test_{number}", **changes)

    groups = await listed(api)

    assert [group["requests"] for group in groups] == [1] * 10
    assert len(await listed(api, customer_id="beta")) == 1
    assert len(await listed(api, customer_id=["beta", "acme"])) == 10
    assert await listed(api, customer_id="nobody") == []
    reasons = {(group["provider"], group["model"]): group["reason"] for group in groups}
    assert "names no model" in reasons["fireworks", None]
    assert "no rate table of nobody" in reasons["nobody", "mystery"]
    assert "no provider is stated" in reasons[None, "mystery"]


async def test_a_list_is_cut_where_it_is_asked_to(api: httpx.AsyncClient) -> None:
    """It says so; a limit outside its rule and a parameter that there is not are refused."""
    for number in range(3):
        await recorded(api, f"req_test_{number}", model=f"mystery-{number}")

    body = (await api.get("/v1/unrated", params={"limit": 2})).json()

    assert ([group["model"] for group in body["data"]], body["has_more"]) == (
        ["mystery-0", "mystery-1"],
        True,
    )
    assert not (await api.get("/v1/unrated", params={"limit": 3})).json()["has_more"]
    assert (await api.get("/v1/unrated", params={"limit": 1001})).status_code == 400
    assert (await api.get("/v1/unrated", params={"customer": "acme"})).status_code == 400
    assert (await api.get("/v1/unrated", headers={"Authorization": ""})).status_code == 401


async def test_a_group_is_gone_once_it_is_rated(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """Until then a table that has a price by now is named as that."""
    await recorded(api, "req_test_1", model=MODELS["mystery"])
    await publish(database, clock, "wide", mystery="2")

    (waiting,) = await listed(api)
    assert waiting["reason"] == (
        "no price was known when it came; the rate table fireworks wide has one now"
    )

    assert await rate_unrated(database, clock)
    assert await listed(api) == []


async def test_a_group_tells_when_it_was_announced(
    api: httpx.AsyncClient, database: Database, database_url: str
) -> None:
    """By the first of its months that was; null when none was."""
    await recorded(api, "req_test_1", timestamp="2026-08-05T10:20:00Z")
    await recorded(api, "req_test_2", timestamp="2026-10-05T10:20:00Z")
    await execute(database_url, "DELETE FROM ledger.outbox")
    (group,) = await listed(api)
    assert group["alerted_at"] is None

    async with database.connection() as connection, connection.transaction():
        columns = ", ".join(UsageEvent._fields)
        rows = await connection.fetch(f"SELECT {columns} FROM usage_event ORDER BY occurred_at")
        await announce_unrated(connection, [UsageEvent(*rows[1])], NOW, Interned())

    (group,) = await listed(api)
    assert group["alerted_at"] == "2026-11-20T12:00:00Z"
