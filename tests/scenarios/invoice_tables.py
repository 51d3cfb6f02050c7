"""Usage and invoices as tables, for the scenarios of invoicing.

`llama` costs 0.90 USD per 1M tokens either way, `embed` 0.008 per 1M input tokens, and `mystery` is in no
rate table.
"""

import itertools
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ledger.clock import FixedClock
from ledger.core.instants import parse_month
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services.customers import set_customer
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.invoices import list_invoices, run_invoices, show_invoice
from ledger.services.meters import set_meter
from ledger.store.database import Database
from tests.conftest import NOW

MODELS = {
    "llama": "accounts/fireworks/models/llama-v3p3-70b-instruct",
    "mixtral": "accounts/fireworks/models/mixtral-8x22b-instruct",
    "embed": "nomic-ai/nomic-embed-text-v1.5",
    "mystery": "accounts/fireworks/models/mystery",
}
LLAMA_PER_TOKEN = Decimal("0.0000009")


_ids = itertools.count()


def table(text: str) -> list[dict[str, str]]:
    """Rows of words under a heading."""
    heading, *rows = (line.split() for line in text.strip().splitlines())
    return [dict(zip(heading, row, strict=True)) for row in rows]


def assert_table(rows: Sequence[dict[str, Any]], text: str) -> None:
    """Compare rows with a table, in the table's columns."""
    heading = text.strip().splitlines()[0].split()
    short = {model: name for name, model in MODELS.items()}
    shown = [{name: str(short.get(row[name], row[name])) for name in heading} for row in rows]
    assert shown == table(text)


async def record(writer: Writer, text: str) -> None:
    """Take in usage: customer, time, model, key, input and output tokens, how many times."""
    statements = [statement(row) for row in table(text) for _ in range(int(row.get("times", "1")))]
    outcomes = await writer.submit(statements)
    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}


def statement(row: dict[str, str]) -> Statement:
    """A record of a row, with an id of its own."""
    raw = json.dumps(
        {
            "request_id": f"req_test_{next(_ids)}",
            "customer_id": row["customer"],
            "timestamp": f"{row['on']}T12:00:00Z",
            "provider": "fireworks",
            "model": MODELS[row["model"]],
            "provider_key_type": row.get("key", "managed"),
            "input_tokens": int(row["input"]),
            "output_tokens": int(row.get("output", "0")),
        }
    )
    read = read_statement(raw.encode(), NOW)
    assert isinstance(read, Statement), read
    return read


async def run(database: Database, clock: Any, month: str, **options: Any) -> dict[str, Any]:
    return await run_invoices(
        database, clock, "finance", parse_month(month), currency="USD", **options
    )


async def all_invoices(database: Database) -> list[dict[str, Any]]:
    """Every invoice, with lines."""
    heads = await list_invoices(database, most=1_000)
    return [await show_invoice(database, head["number"]) for head in heads]


async def ten_percent_for(database: Database, clock: FixedClock, customer_id: str) -> None:
    await set_meter(database, clock, "admin", "ten-percent", {"percentage": "10"})
    await set_customer(database, clock, "admin", customer_id, "ten-percent")


async def scalar(database: Database, sql: str) -> Any:
    async with database.connection() as connection:
        return await connection.fetchval(sql)


async def state(database: Database) -> list[Any]:
    """The content of every table that a run may write to."""
    tables = ("invoice", "invoice_line", "ledger_event", "batch", "number_series", "touched_period")
    async with database.connection() as connection:
        found = [await connection.fetch(f"SELECT * FROM {name} ORDER BY 1, 2") for name in tables]
        return [*found, await connection.fetchval("SELECT epoch FROM configuration")]
