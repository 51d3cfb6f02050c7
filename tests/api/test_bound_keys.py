"""A key of one customer never learns that there is another."""

import base64
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from ledger.clock import FixedClock
from ledger.store.database import Database
from tests.api.doors import MINE, THEIRS, Door, open_door, record
from tests.api.endpoints import SPAN
from tests.conftest import ADMIN_KEY

NOBODY = "initech"  # as long a name as that of the other customer, and nobody has it
LISTS = (
    "/v1/requests?limit=100", "/v1/customers", "/v1/meters", "/v1/limits", "/v1/alerts", "/v1/unrated",
    "/v1/invoices", "/v1/quarantine", "/v1/keys", "/v1/models", "/v1/rates",
    f"/v1/spend?{SPAN}&group_by=customer,model,day", f"/v1/spend?{SPAN}",
    f"/v1/exports/usage.csv?{SPAN}", f"/v1/exports/invoices.csv?{SPAN}",
)  # fmt: skip
PATHS = (
    "/v1/requests/{name}-now", "/v1/requests/{name}-now/explain", "/v1/requests/shared?customer_id={name}",
    "/v1/requests?customer_id={name}", "/v1/customers/{name}", "/v1/limits?customer_id={name}",
    "/v1/alerts?customer_id={name}", "/v1/unrated?customer_id={name}", "/v1/invoices?customer_id={name}",
    f"/v1/spend?{SPAN}&customer={{name}}", f"/v1/exports/usage.csv?{SPAN}&customer_id={{name}}",
)  # fmt: skip
# What differs from answer to answer: the point in the log that an answer was made at, ids of answers.
_PASSING = re.compile(r'"as_of":\s*"[^"]*"|"error_id":\s*"[^"]*"')


@pytest.fixture
async def door(database: Database, clock: FixedClock) -> AsyncIterator[Door]:
    """Two customers with everything that a customer can have."""
    async with open_door(database, clock) as opened:
        for customer in (MINE, THEIRS):
            await fill(opened, customer)
        await told(opened, "POST", "/v1/invoices/runs", {"period": "2026-10"})
        yield opened


