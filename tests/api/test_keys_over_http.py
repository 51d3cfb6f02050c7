"""Keys over HTTP: made, shown once, listed, expired, revoked."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.core.keys import key_digest, key_id_in
from ledger.services.proof.verification import verify
from ledger.store.database import Database
from tests.api.doors import MINE, THEIRS, Door, open_door, record
from tests.conftest import ADMIN_KEY

SPEND = "/v1/spend?from=2026-11-01&to=2026-12-01"


@pytest.fixture
async def door(database: Database, clock: FixedClock) -> AsyncIterator[Door]:
    """The application on a fresh ledger."""
    async with open_door(database, clock) as opened:
        yield opened


async def made(door: Door, **wanted: Any) -> dict[str, Any]:
    """A key made over HTTP."""
    answer = await door.ask(
        ADMIN_KEY, "POST", "/v1/keys", json={"name": "n", "scopes": ["read"]} | wanted
    )
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_key_is_shown_once_and_kept_as_a_digest(door: Door) -> None:
    """Its text stands in one answer and nowhere else: not in a list, a decision or a row."""
    body = await made(door, name="gateway", scopes=["read", "ingest"], customer_id=MINE)
    text = body.pop("key")
    assert body == {
        "key_id": key_id_in(text),
        "name": "gateway",
        "scopes": ["ingest", "read"],
        "customer_id": MINE,
        "created_at": "2026-11-20T12:00:00Z",
        "created_by": "admin",
        "expires_at": None,
        "revoked_at": None,
    }
    assert (await door.ask(text, "GET", f"/v1/keys/{body['key_id']}")).json() == body
    assert (await door.ask(text, "GET", "/v1/keys")).json()["data"] == [body]
    connection = await asyncpg.connect(door.database.url, server_settings={"search_path": "ledger"})
    row = await connection.fetchrow("SELECT * FROM api_key")
    facts = await connection.fetch(
        "SELECT kind::text, body::text FROM ledger_event WHERE subject = $1", body["key_id"]
    )
    await connection.close()
    assert row["digest"] == key_digest(text)
    assert [fact["kind"] for fact in facts] == ["key_created"]
    assert text[14:] not in f"{dict(row)}{facts[0]['body']}"


async def test_a_key_expires_and_is_revoked(door: Door, clock: FixedClock) -> None:
    """From then on it is told no more than a key that never was; revoking it again changes nothing."""
    expiring = await made(door, expires_at="2026-11-20T13:00:00Z")
    lasting = await made(door)
    for key in (expiring, lasting):
        assert (await door.ask(key["key"], "GET", SPEND)).status_code == 200
    clock.instant += timedelta(hours=1)
    over = await door.ask(expiring["key"], "GET", SPEND)
    never = await door.ask("lk_0000000000_" + "s" * 43, "GET", SPEND)
    assert over.status_code == never.status_code == 401
    assert over.content == never.content
    assert over.headers["WWW-Authenticate"] == "Bearer"

    path = f"/v1/keys/{lasting['key_id']}/revoke"
    first = await door.ask(ADMIN_KEY, "POST", path, json={"reason": "left in a log"})
    assert first.json()["revoked_at"] == "2026-11-20T13:00:00Z"
    assert (await door.ask(lasting["key"], "GET", SPEND)).status_code == 401
    clock.instant += timedelta(hours=1)
    assert (await door.ask(ADMIN_KEY, "POST", path, json={})).json() == first.json()
    report = await verify(door.database, clock)
    assert report["ok"], report


async def test_a_key_that_ends_while_it_sends_sends_no_more(door: Door) -> None:
    """The lines that came before may land; those after it was revoked do not."""
    key = await door.make_key("ingest")
    revoked = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        yield json.dumps(record("before", MINE)).encode() + b"\n"
        await asyncio.sleep(0.6)
        await door.revoke(key)
        revoked.set()
        await asyncio.sleep(0.6)
        yield json.dumps(record("after", MINE)).encode() + b"\n"

    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    answer = await door.client.post("/v1/requests/batch", content=lines(), headers=headers)
    assert revoked.is_set()
    assert answer.status_code == 401, answer.text
    assert (await door.ask(ADMIN_KEY, "GET", "/v1/requests/after")).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"scopes": []}, ["scopes"]),
        ({"scopes": ["everything"]}, ["scopes"]),
        ({"scopes": ["admin"], "customer_id": MINE}, ["scopes"]),
        ({"expires_at": "2026-11-20T12:00:00Z"}, ["expires_at"]),
        ({"expires_at": "tomorrow"}, ["expires_at"]),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, ["expires_at"]),
        ({"expires_at": "2026-12-01T00:00:00"}, ["expires_at"]),
        ({"customer_id": ""}, ["customer_id"]),
        ({"customer_id": "a\x00b"}, ["customer_id"]),
        ({"customer_id": "x" * 256}, ["customer_id"]),
        ({"scope": "read"}, ["scope"]),
        ({"name": "\ud800"}, None),
    ],
)
async def test_a_key_that_cannot_be_is_refused_by_field(
    door: Door, wanted: dict[str, Any], fields: list[str] | None
) -> None:
    """And no key comes of it."""
    body = json.dumps({"name": "n", "scopes": ["read"]} | wanted)
    headers = {"Content-Type": "application/json"}
    answer = await door.client.post(
        "/v1/keys", content=body, headers=headers | {"Authorization": f"Bearer {ADMIN_KEY}"}
    )
    assert answer.status_code == 400, answer.text
    if fields is not None:
        assert [error["field"] for error in answer.json()["errors"]] == fields
    assert (await door.ask(ADMIN_KEY, "GET", "/v1/keys")).json()["data"] == []


async def test_keys_are_listed_by_pages_oldest_first(door: Door, clock: FixedClock) -> None:
    """Each once; a bound key sees those of its customer alone."""
    expected = []
    for customer_id in (None, MINE, THEIRS, MINE, None):
        expected.append((await made(door, customer_id=customer_id))["key_id"])
        clock.instant += timedelta(seconds=1)
    found, cursor = [], ""
    while True:
        page = (await door.ask(ADMIN_KEY, "GET", f"/v1/keys?limit=2{cursor}")).json()
        found += [key["key_id"] for key in page["data"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == expected
    mine = await made(door, customer_id=MINE)
    own = (await door.ask(mine["key"], "GET", "/v1/keys")).json()["data"]
    assert [key["key_id"] for key in own] == [expected[1], expected[3], mine["key_id"]]
