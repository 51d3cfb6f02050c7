"""Ledgers that former programs made, with events, revisions, invoices, keys and a quarantine, are brought up.

0012   before keys and before quarantine had bounds
0015   the last one whose programs refuse a newer schema
0016   before days were condensed and lanes had sums
"""

import json
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.bootstrap import Ledger, open_ledger
from ledger.clock import FixedClock
from ledger.core.instants import parse_instant_or_date, parse_month
from ledger.core.keys import Sender
from ledger.core.spend import spend_query
from ledger.services.intake.outcomes import Verdict
from ledger.services.invoices import list_invoices, run_invoices
from ledger.services.keys import show_keys
from ledger.services.proof.seals import check_heads, read_heads
from ledger.services.quarantine import list_quarantined
from ledger.services.spend import answer_spend, spend_body
from ledger.settings import Settings
from ledger.store import migrations as store_migrations
from ledger.store.migrations import migrations
from ledger.store.quarantine import QuarantineFilter
from tests.conftest import MONTHS_AHEAD, NOW
from tests.former_ledgers import RECORDS, former_answers, load_former
from tests.schema import make_database
from tests.store.rebuild_damage import MODEL, whole

CLI = Sender("cli")
CLOCK = FixedClock(NOW + timedelta(days=14))  # after the former programs were at work
START, END = map(parse_instant_or_date, ("2026-04-01", "2026-06-01"))
SENT = len(RECORDS.read_text().splitlines())
EVENTS = 37  # and revisions
CONFLICTS, REJECTED = 1, 2


@pytest.fixture(params=["0012", "0015", "0016"])
def schema(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def former(
    server_url: str, schema: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Ledger]:
    """A former ledger, opened by this version."""
    url = await make_database(server_url, f"former_{schema}_{os.getpid()}")
    await load_former(url, schema)
    monkeypatch.setattr(store_migrations, "MONTHS_AHEAD", MONTHS_AHEAD)
    settings = Settings(database_url=url, data_dir=Path())
    async with open_ledger(settings, CLOCK, migrating=True) as ledger:
        yield ledger


async def test_a_former_ledger_says_the_same_and_goes_on(former: Ledger, schema: str) -> None:
    """Every figure and every seal stands; what was sent is a duplicate, and what is new counts."""
    said = former_answers(schema)
    assert former.migrated == tuple(each.name for each in migrations() if each.name[:4] > schema)
    await whole(former.database, CLOCK)
    await require_same_answers(former, said)

    async with former.intake() as intake:
        again = await intake.take(RECORDS.read_bytes().splitlines(), CLI)
        verdicts = [outcome.verdict for outcome in again.outcomes]
        assert verdicts.count(Verdict.DUPLICATE) == SENT - CONFLICTS - REJECTED
        assert verdicts.count(Verdict.CONFLICT) == CONFLICTS
        await require_same_answers(former, said)
        new = await intake.take([line(number) for number in range(3)], CLI)
        assert {outcome.verdict for outcome in new.outcomes} == {Verdict.ACCEPTED}

    billed = await run_invoices(
        former.database, CLOCK, "test", parse_month("2026-05"), currency="USD"
    )
    assert billed["issued"] > 0
    totals = (await spend(former))["totals"]
    assert totals["requests"] == said["spend"]["totals"]["requests"] + 3
    await whole(former.database, CLOCK)


async def test_refused_records_and_keys_of_a_former_ledger_are_there(
    former: Ledger, schema: str
) -> None:
    """What lay in quarantine lies there, a resend is the same sighting; keys of before are known."""
    async with former.intake() as intake:
        await intake.take(RECORDS.read_bytes().splitlines(), CLI)
    page = await list_quarantined(former.database, QuarantineFilter(), most=10)
    assert [row["sightings"] for row in page["data"]] == [2] * (CONFLICTS + REJECTED)

    keys = await show_keys(former.database)
    assert [key["name"] for key in keys] == (["gateway", "reports"] if schema > "0013" else [])


async def require_same_answers(ledger: Ledger, said: dict[str, Any]) -> None:
    """Spend, invoices and the heads of lanes are what the former program said."""
    answer = await spend(ledger)
    assert {**answer, "as_of": said["spend"]["as_of"]} == said["spend"]
    assert await list_invoices(ledger.database) == said["invoices"]["invoices"]
    heads = read_heads(json.dumps(said["seals"]).encode())
    checked = await check_heads(ledger.database, heads)
    assert (checked["ok"], checked["events"]) == (True, EVENTS)


async def spend(ledger: Ledger) -> dict[str, Any]:
    question = spend_query(START, END, ("customer", "model", "month"))
    body = spend_body(await answer_spend(ledger.database, CLOCK, question), "USD")
    plain: dict[str, Any] = json.loads(msgspec.json.encode(body))
    return plain


def line(number: int) -> bytes:
    stated = {
        "request_id": f"new-{number}",
        "customer_id": "acme",
        "model": MODEL,
        "output_tokens": 1_000_000,
        "timestamp": "2026-05-30T08:00:00Z",
    }
    return json.dumps(stated).encode()
