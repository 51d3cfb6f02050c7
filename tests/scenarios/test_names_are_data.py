"""Names are data: awkward ones go all ways through the service and come back as they were."""

import csv
import io
import json
import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from ledger.core.visible import visible
from ledger.store.database import Database
from tests.awkward_names import AT, NAMES, SPAN, named_lines, named_record

SLASHED = re.compile("/leading|trailing/|do//ubled|a/b/c")
BROWSERS_KEEP = "!'()*~._-"  # what JavaScript's encodeURIComponent leaves as it is


@pytest.fixture
async def named(api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A ledger that has a record of every name, sent in each of the ways in turn."""
    records = [named_record(name) for name in NAMES]
    for record in records[0::3]:
        answer = await api.post("/v1/requests", json=record)
        assert answer.status_code == 201, (record["customer_id"], answer.text)
    array = await api.post("/v1/requests/batch", json=records[1::3])
    lines = await api.post(
        "/v1/requests/batch",
        content=b"\n".join(json.dumps(each, ensure_ascii=False).encode() for each in records[2::3]),
        headers={"Content-Type": "application/x-ndjson"},
    )
    accepted = array.json()["accepted"] + lines.json()["accepted"]
    assert accepted + len(records[0::3]) == len(NAMES)
    return api


def quoted(name: str) -> str:
    """A name as one segment of a path. Dots alone mean folders to clients, so they are quoted too."""
    return quote(name, safe=BROWSERS_KEEP) if name.strip(".") else "%2E" * len(name)


async def get(api: httpx.AsyncClient, path: str, **parameters: str) -> Any:
    """An answer's body, or what it was refused with."""
    answer = await api.get(path, params=parameters)
    return answer.json() if answer.status_code == 200 else answer.text


async def test_the_same_again_is_a_duplicate(named: httpx.AsyncClient) -> None:
    """In other words: no name was changed on its way in, or taken for another."""
    answer = await named.post(
        "/v1/requests/batch",
        content=named_lines(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    body = answer.json()
    assert (body["read"], body["duplicates"]) == (len(NAMES), len(NAMES))


@pytest.mark.usefixtures("named")
async def test_the_database_has_each_name_once(database: Database) -> None:
    """As it was, in every column that takes one."""
    async with database.connection() as connection:
        customers = await connection.fetch("SELECT customer_id FROM customer WHERE customer > 0")
        models = await connection.fetch(
            "SELECT DISTINCT provider, model, service_tier FROM dimension"
        )
        texts = await connection.fetch("SELECT response_id, metadata::text FROM event_text")
    assert sorted(row["customer_id"] for row in customers) == sorted(NAMES)
    assert sorted(map(tuple, models)) == sorted((name, name, name) for name in NAMES)
    kept = [(row["response_id"], json.loads(row["metadata"])) for row in texts]
    assert sorted(kept) == sorted((name, {name: name}) for name in NAMES)


async def test_a_request_is_found_by_the_name_in_its_path(named: httpx.AsyncClient) -> None:
    """And shows every name as it was sent."""
    for name in NAMES:
        if name == "batch":
            continue
        body = await get(named, f"/v1/requests/{quoted(name)}", customer_id=name)
        sent = named_record(name)
        assert body["fields"] == {"note": sent.pop("note")}
        assert {field: body[field] for field in sent} == sent | {"timestamp": AT}


async def test_a_request_may_be_called_as_a_path_of_ours_is(named: httpx.AsyncClient) -> None:
    """`/v1/requests/batch` takes batches, and gives the request of that name."""
    assert (await get(named, "/v1/requests/batch"))["request_id"] == "batch"


async def test_an_explanation_is_found_by_the_name_in_its_path(named: httpx.AsyncClient) -> None:
    """As JSON exact, as a page without anything that cannot be seen."""
    for name in NAMES:
        path = f"/v1/requests/{quoted(name)}/explain"
        body = await get(named, path, customer_id=name)
        assert (body["request_id"], body["customer_id"]) == (name, name)
        page = await named.get(path, params={"customer_id": name}, headers={"Accept": "text/plain"})
        assert visible(page.text, keep="\n") == page.text


async def test_a_customer_is_found_and_changed_by_the_name_in_its_path(
    named: httpx.AsyncClient,
) -> None:
    """Slashes at its ends and in twos are part of it."""
    await named.post("/v1/meters", json={"meter_slug": "standard", "percentage": "10"})
    for name in NAMES:
        path = f"/v1/customers/{quoted(name)}"
        assert (await get(named, path))["customer_id"] == name
        changed = await named.put(path, json={"meter_slug": "standard", "reason": name})
        assert changed.json()["customer_id"] == name
        assert (await get(named, path))["meter_slug"] == "standard"
    listed = await get(named, "/v1/customers", limit="1000")
    assert [each["customer_id"] for each in listed["data"]] == sorted(NAMES, key=str.encode)


async def test_an_unquoted_slash_in_a_path_is_part_of_the_name(named: httpx.AsyncClient) -> None:
    """Some clients leave slashes as they are."""
    for name in NAMES:
        path = quote(name, safe="/")
        if not SLASHED.fullmatch(name):
            continue
        assert (await get(named, f"/v1/customers/{path}"))["customer_id"] == name
        assert (await get(named, f"/v1/requests/{path}"))["request_id"] == name


async def test_lists_are_filtered_by_name(named: httpx.AsyncClient) -> None:
    """By customer, model and metadata: each filter leaves the one record."""
    for name in NAMES:
        for filters in (
            {"customer_id": name},
            {"model": name},
            {"metadata_filters": json.dumps([[name, name]])},
        ):
            page = await get(named, "/v1/requests", **filters)
            assert [each["request_id"] for each in page["data"]] == [name], filters


async def test_pages_go_on_after_any_name(named: httpx.AsyncClient) -> None:
    """A cursor may be made of one."""
    for path, field in (("/v1/requests", "request_id"), ("/v1/customers", "customer_id")):
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await get(named, path, limit="7", **cursor)
            seen += [each[field] for each in page["data"]]
            if not page["has_more"]:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert sorted(seen) == sorted(NAMES)


async def test_spend_is_grouped_and_filtered_by_name(named: httpx.AsyncClient) -> None:
    """Rows stand in the bytewise order of the names."""
    body = await get(named, "/v1/spend", **SPAN, group_by="customer,provider,model")
    rows = [(row["customer"], row["provider"], row["model"]) for row in body["rows"]]
    assert rows == [(name, name, name) for name in sorted(NAMES, key=str.encode)]
    for name in NAMES:
        for word in ("customer", "model", "provider"):
            body = await get(named, "/v1/spend", **SPAN, **{word: name})
            assert body["totals"]["requests"] == 1, (word, name)


async def test_limits_and_unrated_usage_name_their_customer(named: httpx.AsyncClient) -> None:
    """Set, listed and filtered by the name."""
    for name in NAMES:
        form = {"limit_id": name, "customer_id": name, "amount": "1.00", "window": "month"}
        answer = await named.post(
            "/v1/limits", json={**form, "thresholds": ["1"], "action": "alert"}
        )
        assert answer.status_code == 200, answer.text
        [limit] = (await get(named, "/v1/limits", customer_id=name))["data"]
        assert (limit["limit_id"], limit["customer_id"]) == (name, name)
        unrated = await get(named, "/v1/unrated", customer_id=name)
        assert name in json.dumps(unrated, ensure_ascii=False) or json.dumps(name)[
            1:-1
        ] in json.dumps(unrated)


def cell(name: str) -> str:
    """How CSV has a name: a quote stands before what a spreadsheet would take for a formula."""
    return f"'{name}" if name[0] in "=+-@\t\r" else name


async def test_csv_has_each_name_in_its_cell(named: httpx.AsyncClient) -> None:
    """Read by any reader of CSV, with lines and quotes inside of cells."""
    answer = await named.get("/v1/exports/usage.csv", params=SPAN)
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    named_cells = ("customer_id", "request_id", "provider", "model", "service_tier", "response_id")
    shown = sorted(tuple(row[column] for column in named_cells) for row in rows)
    assert shown == sorted((cell(name),) * len(named_cells) for name in NAMES)
    assert sorted(row["metadata"] for row in rows) == sorted(
        json.dumps({name: name}, ensure_ascii=False, separators=(",", ":")) for name in NAMES
    )


async def test_refusals_keep_the_name_of_the_record(named: httpx.AsyncClient) -> None:
    """Conflicts and rejects are found again in the answer by it."""
    wrong = [named_record(name) | {"input_tokens": 11} for name in NAMES]
    body = (await named.post("/v1/requests/batch", json=wrong)).json()
    assert [each["request_id"] for each in body["problems"]] == NAMES
    assert body["conflicts"] == len(NAMES)
