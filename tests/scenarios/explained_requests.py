"""Requests of acme's for the scenarios of explanations: recorded, corrected, voided, and tampered with."""

import json
import re
from pathlib import Path
from textwrap import indent
from typing import Any

import asyncpg

from ledger.clock import FixedClock
from ledger.core.adjustments import Adjustment
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.core.usage.stated import StatedUsage
from ledger.services.adjustments import adjust_request
from ledger.services.customers import set_customer
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.meters import set_meter
from ledger.store.database import Database
from tests.conftest import NOW
from tests.scenarios.invoice_tables import MODELS

ROOT = Path(__file__).parents[2]
WORKED = "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ"


def statement(fields: dict[str, Any]) -> Statement:
    read = read_statement(json.dumps(fields).encode(), NOW)
    assert isinstance(read, Statement), read
    return read


async def take(writer: Writer, request_id: str = WORKED, **fields: Any) -> str:
    """Take in one record of acme's, the worked one unless it says otherwise."""
    usage = (
        {}
        if fields.keys() & {"status", "input_seconds"}
        else {"input_tokens": 845, "output_tokens": 412}
    )
    worked = {"customer_id": "acme", "model": MODELS["llama"], **usage}
    (outcome,) = await writer.submit([statement({"request_id": request_id, **worked, **fields})])
    assert outcome.verdict is Verdict.ACCEPTED, outcome
    return request_id


async def ten_percent(database: Database, clock: FixedClock, percentage: str = "10") -> None:
    await set_meter(database, clock, "admin", "standard", {"percentage": percentage})
    await set_customer(database, clock, "admin", "acme", "standard")


async def correct(
    database: Database, clock: FixedClock, request_id: str = WORKED, **now: int
) -> None:
    adjustment = Adjustment(
        "correction", "counted twice by the proxy", "fix-17", StatedUsage(**now)
    )
    assert await adjust_request(database, clock, "cli", request_id, adjustment)


async def void(database: Database, clock: FixedClock, request_id: str = WORKED) -> None:
    adjustment = Adjustment("void", "test traffic", f"void-{request_id}")
    assert await adjust_request(database, clock, "cli", request_id, adjustment)


async def tamper(url: str, statement: str) -> None:
    """Change what may not be changed."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "ledger"})
    await connection.execute("SET session_replication_role = replica")
    assert not (await connection.execute(statement)).endswith(" 0")
    await connection.close()


def masked(page: str) -> str:
    """A page without the digests, which stand for all that is in the ledger."""
    return re.sub(r"\b[0-9a-f]{64}\b", "(64 digits)", page)


def documented(page: str) -> bool:
    """Whether docs/explain.md shows a page as it is."""
    return indent(page, "    ") in (ROOT / "docs" / "explain.md").read_text()
