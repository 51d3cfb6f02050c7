"""Every endpoint, with every sort of key: who may ask for what, and what the others are told."""

from pathlib import Path
from typing import Any

from litestar.routes import HTTPRoute

from ledger.api.app import create_app
from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.core.keys import key_id_in
from ledger.settings import Settings
from ledger.store.database import Database
from tests.api.doors import MINE, THEIRS, Door, open_door, record
from tests.api.endpoints import CALLS, PUBLIC, Call
from tests.conftest import ADMIN_KEY


async def test_the_matrix_knows_every_endpoint(database: Database, clock: FixedClock) -> None:
    """An endpoint that is not in it cannot be added."""
    ledger = Ledger(Settings(database_url="", data_dir=Path()), clock, database, ())
    served = {
        (method, route.path)
        for route in create_app(ledger, ADMIN_KEY).routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }

    assert {path for _, path in served} > PUBLIC
    assert {(call.method, call.route) for call in CALLS} == {
        (method, path) for method, path in served if path not in PUBLIC
    }


async def test_no_handler_has_another_hook(database: Database, clock: FixedClock) -> None:
    """The hook that admits is the only one before a request: one of a handler's own would replace it."""
    ledger = Ledger(Settings(database_url="", data_dir=Path()), clock, database, ())
    app = create_app(ledger, ADMIN_KEY)

    assert app.before_request is not None
    assert {type(route) for route in app.routes} == {HTTPRoute}
    assert {
        handler.resolve_before_request()
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
    } == {app.before_request}


async def test_every_key_opens_what_its_scope_says(database: Database, clock: FixedClock) -> None:
    """No key, a malformed, a made-up, a revoked, an expired one: 401. A key without the scope: 403.

    A key with it is answered; one that is bound to a customer is so about that customer, and about another it
    is told what it would be told if there were none of that name.
    """
    async with open_door(database, clock) as door:
        await fill(door)
        keys = await keys_of_every_sort(door)
        found, expected = {}, {}
        for call in CALLS:
            for sort, (key, scope, customer) in keys.items():
                for about in (MINE, THEIRS):
                    cell = f"{call.method} {call.path} {call.body} by {sort} about {about}"
                    found[cell] = await knock(door, call, key, about)
                    expected[cell] = code(call, scope, customer, about)

    assert {cell: found[cell] for cell in found if found[cell] != expected[cell]} == {}


def code(call: Call, scope: str | None, customer: str | None, about: str) -> int:
    """What a key is answered; 200 stands for every success."""
    if scope is None:
        return 401
    if scope != "admin" and scope not in call.scopes:
        return 403
    if customer is not None and call.bound is not None:
        return call.bound
    return call.foreign if customer not in (None, about) and call.foreign is not None else 200


async def keys_of_every_sort(door: Door) -> dict[str, tuple[str | None, str | None, str | None]]:
    """By name: a key, its scope if it is of any use, and the customer that it is bound to."""
    revoked = await door.make_key("ingest", "read", "finance", "admin")
    await door.revoke(revoked)
    made_up = revoked[:-1] + ("x" if revoked[-1] != "x" else "y")
    keys: dict[str, tuple[str | None, str | None, str | None]] = {
        "nobody": (None, None, None),
        "a malformed key": ("x" * 40, None, None),
        "a made-up key": (made_up, None, None),
        "a revoked key": (revoked, None, None),
        "the admin of the environment": (ADMIN_KEY, "admin", None),
        "an admin": (await door.make_key("admin"), "admin", None),
    }
    for scope in ("ingest", "read", "finance"):
        keys[f"a key to {scope}"] = (await door.make_key(scope), scope, None)
        bound = await door.make_key(scope, customer_id=MINE)
        keys[f"a key of {MINE} to {scope}"] = (bound, scope, MINE)
    return keys


async def fill(door: Door) -> None:
    """Two customers with a meter, a limit, an alert and an invoice each."""
    await said(door, "POST", "/v1/meters", {"meter_slug": "ten", "percentage": "10"})
    for customer in (MINE, THEIRS):
        await said(door, "PUT", f"/v1/customers/{customer}", {"meter_slug": "ten"})
        limit = {"customer_id": customer, "amount": "0.5", "window": "month", "thresholds": ["1"]}
        await said(door, "POST", "/v1/limits", limit)
        records = [
            record(f"of-{customer}", customer),
            record(f"old-{customer}", customer, timestamp="2026-10-19T08:00:00Z"),
            record(f"unknown-{customer}", customer, model="no such model"),
        ]
        await said(door, "POST", "/v1/requests/batch", records)
    await said(door, "POST", "/v1/invoices/runs", {"period": "2026-10"})


async def said(door: Door, method: str, path: str, body: Any = None) -> Any:
    """What an admin is answered."""
    answer = await door.ask(ADMIN_KEY, method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def thing_of(door: Door, customer: str, word: str) -> str:
    """What a word in braces stands for; made anew where a call uses it up."""
    if word == "customer":
        return customer
    if word == "invoice":
        return str(
            (await said(door, "GET", f"/v1/invoices?customer_id={customer}"))["data"][0]["number"]
        )
    if word == "key_id":
        return key_id_in(await door.make_key("read", customer_id=customer)) or ""
    sending = await door.make_key("ingest", customer_id=customer)
    bad = await door.ask(
        sending, "POST", "/v1/requests", json={"request_id": "bad", "input_tokens": -1}
    )
    assert bad.status_code == 400, bad.text
    page = await said(door, "GET", f"/v1/quarantine?sender={key_id_in(sending)}")
    return str(page["data"][0]["quarantine_id"])


async def knock(door: Door, call: Call, key: str | None, about: str) -> int:
    """Make a call about a customer; what it is answered."""
    words = {"key": "nobody" if key is None else key[-12:]}
    for word in ("customer", "invoice", "key_id", "quarantine_id"):
        if f"{{{word}}}" in f"{call.path} {call.body}":
            words[word] = await thing_of(door, about, word)
    body = {} if call.body is None else {"json": filled(call.body, words)}
    answer = await door.ask(key, call.method, filled(call.path, words), **body)
    return 200 if answer.is_success else answer.status_code


def filled(value: Any, words: dict[str, str]) -> Any:
    """A value with every word in braces replaced."""
    match value:
        case str():
            for word, text in words.items():
                value = value.replace(f"{{{word}}}", text)
            return value
        case dict():
            return {name: filled(each, words) for name, each in value.items()}
        case list():
            return [filled(each, words) for each in value]
    return value
