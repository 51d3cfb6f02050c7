"""The judge of the soak of kills can fail: whatever is taken away, doubled or changed is found."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.naive_prices import Table, Terms
from tests.soak_kills.evidence import Evidence, Files
from tests.soak_kills.judging import judge
from tests.soak_kills.memory import (
    Adjusting,
    Answer,
    Exported,
    KeyMade,
    Limit,
    Memory,
    Record,
    Request,
    Sending,
)
from tests.soak_kills.published import Publication, Shelf

START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
RECORD: Record = {
    "request_id": "one",
    "customer_id": "acme",
    "provider": "house",
    "model": "small",
    "provider_key_type": "managed",
    "timestamp": "2026-10-05T12:00:00Z",
    "input_tokens": 1000,
    "output_tokens": 500,
}
SUMS = {"requests": 1, "input_tokens": 1000, "cached_input_tokens": 0, "output_tokens": 500}
# 1,000 x 2.00 + 500 x 4.00 USD per 1M tokens, and a tenth of it.
MONEY = {"cost": "0.004000000000", "fee": "0.000400000000", "spend": "0.004400000000"}
CORRECTED = {"cost": "0.006000000000", "fee": "0.000600000000", "spend": "0.006600000000"}
Tampering = Callable[[Any], Any]


def cells(request_id: str, revision: int, money: dict[str, str], **said: Any) -> dict[str, str]:
    """A row of usage.csv."""
    sign = -1 if said.pop("is_negation", False) else 1
    counts = {name: str(sign * int(said.get(name, count))) for name, count in SUMS.items()}
    amounts = {name: f"{sign * Decimal(amount):f}" for name, amount in money.items()}
    return {
        "customer_id": "acme",
        "request_id": request_id,
        "revision": str(revision),
        "kind": "usage",
        "timestamp": "2026-10-05T12:00:00Z",
        "provider": "house",
        "model": "small",
        "key_type": "managed",
        "unrated": "0",
        "rate_version": "v1",
        "metadata": "",
        **counts,
        **amounts,
    }


def memory() -> Memory:
    """`one` was accepted, `two` corrected from 500 to 1,000 output tokens, `three` never answered."""
    prices = Table("house", START, {"small": {"input": "2.00", "output": "4.00"}})
    remembered = Memory(Shelf([Publication("v1", prices)]), {"ten": Terms(Decimal(10))})
    remembered.meters["acme"] = "ten"
    for name, answer in (("one", Answer.ACCEPTED), ("two", Answer.TAKEN), ("three", Answer.NONE)):
        request = remembered.add({**RECORD, "request_id": name})
        request.sendings.append(Sending(0, 1.0, answer, 2.0))
    remembered.requests["acme", "two"].adjustings.append(
        Adjusting("correction", {"output_tokens": 1000}, "adjustment-1", 3.0, 4.0)
    )
    refused = remembered.add({**RECORD, "request_id": "four", "input_tokens": -1})
    refused.sendings.append(Sending(0, 1.0, Answer.REJECTED, 2.0))
    limit = Limit("limit", "acme", Decimal("0.01"), "total", START, START)
    remembered.limits.append(limit)
    remembered.keys.append(KeyMade("key", "text", ("read",), None))
    remembered.exports.append(Exported(Path("october"), START, END, 5.0))
    return remembered


def evidence() -> Evidence:
    """A ledger that agrees. 0.0044 + 0.0066 USD are billed as 0.01; the limit is reached."""
    usage = [
        cells("one", 1, MONEY),
        cells("two", 1, MONEY),
        cells("two", 2, MONEY, is_negation=True),
        cells("two", 3, CORRECTED, output_tokens=1000),
    ]
    total = {**SUMS, "requests": 2, "input_tokens": 2000, "output_tokens": 1500}
    money = {"cost": "0.010000000000", "fee": "0.001000000000", "spend": "0.011000000000"}
    exported = memory().exports[0]
    return Evidence(
        usage=usage,
        positions={
            ("acme", row["request_id"], int(row["revision"])): (1, number)
            for number, row in enumerate(usage, 1)
        },
        spend=[{"customer": "acme", "model": "small", "day": "2026-10-05", **total, **money}],
        invoices=[invoice(total, money)],
        alerts=[alert(share) for share in ("0.5", "0.8", "1")],
        limits=[{"limit_id": "limit", "customer_id": "acme", "window": "total"}],
        keys=[{"key_id": "key", "scopes": ["read"], "customer_id": None}],
        key_statuses={"key": [200, 200]},
        versions={("house", "v1")},
        refused={("acme", "four")},
        jobs=[{"last_run": {"outcome": "done"}}],
        verified={"ok": True, "checks": [{"ok": True}]},
        rebuilt={"projections": [{"identical": True}]},
        exports=[Files(exported, usage[:2], "2026-10-06T00:00:00Z~1-2", {"usage.csv": ("a", "a")})],
    )


def invoice(counts: dict[str, int], money: dict[str, str]) -> dict[str, Any]:
    line = {
        "provider": "house",
        "model": "small",
        "key_type": "managed",
        "period_start": "2026-10-01",
        **counts,
        "cost": money["cost"],
        "fee": money["fee"],
        "exact": money["spend"],
        "amount": "0.01",
    }
    return {
        "number": "INV-000001",
        "customer_id": "acme",
        "period_start": "2026-10-01",
        "lines": [line],
        "total": "0.01",
        "rounding": "-0.001000000000",
    }


def alert(share: str) -> dict[str, Any]:
    told = {"limit_id": "limit", "threshold": share, "window_start": None}
    return {**told, "limit_amount": "0.01", "spend": "0.011000000000"}


def test_a_ledger_that_agrees_is_not_blamed() -> None:
    """What was not answered may be missing."""
    assert judge(memory(), evidence()) == []


def test_what_was_not_answered_may_be_there() -> None:
    """Whole, and counted in everything."""
    found = evidence()
    found.usage.append(cells("three", 1, MONEY))
    findings = "\n".join(judge(memory(), found))
    assert "three" not in findings.replace("('acme', 'three', 1)", "")  # the row itself is right
    assert "spend of" in findings  # but it is in no sum


TAMPERINGS: dict[str, Tampering] = {
    "an acknowledged record is lost": lambda it: it.usage.pop(0),
    "a record is there twice": lambda it: it.usage.append(dict(it.usage[0])),
    "a correction is lost": lambda it: it.usage.__delitem__(slice(2, 4)),
    "a negation stands alone": lambda it: it.usage.pop(3),
    "a record that was refused": lambda it: it.usage.append(cells("four", 1, MONEY)),
    "a record nobody sent": lambda it: it.usage.append(cells("five", 1, MONEY)),
    "half a record": lambda it: it.usage.append(cells("three", 1, MONEY, output_tokens=0)),
    "a cost": lambda it: it.usage[0].update(cost="0.004000000001"),
    "a version": lambda it: it.usage[0].update(rate_version="v2"),
    "a quantity": lambda it: it.usage[0].update(input_tokens="1001"),
    "a day of spend": lambda it: it.spend[0].update(spend="0.011000000001"),
    "a row of spend is lost": lambda it: it.spend.clear(),
    "a number of an invoice": lambda it: it.invoices[0].update(number="INV-000002"),
    "the total of an invoice": lambda it: it.invoices[0].update(total="0.02"),
    "an invoice is lost": lambda it: it.invoices.clear(),
    "an invoice twice": lambda it: it.invoices.append({**it.invoices[0], "number": "INV-000002"}),
    "a line": lambda it: it.invoices[0]["lines"][0].update(requests=3),
    "an alert is lost": lambda it: it.alerts.pop(),
    "an alert twice": lambda it: it.alerts.append(it.alerts[0]),
    "a limit is lost": lambda it: it.limits.clear(),
    "a key is lost": lambda it: it.keys.clear(),
    "a key is refused": lambda it: it.key_statuses.update(key=[200, 401]),
    "a rate table is lost": lambda it: it.versions.clear(),
    "a refusal is not kept": lambda it: it.refused.clear(),
    "an exported row is lost": lambda it: it.exports[0].usage.pop(),
    "an export beyond its cut": lambda it: setattr(it.exports[0], "as_of", "~1-3"),
    "a torn file": lambda it: it.exports[0].sha256.update({"usage.csv": ("a", "b")}),
    "a job that never ends": lambda it: it.jobs[0]["last_run"].update(outcome="running"),
    "a check": lambda it: it.verified.update(ok=False),
    "a projection": lambda it: it.rebuilt["projections"][0].update(identical=False),
    "a leftover": lambda it: it.leftovers.append(".usage.csv.7.part"),
}


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_whatever_is_wrong_is_found(kind: str) -> None:
    """One thing at a time."""
    tampered = deepcopy(evidence())
    TAMPERINGS[kind](tampered)
    assert judge(memory(), tampered)


def test_counters_that_cannot_be_are_found() -> None:
    """Acknowledged before: a duplicate. Never sent before: new."""
    remembered = memory()
    known, fresh = remembered.requests["acme", "one"], Request([RECORD])
    again = known.begin(0, 6.0)
    first = fresh.begin(0, 6.0)
    taken = [(known, again), (fresh, first)]

    remembered.count_taken(taken, 1, 1, "right")
    assert remembered.findings == []
    remembered.count_taken(taken, 2, 0, "lost")
    remembered.count_taken(taken, 0, 2, "doubled")
    remembered.count_taken(taken, 1, 0, "short")
    assert [found.split(":")[0] for found in remembered.findings] == ["lost", "doubled", "short"]
