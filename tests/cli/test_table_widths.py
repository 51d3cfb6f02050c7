"""Every table of the command line, with long names, on screens of several widths."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli.conftest import Run

SCREEN = 80
SPAN = ("--from", "2026-04-01", "--to", "2026-05-01")
CUSTOMER = "customer-" + "東京/" * 8 + "0123456789" * 3
MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
RATED = {"customer_id": CUSTOMER, "model": MODEL, "provider": "fireworks"}
RECORDS: list[dict[str, Any]] = [
    {
        **RATED,
        "request_id": "r1",
        "input_tokens": 987_654_321_098,
        "output_tokens": 123_456_789_012,
    },
    {
        **RATED,
        "request_id": "r2",
        "provider_key_type": "byok",
        "input_tokens": 5,
        "output_tokens": 1,
    },
    {**RATED, "request_id": "r3" * 40, "model": "m" * 90, "input_tokens": 7, "output_tokens": 1},
    {**RATED, "request_id": "r4" * 40, "status": "pending"},
    {**RATED, "request_id": "r5" * 40, "meter_slug": "nobody-s-meter"},
]
# What `rerate` has a difference to show by.
DEARER = f"""\
provider: fireworks
version: dearer
effective_from: 2026-04-05T00:00:00Z
currency: USD
source: a test
models:
  {MODEL}: {{input: "1.25", output: "1.75"}}
"""
ALL_GROUPS = "customer,provider,model,key_type,hour"
# Words of a command, and where in its document the rows are whose figures must stand there.
TABLES: list[tuple[Sequence[str], str, Sequence[str]]] = [
    (("spend", *SPAN), "totals", ("requests",)),
    (("spend", *SPAN, "--by", "model"), "rows", ("requests",)),
    (("spend", *SPAN, "--by", "customer,model,day"), "rows", ("requests",)),
    (("spend", *SPAN, "--by", ALL_GROUPS), "rows", ("requests", "hour")),
    (("unrated",), "unrated", ("requests",)),
    (("unmetered",), "requests", ("timestamp",)),
    (("alerts", "list"), "alerts", ("threshold", "limit_amount")),
    (("limits", "list"), "limits", ("amount",)),
    (("customers", "list"), "customers", ()),
    (("keys", "list"), "keys", ("key_id",)),
    (("meters", "list"), "meters", ("version",)),
    (("rates", "list"), "rate_tables", ("effective_from",)),
    (("rates", "show", "fireworks"), "", ()),
    (("rates", "diff", "fireworks/2025-01-01", "fireworks/2026-05-12"), "prices_changed", ()),
    (("quarantine", "list"), "quarantine", ("quarantine_id",)),
    (("invoices", "list"), "invoices", ("number", "total", "period_start")),
    (("seal", "show"), "lanes", ("batch", "recorded_at")),
    (("jobs", "list"), "", ()),
    (("rerate", *SPAN), "rows", ("requests",)),
    (("export", "usage", "invoices", *SPAN, "--output", "out"), "files", ("rows",)),
]


@pytest.fixture
def filled(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A ledger with something in every table."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "records.ndjson"
    stamped = [{"timestamp": "2026-04-10T12:00:00Z", **each} for each in RECORDS]
    file.write_text("\n".join(map(json.dumps, stamped)))
    run("meters", "set", "standard-of-long-name", "--percentage", "10")
    run("customers", "set", CUSTOMER, "--meter", "standard-of-long-name")
    run("limits", "set", CUSTOMER, "--amount", "1000.00", "--window", "total")
    run("keys", "create", "--name", "n" * 60, "--scope", "ingest,read")
    run("ingest", file, code=1)
    run("invoices", "run", "--period", "2026-04")
    (tmp_path / "dearer.yaml").write_text(DEARER)
    run("rates", "publish", "dearer.yaml")
    return run


def test_every_table_fits_and_its_figures_are_whole(filled: Run) -> None:
    """At 80 columns, and on a narrower screen too, which breaks sentences but no table."""
    for words, place, fields in TABLES:
        document = json.loads(filled(*words, "--json").stdout)
        figures = {str(row[field]) for row in _rows(document, place) for field in fields}
        assert figures or not fields, words
        for columns in (SCREEN, 60):
            shown = filled(*words, COLUMNS=str(columns)).stdout
            sentences = () if columns == SCREEN else filled(*words).stdout.splitlines()
            wide = [line for line in shown.splitlines() if cell_len(line) > columns]
            assert [line for line in wide if line not in sentences] == [], words
            assert {each for each in figures if each not in re.split(r"\s+", shown)} == set(), words


def test_a_pipe_gets_names_unfolded(filled: Run) -> None:
    """A line for each row, whole, so that other programs find what they look for."""
    shown = filled("spend", *SPAN, "--by", ALL_GROUPS).stdout
    [line] = [each for each in shown.splitlines() if each.startswith(CUSTOMER) and "byok" in each]
    assert line.split()[-3:-2] == ["1"]
    assert not any(each.endswith(" ") for each in shown.splitlines())


def test_columns_that_had_no_room_are_told(filled: Run) -> None:
    """On stderr, beside what has all of them."""
    done = filled("spend", *SPAN, "--by", "customer,model,day", COLUMNS=str(SCREEN))
    assert "no room for input, output; --json has all" in done.stderr
    assert filled("spend", *SPAN, "--by", "customer,model,day").stderr == ""


def test_a_customer_that_nobody_knows_is_told(run: Run) -> None:
    """Nothing was spent, and the name may be a slip."""
    done = run("spend", *SPAN, "--customer", "nobody", "--json")
    assert json.loads(done.stdout)["totals"]["requests"] == 0
    assert done.stderr == "ledger: no customer 'nobody'\n"


def _rows(document: dict[str, Any], place: str) -> list[dict[str, Any]]:
    found = document[place] if place else []
    return found if isinstance(found, list) else [found]
