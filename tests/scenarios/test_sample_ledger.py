"""The bundled records against a calculation that shares no code with the product."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ledger.clock import FixedClock
from ledger.core.reading import read_statement
from ledger.core.spend import spend_query
from ledger.core.statements import Statement
from ledger.demo.sample import sample_lines
from ledger.services.intake.writer import Writer
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from tests.conftest import NOW
from tests.naive import naive_ledger, read_tables

RATES = Path(__file__).parents[2] / "pricing" / "rates"
START, END = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


async def test_spend_of_the_sample_equals_the_naive_calculation(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """By customer and model, to the last digit."""
    lines = list(sample_lines())
    read = [read_statement(line.strip(), NOW) for line in lines]
    await writer.submit([each for each in read if isinstance(each, Statement)])

    answer = await answer_spend(database, clock, spend_query(START, END, ("customer", "model")))

    expected = naive_ledger(lines, read_tables(RATES), received_at=NOW).spend(
        ("customer", "model"), START, END
    )
    rows = spend_body(answer, "USD")["rows"]
    assert len(rows) == len(expected) > 50
    for row, wanted in zip(rows, expected, strict=True):
        assert row.keys() >= wanted.keys()
        for name, value in wanted.items():
            shown = Decimal(row[name]) if isinstance(value, Decimal) else row[name]
            assert shown == value, (name, row, wanted)
