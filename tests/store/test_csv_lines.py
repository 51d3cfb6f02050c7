"""Lines of JSON that COPY reads as CSV say the same values there."""

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import product

import msgspec
import pytest

from ledger.store.csv_lines import CSV_OPTIONS, as_csv
from ledger.store.database import Database

JSON = msgspec.json.Encoder()
NUMBERS = (None, 0, -(2**63), 2**63 - 1)
TEXTS = (
    None, "", "null", "NULL", '"', "\\", '\\"', '"\\', "],[", "]\\n[", "a,b", "\\.", "\\n",
    "\\\\n", " é ", "[1]",
    '{"images": [2, null]}', "\x7f",
)  # fmt: skip


def written(text: str | None) -> bytes | None:
    """A line with a text, as CSV."""
    return as_csv(JSON.encode_lines([[1, text]]))


@pytest.mark.parametrize("text", ["\n", "\r", "tab\t", "\x01", "\\\n", '"\n'])
def test_escapes_that_csv_does_not_have_are_left_to_the_driver(text: str) -> None:
    """Else they would be read as the letters that they are written with."""
    assert written(text) is None


@pytest.mark.parametrize("text", TEXTS)
def test_all_else_is_taken(text: str | None) -> None:
    """Or this would be for nothing."""
    assert written(text) is not None


async def test_copy_reads_what_was_written(database: Database) -> None:
    """Nulls and empty texts, quotes, backslashes, brackets and commas, in every place of a line."""
    rows = [
        (number, text, cost, other)
        for number, text, other in product(NUMBERS, TEXTS, TEXTS)
        for cost in (None, Decimal("0.000000000001"))
    ]
    lines = JSON.encode_lines([(a, b, c and format(c, "f"), d) for a, b, c, d in rows])

    async def whole() -> AsyncIterator[bytes | None]:
        yield as_csv(lines)

    async with database.connection() as connection, connection.transaction():
        await connection.execute(
            "CREATE TEMP TABLE read (a bigint, b text, c numeric, d text) ON COMMIT DROP"
        )
        await connection.copy_to_table("read", source=whole(), **CSV_OPTIONS)
        assert [tuple(row) for row in await connection.fetch("SELECT * FROM read")] == rows
