"""`ledger explain`, as an auditor uses it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.scenarios.explained_requests import WORKED, take, tamper
from tests.scenarios.invoice_tables import run as run_invoices

ROOT = Path(__file__).parents[2]

Explain = Callable[..., tuple[int, str, str]]


@pytest.fixture
def explain(database_url: str) -> Explain:
    """Run `ledger explain` on the fresh database; gives exit code, stdout and stderr."""
    environment = {**os.environ, "LEDGER_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}

    def run(*words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "ledger", "explain", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
async def invoiced(database: Database, clock: FixedClock, writer: Writer) -> None:
    """Two requests on INV-000001, the second with the number of an invoice for an id."""
    await take(writer, input_tokens=10**6)
    await take(writer, "INV-000001", timestamp="2025-10-20T00:00:00Z")
    await run_invoices(database, clock, "2025-10")


@pytest.mark.usefixtures("invoiced")
def test_pages(explain: Explain) -> None:
    """A request, an invoice, a line; what could be both is the invoice, unless a customer is named."""
    first_lines = {
        (WORKED,): f"Request {WORKED} of acme, 2025-10-16T22:38:50.841000Z",
        ("INV-000001",): "Invoice INV-000001 of acme in USD, total 0.90",
        ("INV-000001", "--line", "1"): "Invoice INV-000001 of acme in USD, line 1 of 1",
        ("INV-000001", "--customer", "acme"): "Request INV-000001 of acme, 2025-10-20T00:00:00Z",
    }
    for words, first in first_lines.items():
        code, page, _ = explain(*words)
        assert (code, page.splitlines()[0]) == (0, first)
        assert page.endswith("worked out here.\n")


@pytest.mark.usefixtures("invoiced")
def test_documents(explain: Explain) -> None:
    """--json prints one document."""
    code, text, _ = explain("INV-000001", "--line", "1", "--records", "1", "--json")
    document = json.loads(text)
    assert (code, document["record_count"], len(document["records"])) == (0, 2, 1)
    assert json.loads(explain(WORKED, "--json")[1])["invoices"] == ["INV-000001"]


@pytest.mark.usefixtures("invoiced")
def test_what_is_not_there(explain: Explain) -> None:
    """Exit code 2, and what is missing."""
    for words, complaint in {
        ("INV-000002",): "no request 'INV-000002'",
        ("INV-000002", "--line", "1"): "no invoice 'INV-000002'",
        ("INV-000001", "--line", "2"): "no line 2 on invoice 'INV-000001'",
        (WORKED, "--customer", "bolt"): "no customer 'bolt'",
        (WORKED, "--customer", "acme", "--line", "1"): "--customer is of a request",
    }.items():
        code, _, said = explain(*words)
        assert code == 2
        assert complaint in said


@pytest.mark.usefixtures("invoiced")
async def test_what_does_not_agree_is_a_problem(explain: Explain, database_url: str) -> None:
    """Exit code 1, whole page all the same."""
    await tamper(database_url, "UPDATE usage_event SET fee_pico = 1")
    for words in ((WORKED,), ("INV-000001", "--line", "1")):
        code, page, _ = explain(*words)
        assert code == 1
        assert "NOT EVERY" in page