async def told(door: Door, method: str, path: str, body: Any = None) -> Any:
    """What an admin is answered."""
    answer = await door.ask(ADMIN_KEY, method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def fill(door: Door, customer: str) -> None:
    """A meter of its own, a limit with an alert, usage, unrated usage, a refused record, a key."""
    await told(
        door, "POST", "/v1/meters", {"meter_slug": f"{customer}-special", "percentage": "10"}
    )
    await told(door, "PUT", f"/v1/customers/{customer}", {"meter_slug": f"{customer}-special"})
    limit = {"customer_id": customer, "amount": "0.5", "window": "month", "thresholds": ["1"]}
    await told(door, "POST", "/v1/limits", limit)
    records = [
        record(f"{customer}-now", customer),
        record("shared", customer, metadata={"of": customer}),
        record(f"{customer}-then", customer, timestamp="2026-10-19T08:00:00Z"),
        record(f"{customer}-unrated", customer, model=f"{customer}-model"),
    ]
    await told(door, "POST", "/v1/requests/batch", records)
    sending = await door.make_key("ingest", customer_id=customer)
    bad = record(f"{customer}-bad", None, input_tokens=-1)
    assert (await door.ask(sending, "POST", "/v1/requests", json=bad)).status_code == 400


async def test_no_answer_speaks_of_the_other(door: Door) -> None:
    """No list, sum, page or file of a bound key has the other's name in it, and all of them have its own."""
    key = await door.make_key("read", "finance", customer_id=MINE)
    for path in LISTS:
        answer = await door.ask(key, "GET", path)
        assert answer.status_code == 200, (path, answer.text)
        assert THEIRS not in answer.text, path
        if not path.startswith(("/v1/models", "/v1/rates")) and path != f"/v1/spend?{SPAN}":
            assert MINE in answer.text, path
    total = (await door.ask(key, "GET", f"/v1/spend?{SPAN}")).json()["totals"]
    assert (total["requests"], total["spend"]) == (4, "2.970000000000")


async def test_a_name_of_another_is_told_what_a_name_of_nobody_is(door: Door) -> None:
    """Word for word: whether there is such a customer, request or invoice cannot be seen."""
    key = await door.make_key("read", "finance", "ingest", customer_id=MINE)
    for path in PATHS:
        theirs = await door.ask(key, "GET", path.format(name=THEIRS))
        nobodys = await door.ask(key, "GET", path.format(name=NOBODY))
        assert theirs.status_code == nobodys.status_code in (403, 404), path
        assert theirs.text.replace(THEIRS, NOBODY) == nobodys.text.replace(THEIRS, NOBODY), path
    sent = [
        await door.ask(key, "POST", "/v1/requests", json=record("new", name))
        for name in (THEIRS, NOBODY)
    ]
    assert sent[0].status_code == 403
    assert sent[0].text == sent[1].text


async def test_the_same_id_under_two_customers_is_no_riddle_to_either(door: Door) -> None:
    """An admin must say whose it means; a bound key means its own, also where it asks for no customer."""
    assert (await door.ask(ADMIN_KEY, "GET", "/v1/requests/shared")).status_code == 409
    key = await door.make_key("read", "finance", customer_id=MINE)
    assert (await door.ask(key, "GET", "/v1/requests/shared")).json()["metadata"] == {"of": MINE}
    void = {"kind": "void", "reason": "a test", "idempotency_key": "k"}
    assert (
        await door.ask(key, "POST", "/v1/requests/shared/adjustments", json=void)
    ).status_code == 201
    theirs = await told(door, "GET", f"/v1/requests/shared?customer_id={quote(THEIRS)}")
    assert theirs["status"] == "completed"


async def test_records_of_a_bound_key_are_its_customers(door: Door) -> None:
    """One without a customer is its customer's; one of another is refused and kept; the others land."""
    key = await door.make_key("ingest", "read", customer_id=MINE)
    batch = [record("n1", None), record("n2", MINE), record("n3", THEIRS), record("n4", NOBODY)]
    answer = (await door.ask(key, "POST", "/v1/requests/batch", json=batch)).json()
    assert (answer["accepted"], answer["rejected"]) == (2, 2)
    assert {problem["code"] for problem in answer["problems"]} == {"customer_forbidden"}
    assert (await door.ask(key, "GET", "/v1/requests/n1")).json()["customer_id"] == MINE
    kept = (await door.ask(key, "GET", "/v1/quarantine")).json()["data"]
    assert [each["code"] for each in kept].count("customer_forbidden") == 2
    customers = (await told(door, "GET", "/v1/customers"))["data"]
    assert [each["customer_id"] for each in customers] == [MINE, THEIRS]


async def test_a_bound_key_chooses_no_meter(door: Door) -> None:
    """It may name its customer's, and is told of the other's what it is told of one that nobody has."""
    key = await door.make_key("ingest", "read", customer_id=MINE)
    own = await door.ask(
        key, "POST", "/v1/requests", json=record("m1", MINE, meter_slug=f"{MINE}-special")
    )
    assert own.status_code == 201, own.text
    told_of = [
        await door.ask(
            key,
            "POST",
            "/v1/requests",
            json=record(f"m2{name}", MINE, meter_slug=f"{name}-special"),
        )
        for name in (THEIRS, NOBODY)
    ]
    assert [answer.status_code for answer in told_of] == [400, 400]
    assert told_of[0].json() == told_of[1].json()
    unbound = await door.make_key("ingest")
    theirs = record("m3", MINE, meter_slug=f"{THEIRS}-special")
    assert (await door.ask(unbound, "POST", "/v1/requests", json=theirs)).status_code == 201


async def test_cursors_do_not_say_how_many_customers_there_are(door: Door) -> None:
    """A page ends alike whichever number the customer has; and the next one begins where it ended."""
    for name in (MINE, THEIRS):
        key = await door.make_key("read", customer_id=name)
        first = (await door.ask(key, "GET", "/v1/requests?limit=2")).json()
        raw = base64.urlsafe_b64decode(first["next_cursor"] + "==")
        assert raw[16:] == bytes(4)
        second = (
            await door.ask(key, "GET", f"/v1/requests?limit=2&cursor={first['next_cursor']}")
        ).json()
        pages = [each["request_id"] for each in first["data"] + second["data"]]
        assert sorted(pages) == sorted([f"{name}-now", "shared", f"{name}-then", f"{name}-unrated"])


async def test_who_may_only_ingest_reads_nothing_of_others(door: Door) -> None:
    """A repeat is answered with the record and its amounts, and with the sender's own words alone."""
    key = await door.make_key("ingest")
    sighted = {"request_id": "shared", "customer_id": MINE, "status": "pending"}
    answer = (await door.ask(key, "POST", "/v1/requests", json=sighted)).json()
    assert (answer["spend"], answer["metadata"]) == ("0.990000000000", {})
    assert not {"fields", "revisions"} & answer.keys()
    reading = await door.make_key("ingest", "read")
    answer = (await door.ask(reading, "POST", "/v1/requests", json=sighted)).json()
    assert answer["metadata"] == {"of": MINE}
    assert len(answer["revisions"]) == 1


async def test_an_invoice_run_of_a_bound_key_is_about_its_customer(door: Door) -> None:
    """What it shows and what it issues."""
    key = await door.make_key("finance", customer_id=MINE)
    run = {"period": "2026-11", "dry_run": True}
    answer = await door.ask(key, "POST", "/v1/invoices/runs", json=run)
    assert answer.status_code == 200, answer.text
    assert THEIRS not in answer.text
    whole = await told(door, "POST", "/v1/invoices/runs", run)
    assert (
        whole["issued"] == answer.json()["issued"] * 2
        if isinstance(whole["issued"], int)
        else len(whole["issued"]) == 2 * len(answer.json()["issued"])
    )
