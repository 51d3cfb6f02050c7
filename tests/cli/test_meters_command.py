"""`ledger meters`: publish, list, and say what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
FILE = """\
currency: USD
meters:
  standard:
    kind: percentage
    percentage: "10"
  pro:
    kind: graduated
    unit: tokens_1m
    tiers:
      - {start: 0, rate: "5.00"}
      - {start: 1000000, rate: "3.00"}
      - {start: 10000000, rate: "1.00"}
"""


def meters(run: Run) -> dict[str, Any]:
    """The meters in force by their slugs."""
    listed = json.loads(run("meters", "list", "--json").stdout)["meters"]
    return {meter["meter_slug"]: meter for meter in listed}


def test_a_meter_of_each_kind_from_options(run: Run) -> None:
    """What is given is what is listed, in a few words too; the same again makes no new version."""
    tiers = ("--tier", "0:5.00", "--tier", "1000000:3.00")
    run("meters", "set", "standard", "--percentage", "10")
    run("meters", "set", "free")
    run("meters", "set", "per-call", "--kind", "fixed", "--unit", "requests", "--rate", "0.01")
    for _ in range(2):
        run("meters", "set", "pro", "--kind", "graduated", "--unit", "tokens_1m", *tiers)
    run(
        "meters", "set", "packs", "--kind", "package", "--unit", "requests", "--package-size", "100",
        "--tier", "0:2.00", "--period", "lifetime",
    )  # fmt: skip
    found = meters(run)
    assert {slug: (each["kind"], each["version"]) for slug, each in found.items()} == {
        "standard": ("percentage", 1),
        "free": ("none", 1),
        "per-call": ("fixed", 1),
        "pro": ("graduated", 1),
        "packs": ("package", 1),
    }
    assert found["pro"]["tiers"] == [
        {"start": 0, "rate": "5.00"},
        {"start": 1_000_000, "rate": "3.00"},
    ]
    assert (found["packs"]["package_size"], found["packs"]["period"]) == (100, "lifetime")
    words = run("meters", "list").stdout
    for charges in (
        "10% of cost",
        "nothing",
        "0.01 per request",
        "5.00 from 0, 3.00 from 1000000 per 1M tokens, by month",
        "2.00 from 0 per package of 100 (requests), by lifetime",
    ):
        assert charges in words


def test_a_file_is_published_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    """Faults are told with file and line, and nothing of the file is there then."""
    good, bad = tmp_path / "meters.yaml", tmp_path / "bad.yaml"
    good.write_text(FILE)
    bad.write_text(
        FILE.replace('percentage: "10"', 'percentage: "11"').replace("start: 0,", "start: 3,")
    )

    assert "bad.yaml:10: " in run("meters", "publish", good, bad, code=1).stderr
    assert meters(run) == {}
    assert "pro" in run("meters", "publish", good).stdout
    assert {slug: each["version"] for slug, each in meters(run).items()} == {
        "standard": 1,
        "pro": 1,
    }

    good.write_text(FILE.replace('"10"', '"10.0"').replace('"1.00"', '"0.99"'))
    published = json.loads(run("meters", "publish", good, "--json").stdout)["meters"]
    assert [(meter["meter_slug"], meter["version"]) for meter in published] == [
        ("standard", 1),
        ("pro", 2),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--kind", "block"), "'block' is not one of"),
        (("--tier", "0"), "is not START:RATE"),
        (("--kind", "fixed", "--unit", "requests"), "rate"),
        (("--kind", "graduated", "--unit", "requests", "--tier", "5:1.00"), "tiers[0].start"),
        (("--percentage", "ten"), "is not a percentage"),
    ],
)
def test_what_is_no_meter_is_refused(run: Run, words: tuple[str, ...], said: str) -> None:
    """Exit code 2, and what to write instead."""
    assert said in run("meters", "set", "m", *words, code=2).stderr
    assert meters(run) == {}


def test_tiered_fees_from_file_to_invoice(run: Run, tmp_path: Path) -> None:
    """5M tokens: 17 of fee in the spend table, on the invoice and in its explanation."""
    path = tmp_path / "meters.yaml"
    path.write_text(FILE)
    run("meters", "publish", path)
    run("customers", "set", "acme", "--meter", "pro")
    record = {
        "request_id": "one", "customer_id": "acme", "model": MODEL, "input_tokens": 5_000_000,
        "timestamp": "2026-05-10T00:00:00Z",
    }  # fmt: skip
    records = tmp_path / "records.ndjson"
    records.write_text(json.dumps(record))
    run("ingest", records)

    spend = ("spend", "--from", "2026-05-01", "--to", "2026-06-01")
    shown = run(*spend, "--by", "customer").stdout
    assert "tiered fee of" in shown
    assert "17.0000" in shown
    assert "21.5000" in shown
    assert "total" in run(*spend).stdout
    assert "tiered fee of" not in run(*spend, "--by", "model", "--model", MODEL).stdout

    run("invoices", "run", "--period", "2026-05")
    assert "tiered fee of the meter pro" in run("invoices", "show", "INV-000001").stdout
    page = run("explain", "INV-000001", "--line", "2").stdout
    assert "4,000,000 x 3.00 / 1,000,000  12.000000000000" in page
    assert "Every figure equals what is worked out here." in page
    assert "tiers" in run("explain", "one", "--customer", "acme").stdout
    run("export", "invoices", "--from", "2026-05-01", "--to", "2026-06-01", "--output", tmp_path)
    heading, _, fee = (tmp_path / "invoices.csv").read_text().splitlines()
    cells = dict(zip(heading.split(","), fee.split(","), strict=True))
    assert heading.endswith(",rounding,meter")
    assert [cells[name] for name in ("model", "key_type", "meter", "fee", "amount")] == [
        "", "", "pro", "17.000000000000", "17.00",
    ]  # fmt: skip
    run("verify")
