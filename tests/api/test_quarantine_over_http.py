"""`/v1/quarantine`: listed, shown, replayed and dismissed; a key of one customer sees its own."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.services.customers import set_customer
from ledger.services.meters import set_meter
from ledger.store.database import Database
from tests.api.doors import MINE, THEIRS, Door, open_door, record
from tests.conftest import ADMIN_KEY

PATH = "/v1/quarantine"


@pytest.fixture
async def door(database: Database, clock: FixedClock) -> AsyncIterator[Door]:
    """The application on the fresh database."""
    async with open_door(database, clock) as opened:
        yield opened


async def told(door: Door, method: str, path: str, key: str = ADMIN_KEY, **request: Any) -> Any:
    """What a key is answered."""
    answer = await door.ask(key, method, path, **request)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refuse(
    door: Door, key: str, *names: str, customer_id: str | None = None, **fields: Any
) -> None:
    """Send records whose meter nobody knows."""
    fields = {"meter_slug": "pro"} | fields
    batch = [record(name, customer_id, **fields) for name in names]
    counters = await told(door, "POST", "/v1/requests/batch", key, json=batch)
    assert counters["rejected"] == len(names)


async def mend(door: Door) -> None:
    """Make the meter known, and the one of the customer whose keys may name no other."""
    await set_meter(door.database, door.clock, "test", "pro", {"percentage": "10"})
    await set_customer(door.database, door.clock, "test", MINE, "pro")


async def listed(door: Door, query: str = "", key: str = ADMIN_KEY) -> list[Any]:
    """The requests of a page."""
    page = await told(door, "GET", f"{PATH}{query}", key)
    return [row["request_id"] for row in page["data"]]


async def test_what_is_refused_is_listed_with_the_reason(door: Door) -> None:
    """Each row says who sent what and why it was refused; nothing of its content."""
    await refuse(door, ADMIN_KEY, "r1", customer_id=MINE)

    page = await told(door, "GET", PATH)

    [row] = page.pop("data")
    assert page == {"has_more": False, "next_cursor": None, "not_kept": 0}
    name, size = row.pop("quarantine_id"), row.pop("record_bytes")
    assert name.startswith("q_")
    assert size > 100
    assert row == {
        "sender": "admin", "sender_customer_id": None, "request_id": "r1", "customer_id": MINE,
        "outcome": "rejected", "code": "unknown_meter", "field": "meter_slug",
        "detail": "meter_slug: must be the slug of a meter; `ledger meters list` shows them",
        "sightings": 1, "first_seen_at": "2026-11-20T12:00:00Z", "last_seen_at": "2026-11-20T12:00:00Z",
        "is_whole": True,
    }  # fmt: skip


async def test_pages_follow_each_other(door: Door) -> None:
    """Every record once, last seen first, whatever the size of a page."""
    for number in range(7):
        door.clock.instant = door.clock.instant.replace(minute=number % 3)
        await refuse(door, ADMIN_KEY, f"r{number}", customer_id=MINE)
    whole = await listed(door, "?limit=100")
    assert {name[1:] for name in whole[:2]} == {"2", "5"}

    found: list[str] = []
    cursor = ""
    while True:
        page = await told(door, "GET", f"{PATH}?limit=2{cursor}")
        found += [row["request_id"] for row in page["data"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert found == whole
    assert len(set(whole)) == 7


async def test_filters_are_what_the_records_say(door: Door) -> None:
    """Alone and together; what nothing says finds nothing."""
    key = await door.make_key("ingest")
    await refuse(door, ADMIN_KEY, "r1", customer_id=MINE)
    await refuse(door, key, "r2", customer_id=THEIRS)
    await refuse(door, key, "r3", customer_id=THEIRS, input_tokens=-1)

    assert await listed(door, "?sender=admin") == ["r1"]
    assert await listed(door, "?code=out_of_range") == ["r3"]
    assert await listed(door, "?outcome=conflict") == []
    assert await listed(door, "?request_id=r2") == ["r2"]
    assert sorted(await listed(door, f"?customer_id={THEIRS}")) == ["r2", "r3"]
    assert await listed(door, f"?customer_id={THEIRS}&code=unknown_meter&outcome=rejected") == [
        "r2"
    ]
    assert await listed(door, "?sender=nobody") == []


@pytest.mark.parametrize(
    "query",
    [
        "outcome=lost",
        "limit=101",
        "cursor=x",
        "cursor=%FF",
        "cursor=MjAyNi0xMS0yMFQxMjowMDowMFogOTk5OTk5OTk5OTkgcV8w",  # 2026-11-20T12:00:00Z 99999999999 q_0
        "cursor=MjAyNi0xMS0yMFQxMjowMDowMFogLTEgcV8w",  # 2026-11-20T12:00:00Z -1 q_0
        "cursor=MjAyNi0xMS0yMFQxMjowMDowMFogMCAA",  # 2026-11-20T12:00:00Z 0 NUL
        "sender=%00",
        "customer_id=%00",
        "colour=red",
    ],
)
async def test_a_bad_question_is_a_400(door: Door, query: str) -> None:
    """Never a 5xx, whatever stands in it."""
    answer = await door.ask(ADMIN_KEY, "GET", f"{PATH}?{query}")
    assert answer.status_code == 400, answer.text


async def test_one_is_shown_with_its_content_and_all_faults(door: Door) -> None:
    """As it came, in text; what is no UTF-8 in base64."""
    bad = {
        "request_id": "r1",
        "customer_id": MINE,
        "images": -1,
        "status": "done",
        "apiKey": "abcdefghij",
    }
    await door.ask(ADMIN_KEY, "POST", "/v1/requests", json=bad)
    [row] = (await told(door, "GET", PATH))["data"]

    body = await told(door, "GET", f"{PATH}/{row['quarantine_id']}")

    assert {name: body[name] for name in row} == row
    assert [(each["field"], each["code"]) for each in body["errors"]] == [
        ("images", "out_of_range"),
        ("status", "unknown_value"),
    ]
    assert body["record_encoding"] == "utf-8"
    assert json.loads(body["record"]) == bad | {"apiKey": "ab… (10 characters)"}
    assert body["conflict"] is None

    headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/x-ndjson"}
    await door.client.post("/v1/requests/batch", content=b'{"x": "\xff"}', headers=headers)
    [row] = (await told(door, "GET", f"{PATH}?code=malformed_json"))["data"]
    body = await told(door, "GET", f"{PATH}/{row['quarantine_id']}")
    assert (body["record"], body["record_encoding"]) == ("eyJ4IjogIv8ifQ==", "base64")


async def test_a_record_that_was_cut_off_is_text_up_to_there(door: Door) -> None:
    """Even where a character was cut in two."""
    for shift in range(3):
        note = "x" * shift + "€" * 30_000
        bad = record(f"r{shift}", MINE, meter_slug="pro", note=note)
        content = json.dumps(bad, ensure_ascii=False).encode()
        headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}
        await door.client.post("/v1/requests", content=content, headers=headers)

    for row in (await told(door, "GET", PATH))["data"]:
        body = await told(door, "GET", f"{PATH}/{row['quarantine_id']}")
        assert (body["record_encoding"], body["is_whole"]) == ("utf-8", False)
        assert body["record"].endswith("€")


async def test_a_replay_over_http(door: Door) -> None:
    """Refused as before, then recorded once; after that it is not there."""
    await refuse(door, ADMIN_KEY, "r1", customer_id=MINE)
    [row] = (await told(door, "GET", PATH))["data"]
    path = f"{PATH}/{row['quarantine_id']}/replay"

    before = await told(door, "POST", path)
    await mend(door)
    after = await told(door, "POST", path)

    assert (before["read"], before["rejected"]) == (1, 1)
    assert before["records"][0]["kept_as"] == row["quarantine_id"]
    assert (after["accepted"], after["records"][0]["outcome"]) == (1, "accepted")
    assert after["records"][0]["kept_as"] is None
    assert (await door.ask(ADMIN_KEY, "POST", path)).status_code == 404
    assert (await told(door, "GET", "/v1/requests/r1"))["spend"] == "0.990000000000"
    assert await listed(door) == []


async def test_dismissing_over_http(door: Door) -> None:
    """With a reason and by whom; twice is a 404."""
    await refuse(door, ADMIN_KEY, "r1", customer_id=MINE)
    [row] = (await told(door, "GET", PATH))["data"]
    path = f"{PATH}/{row['quarantine_id']}/dismiss"

    for form in ({}, {"reason": ""}, {"reason": "x" * 1001}, {"reason": "a", "why": "b"}):
        assert (await door.ask(ADMIN_KEY, "POST", path, json=form)).status_code == 400
    dismissed = await told(door, "POST", path, json={"reason": "a test"})

    assert dismissed["quarantine_id"] == row["quarantine_id"]
    assert (await door.ask(ADMIN_KEY, "POST", path, json={"reason": "a test"})).status_code == 404
    async with door.database.connection() as connection:
        actor = await connection.fetchval(
            "SELECT actor FROM ledger_event WHERE kind = 'quarantine_dismissed'"
        )
    assert actor == "admin"


async def test_a_bound_key_has_its_own_quarantine(door: Door) -> None:
    """It lists, shows, replays and dismisses what keys of its customer sent; the rest is a 404."""
    mine = await door.make_key("ingest", "read", customer_id=MINE)
    twin = await door.make_key("ingest", customer_id=MINE)
    theirs = await door.make_key("ingest", "read", customer_id=THEIRS)
    await refuse(door, mine, "a1", "a2")
    await refuse(door, twin, "a3")
    await refuse(door, theirs, "b1", "b2")
    await refuse(door, ADMIN_KEY, "c1", customer_id=MINE)  # about the customer, not from it
    names = {
        row["request_id"]: f"{PATH}/{row['quarantine_id']}"
        for row in (await told(door, "GET", f"{PATH}?limit=100"))["data"]
    }
    assert sorted(names) == ["a1", "a2", "a3", "b1", "b2", "c1"]

    assert sorted(await listed(door, key=mine)) == ["a1", "a2", "a3"]
    assert await listed(door, "?request_id=b1", mine) == []
    assert sorted(await listed(door, f"?customer_id={MINE}", mine)) == ["a1", "a2", "a3"]
    foreign = await door.ask(mine, "GET", f"{PATH}?customer_id={THEIRS}")
    assert foreign.status_code == 403
    await mend(door)
    for request in ("b1", "c1"):
        nowhere = names[request].replace("q_", "q_0")
        for path in (names[request], nowhere):
            why = {"reason": "not mine"}
            answers = [
                await door.ask(mine, "GET", path),
                await door.ask(mine, "POST", f"{path}/replay"),
                await door.ask(mine, "POST", f"{path}/dismiss", json=why),
            ]
            assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert (await told(door, "GET", names["a3"], mine))["sender_customer_id"] == MINE
    assert (await told(door, "POST", f"{names['a1']}/replay", mine))["accepted"] == 1
    await told(door, "POST", f"{names['a2']}/dismiss", mine, json={"reason": "sent by mistake"})
    assert sorted(await listed(door, "?limit=100")) == ["a3", "b1", "b2", "c1"]
    assert (await told(door, "GET", "/v1/requests/a1", mine))["customer_id"] == MINE


async def test_a_bound_key_sees_its_conflict_side_by_side(door: Door) -> None:
    """Through the wall that shows it its own rows alone."""
    key = await door.make_key("ingest", "read", customer_id=MINE)
    for tokens in (5, 6):
        await door.ask(key, "POST", "/v1/requests", json=record("r1", None, input_tokens=tokens))
    [row] = (await told(door, "GET", PATH, key))["data"]

    conflict = (await told(door, "GET", f"{PATH}/{row['quarantine_id']}", key))["conflict"]

    assert conflict["differences"] == [{"field": "input_tokens", "sent": 6, "recorded": 5}]
    assert conflict["recorded"]["customer_id"] == conflict["sent"]["customer_id"] == MINE


async def test_what_had_no_room_is_counted(door: Door) -> None:
    """For the sender that was told so; another customer's key is not told of it."""
    key = await door.make_key("ingest", "read", customer_id=MINE)
    await refuse(door, key, "a1")
    async with door.database.connection() as connection:
        await connection.execute("UPDATE quarantine_sender SET kept = 9999, not_kept = 2")
    await refuse(door, key, "a2", "a3", "a4")
    page = await told(door, "GET", PATH, key)

    assert (page["not_kept"], len(page["data"])) == (4, 2)
    assert (await told(door, "GET", f"{PATH}?sender=nobody"))["not_kept"] == 0
    assert (await told(door, "GET", PATH))["not_kept"] == 4
    theirs = await door.make_key("read", customer_id=THEIRS)
    assert (await told(door, "GET", PATH, theirs))["not_kept"] == 0
