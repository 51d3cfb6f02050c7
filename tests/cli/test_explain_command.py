"""`ledger explain`, as an auditor uses it."""

import json

import pytest

from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.cli.conftest import Run
from tests.scenarios.explained_requests import WORKED, take, tamper
from tests.scenarios.invoice_tables import run as run_invoices


@pytest.fixture
async def invoiced(database: Database, clock: FixedClock, writer: Writer) -> None:
    """Two requests on INV-000001, the second with the number of an invoice for an id."""
    await take(writer, input_tokens=10**6)
    await take(writer, "INV-000001", timestamp="2025-10-20T00:00:00Z")
    await run_invoices(database, clock, "2025-10")


@pytest.mark.usefixtures("invoiced")
def test_pages(run: Run) -> None:
    """A request, an invoice, a line; what could be both is the invoice, unless a customer is named."""
    first_lines = {
        (WORKED,): f"Request {WORKED} of acme, 2025-10-16T22:38:50.841000Z",
        ("INV-000001",): "Invoice INV-000001 of acme in USD, total 0.90",
        ("INV-000001", "--line", "1"): "Invoice INV-000001 of acme in USD, line 1 of 1",
        ("INV-000001", "--customer", "acme"): "Request INV-000001 of acme, 2025-10-20T00:00:00Z",
    }
    for words, first in first_lines.items():
        page = run("explain", *words).stdout
        assert page.splitlines()[0] == first
        assert page.endswith("worked out here.\n")


@pytest.mark.usefixtures("invoiced")
def test_documents(run: Run) -> None:
    """--json prints one document."""
    words = ("INV-000001", "--line", "1", "--records", "1")
    document = json.loads(run("explain", *words, "--json").stdout)
    assert (document["record_count"], len(document["records"])) == (2, 1)
    assert json.loads(run("explain", WORKED, "--json").stdout)["invoices"] == ["INV-000001"]


@pytest.mark.usefixtures("invoiced")
def test_what_is_not_there(run: Run) -> None:
    """Exit code 2, and what is missing."""
    for words, complaint in {
        ("INV-000002",): "no invoice and no request 'INV-000002'",
        ("INV-000002", "--customer", "acme"): "no request 'INV-000002'",
        ("req_test_x",): "no request 'req_test_x'",
        ("INV-000002", "--line", "1"): "no invoice 'INV-000002'",
        ("INV-000001", "--line", "2"): "no line 2 on invoice 'INV-000001'",
        (WORKED, "--customer", "bolt"): "no customer 'bolt'",
        (WORKED, "--customer", "acme", "--line", "1"): "--customer is of a request",
    }.items():
        assert complaint in run("explain", *words, code=2).stderr


@pytest.mark.usefixtures("invoiced")
async def test_what_does_not_agree_is_a_problem(run: Run, database_url: str) -> None:
    """Exit code 1, whole page all the same."""
    await tamper(database_url, "UPDATE usage_event SET fee_pico = 1")
    for words in ((WORKED,), ("INV-000001", "--line", "1")):
        page = run("explain", *words, code=1).stdout
        assert "  WRONG     fee: " in page
        assert "NOT EVERY" in page
