"""Explanations over HTTP: JSON unless the caller would rather have a page."""

import httpx
import pytest

from ledger.clock import FixedClock
from ledger.store.database import Database
from tests.api.test_worked_record import RECORD, with_meter
from tests.scenarios.invoice_tables import run

PATH = f"/v1/requests/{RECORD['request_id']}/explain"
TEXT = {"Accept": "text/plain"}


async def test_a_request_explains_itself(api: httpx.AsyncClient) -> None:
    """The arithmetic of its amounts, and where they went."""
    await with_meter(api)
    await api.post("/v1/requests", json=RECORD)

    answer = await api.get(PATH)

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Accept"
    body = answer.json()
    assert (body["request_id"], body["agrees"]) == (RECORD["request_id"], True)
    (usage,) = body["revisions"]
    assert usage["steps"][1]["arithmetic"] == "412 x 0.90 / 1,000,000"
    assert usage["spend"]["amount"] == "0.001244430000"
    assert usage["invoice"] == {"state": "not_invoiced", "number": None, "line": None}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/plain", "text/plain"),
        ("application/json;q=0.1, text/plain", "text/plain"),
        ("text/html, */*;q=0.1", "application/json"),
        ("*/*", "application/json"),
        ("image/png", "application/json"),
    ],
)
async def test_the_page_is_for_who_asks_for_it(
    api: httpx.AsyncClient, accept: str, kind: str
) -> None:
    """Nobody is refused for what they accept."""
    await api.post("/v1/requests", json=RECORD)

    answer = await api.get(PATH, headers={"Accept": accept})

    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind
    if kind == "text/plain":
        assert answer.text.startswith(f"Request {RECORD['request_id']} of acme, ")


async def test_an_id_is_any_text(api: httpx.AsyncClient) -> None:
    """One that ends in /explain is written with %2F, whether it is shown or explained."""
    for name in ("a/b", "a/explain", "explain", "a b%"):
        record = {**RECORD, "request_id": name}
        assert (await api.post("/v1/requests", json=record)).status_code == 201
    for quoted, name in (
        ("a/b/explain", "a/b"), ("a%2Fb/explain", "a/b"), ("a%2Fexplain/explain", "a/explain"),
        ("explain/explain", "explain"), ("a%20b%25/explain", "a b%"),
    ):  # fmt: skip
        body = (await api.get(f"/v1/requests/{quoted}")).json()
        assert (body["request_id"], "steps" in body["revisions"][0]) == (name, True)
    for quoted, name in (("a%2Fexplain", "a/explain"), ("explain", "explain")):
        body = (await api.get(f"/v1/requests/{quoted}")).json()
        assert (body["request_id"], "steps" in body["revisions"][0]) == (name, False)


async def test_whose_it_is(api: httpx.AsyncClient) -> None:
    """As for showing a request: 404, 409, and the customer named."""
    for customer in ("acme", "bolt"):
        await api.post("/v1/requests", json={**RECORD, "customer_id": customer})

    assert (await api.get(PATH)).status_code == 409
    named = await api.get(PATH, params={"customer_id": "bolt"})
    assert named.json()["customer_id"] == "bolt"
    for path in ("/v1/requests/req_test_x/explain", f"{PATH}?customer_id=nobody"):
        assert (await api.get(path)).status_code == 404
    for path in ("/v1/requests/a%00b/explain", f"{PATH}?customer_id=a%00b", f"{PATH}?line=1"):
        assert (await api.get(path)).status_code == 400


async def test_an_invoice_and_its_lines_explain_themselves(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """How the total was shared, and which records a line billed."""
    await api.post("/v1/requests", json={**RECORD, "input_tokens": 10**6})
    await run(database, clock, "2025-10")
    paths = "/v1/invoices/INV-000001/explain", "/v1/invoices/INV-000001/lines/1/explain"

    invoice, line = [(await api.get(path)).json() for path in paths]
    pages = [(await api.get(path, headers=TEXT)).text for path in paths]

    assert (invoice["agrees"], invoice["sharing"]["exact"]) == (True, "0.900370800000")
    assert (line["agrees"], line["record_count"]) == (True, 1)
    assert (invoice["differences"], line["differences"]) == ([], [])
    assert line["records"][0]["request_id"] == RECORD["request_id"]
    assert [page.splitlines()[0] for page in pages] == [
        "Invoice INV-000001 of acme in USD, total 0.90",
        "Invoice INV-000001 of acme in USD, line 1 of 1",
    ]
    none = (await api.get(f"{paths[1]}?limit=0")).json()
    assert (none["records"], none["record_count"]) == ([], 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("INV-000002/explain", 404),
        ("a%00b/explain", 400),
        ("INV-000001/lines/2/explain", 404),
        ("INV-000001/lines/0/explain", 400),
        ("INV-000001/lines/one/explain", 400),
        ("INV-000001/lines/1/explain?limit=1001", 400),
        ("INV-000001/lines/1/explain?records=5", 400),
    ],
)
async def test_what_is_not_there(
    api: httpx.AsyncClient, database: Database, clock: FixedClock, path: str, status: int
) -> None:
    """Unknown numbers and lines, and parameters outside their rules."""
    await api.post("/v1/requests", json={**RECORD, "input_tokens": 10**6})
    await run(database, clock, "2025-10")

    assert (await api.get(f"/v1/invoices/{path}")).status_code == status
