"""Price lists from the command line: shown, compared, and published with what that means."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

OLD = """
provider: ours
version: "1"
effective_from: 2026-01-01T00:00:00Z
currency: USD
models:
  small: {input: "1.00", output: "2.00"}
  large: {input: "10.00", output: "20.00"}
aliases: {latest: large}
"""
NEW = """
provider: ours
version: "2"
effective_from: 2026-09-15T00:00:00Z
currency: USD
models:
  small:
    tiers:
      - {start: 0, input: "1.00", output: "2.50"}
      - {start: 1000, input: "2.00", output: "5.00"}
    variants:
      - when: {batch: true}
        input: "0.50"
  tiny: {audio_input: {price: "0.006", per: minute}}
fallback: {"small-*": small}
"""
RECORD = {
    "request_id": "r1", "customer_id": "acme", "provider": "ours", "model": "large",
    "timestamp": "2026-09-20T00:00:00Z", "input_tokens": 1_000_000,
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two versions of a table."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(OLD)
    new.write_text(NEW)
    return old, new


def document(run: Run, *words: object, code: int = 0) -> Any:
    """The one JSON document that a command prints."""
    return json.loads(run(*words, "--json", code=code).stdout)


def test_two_versions_are_laid_side_by_side(run: Run, files: tuple[Path, Path]) -> None:
    """Every price that is not the same, models and names that come and go; from files or by name."""
    old, new = files
    run("rates", "publish", old)

    body = document(run, "rates", "diff", "ours/1", new)

    assert body["models_added"] == ["tiny"]
    assert body["models_removed"] == ["large"]
    assert body["aliases_changed"] == [{"id": "latest", "before": "large", "after": None}]
    assert body["fallback_changed"] == [{"id": "small-*", "before": None, "after": "small"}]
    changed = [
        (each["model"], each["when"], each["input_tokens_from"], each["price_of"], each["before"],
         each["after"])
        for each in body["prices_changed"]
    ]  # fmt: skip
    assert changed == [
        ("large", "plain calls", 0, "input", "10.00 per 1M", None),
        ("large", "plain calls", 0, "output", "20.00 per 1M", None),
        ("small", "plain calls", 0, "output", "2.00 per 1M", "2.50 per 1M"),
        ("small", "plain calls", 1000, "input", None, "2.00 per 1M"),
        ("small", "plain calls", 1000, "output", None, "5.00 per 1M"),
        ("small", "batch calls", 0, "input", None, "0.50 per 1M"),
        ("tiny", "plain calls", 0, "audio_input", None, "0.006 per minute"),
    ]
    shown = run("rates", "diff", "ours/1", new).stdout
    assert ["small", "plain", "calls", "1000", "input", "-", "2.00", "per", "1M"] in [
        line.split() for line in shown.splitlines()
    ]
    assert document(run, "rates", "diff", old, "ours/1")["prices_changed"] == []
    assert "no rate table 'ours/9'" in run("rates", "diff", "ours/9", new, code=2).stderr


def test_what_is_in_force_at_a_time(run: Run, files: tuple[Path, Path]) -> None:
    """The latest `effective_from` that has come; a version by its name; one model by any of its names."""
    run("rates", "publish", *files)

    for at, version in (("2026-09-14", "1"), ("2026-09-15", "2")):
        (table,) = document(run, "rates", "show", "ours", "--at", at)["rate_tables"]
        assert table["version"] == version
    (named,) = document(run, "rates", "show", "ours", "--version", "1", "--model", "latest")[
        "rate_tables"
    ]
    assert list(named["models"]) == ["large"]
    text = run("rates", "show", "ours", "--version", "2").stdout
    assert "from 1,000 input tokens" in text
    assert "batch True" in text
    assert "as small" in text
    early = run("rates", "show", "ours", "--at", "2025-01-01", code=2).stderr
    assert "its first counts from 2026-01-01T00:00:00Z" in early
    assert "no table shown lists 'none'" in run("rates", "show", "--model", "none", code=2).stderr


def test_publishing_for_the_past_says_what_it_is_for(
    run: Run, files: tuple[Path, Path], tmp_path: Path
) -> None:
    """It changes nothing by itself, and tells which requests and months could be rated anew."""
    old, new = files
    run("rates", "publish", old)
    records = tmp_path / "records.ndjson"
    records.write_text(json.dumps(RECORD) + "\n")
    run("ingest", records)
    run("invoices", "run", "--period", "2026-09")

    (told,) = document(run, "rates", "publish", new)["consequences"]

    assert told == {
        "provider": "ours",
        "version": "2",
        "models_without_price": ["large", "latest"],
        "rerate": {
            "from": "2026-09-15T00:00:00Z",
            "to": "2026-09-20T01:00:00Z",
            "requests": 1,
            "unrated_requests": 0,
            "invoiced_months": ["2026-09"],
        },
    }
    answer = document(run, "spend", "--from", "2026-09-01", "--to", "2026-10-01")
    assert answer["totals"]["spend"] == "10.000000000000"
    assert document(run, "rates", "publish", new) == {"published": [], "consequences": []}


def test_consequences_in_words(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    """On stderr, with the command that shows the difference."""
    old, new = files
    run("rates", "publish", old)
    records = tmp_path / "records.ndjson"
    records.write_text(json.dumps(RECORD) + "\n")
    run("ingest", records)

    said = run("rates", "publish", new).stderr

    assert "ours 2 has no price for what the table before it priced: large, latest" in said
    assert "1 requests with a price are recorded from 2026-09-15T00:00:00Z on; they keep it" in said
    assert "ledger rerate --from 2026-09-15T00:00:00Z --to 2026-09-20T01:00:00Z" in said
