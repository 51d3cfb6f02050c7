"""The bundled sample holds what it promises, counted by the naive ledger."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from ledger.demo.sample import EDGE_TIMES, OPAQUE_IDS, sample_lines
from tests.naive import NaiveLedger, naive_ledger, read_tables

RATES = Path(__file__).parents[2] / "pricing" / "rates"
START, END = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
DIGEST = "de9e09ea48be64e9f514b95405d24e48bb92d39edd402b9e03c63d52ff03e8b4"


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return list(sample_lines())


@pytest.fixture(scope="module")
def ledger(lines: list[bytes]) -> NaiveLedger:
    return naive_ledger(lines, read_tables(RATES), received_at=END)


def values(ledger: NaiveLedger, by: str) -> list[str | None]:
    return [row[by] for row in ledger.spend([by], START, END)]


def digest(lines: Sequence[bytes]) -> str:
    return hashlib.sha256(b"".join(lines)).hexdigest()


def objects(lines: Sequence[bytes]) -> list[dict[str, object]]:
    """Every line that is a JSON object."""
    return [json.loads(line, parse_float=Decimal) for line in lines if line.endswith(b"}\n")]


def test_same_seed_same_bytes(lines: list[bytes]) -> None:
    """The sample is the same in every run and on every machine; another seed gives another."""
    assert digest(lines) == digest(list(sample_lines())) == DIGEST
    assert digest(lines) != digest(list(sample_lines(seed=1)))
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)


def test_what_intake_makes_of_it(ledger: NaiveLedger) -> None:
    """Every line falls into one of the counters, and each case is there."""
    assert ledger.counters == {
        "read": 3015,
        "accepted": 2951,
        "duplicates": 60,
        "conflicts": 1,
        "rejected": 3,
        "unrated": 56,
    }


def test_unrated_is_a_small_visible_part(ledger: NaiveLedger) -> None:
    """Between one and four in a hundred of the accepted records have no price."""
    assert 1 < ledger.counters["unrated"] * 100 / ledger.counters["accepted"] < 4


def test_unmetered_records_count_nothing(ledger: NaiveLedger) -> None:
    """Accepted but no event: an error, a pending one for ever, a pending one that completes."""
    assert ledger.counters["accepted"] - len(ledger.events) == 3


def test_twelve_customers_two_months_both_key_types(ledger: NaiveLedger) -> None:
    """The groupings that the demo shows all have something in them, and nothing lies outside."""
    assert len(values(ledger, "customer")) == 12
    assert values(ledger, "month") == ["2026-04", "2026-05"]
    assert values(ledger, "key_type") == ["byok", "managed"]
    assert values(ledger, "provider") == ["fireworks", None]
    assert sum(row["requests"] for row in ledger.spend([], START, END)) == len(ledger.events)


def test_one_record_in_ten_is_byok(ledger: NaiveLedger) -> None:
    """A share large enough to see beside the managed spend."""
    byok, managed = ledger.spend(["key_type"], START, END)
    assert 8 < byok["requests"] * 100 / (byok["requests"] + managed["requests"]) < 12


def test_tiny_customer_gets_no_invoice_for_april(ledger: NaiveLedger) -> None:
    """Its April is more than nothing, rounds to 0.00, and waits for a May that does not."""
    exact, total = ledger.uninvoiced("corner-shop", "2026-04")
    assert Decimal(0) < exact < Decimal("0.005")
    assert total == Decimal("0.00")
    assert ledger.uninvoiced("corner-shop", "2026-05")[1] > Decimal(0)


def test_largest_customer_pays_real_money(ledger: NaiveLedger) -> None:
    """Acme's invoices come to some hundreds of USD over the two months."""
    spend = {row["customer"]: row["spend"] for row in ledger.spend(["customer"], START, END)}
    assert max(spend, key=lambda customer: spend[customer]) == "acme"
    assert Decimal(200) < spend["acme"] < Decimal(999)


def test_price_change_counts_from_its_first_microsecond(ledger: NaiveLedger) -> None:
    """Three edge records of umbrella at 0.90 before midnight UTC, the first of May 12 at 1.20."""
    edges = [
        (event.occurred_at.isoformat(), str(event.cost))
        for event in ledger.events
        if event.quantities == {"input_tokens": 100_000, "output_tokens": 1_000}
    ]
    assert edges == [
        ("2026-04-30T23:00:00+00:00", "0.090900000000"),
        ("2026-05-01T00:00:00+00:00", "0.090900000000"),
        ("2026-05-11T23:30:00+00:00", "0.090900000000"),
        ("2026-05-11T23:59:59.999999+00:00", "0.090900000000"),
        ("2026-05-11T23:59:59.999999+00:00", "0.090900000000"),
        ("2026-05-12T00:00:00+00:00", "0.121200000000"),
    ]


def test_record_shapes_and_names_are_mixed(lines: list[bytes]) -> None:
    """Older and current gateway records, flat ones, and the names that callers use."""
    names = {name for record in objects(lines) for name in record}
    wanted = {"cost", "charge", "connection_id", "service_charge", "prompt_tokens", "usage"}
    assert wanted | {"cached_input_tokens", "input_seconds", "input_tokens"} <= names
    without_time = [record for record in objects(lines) if "timestamp" not in record]
    assert len(without_time) > 100
    assert {"byok", "unmanaged", "managed"} <= {r.get("provider_key_type") for r in objects(lines)}
    assert set(OPAQUE_IDS) <= {record.get("request_id") for record in objects(lines)}
    assert set(EDGE_TIMES) <= {record.get("timestamp") for record in objects(lines)}


def test_copies_and_late_records_are_where_promised(lines: list[bytes]) -> None:
    """Some copies follow at once, some come much later; April comes again at the end."""
    assert sum(first == second for first, second in pairwise(lines)) == 25
    first_seen = {line: place for place, line in reversed(list(enumerate(lines)))}
    assert sum(place - first_seen[line] >= 300 for place, line in enumerate(lines)) == 35
    assert sum(b'"timestamp":"2026-04' in line for line in lines[-250:]) > 25
