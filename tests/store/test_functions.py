"""The SQL functions say what the Python ones say."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from ledger.core.instants import format_instant
from ledger.core.request_ids import request_id_of, request_key
from ledger.store.database import Database
from pricing import format_amount

CANONICAL = [
    "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ",
    "req_01DXF6DT000000000000000000",  # the first of 2020
    "req_3QCN7C3AZZZZZZZZZZZZZZZZZZ",
    *(f"req_01K7QJT2YS{digit * 16}" for digit in "0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
]


async def test_a_request_id_reads_the_same_in_sql(database: Database) -> None:
    """All 32 digits in all places of the random part, the bounds of time, and opaque texts."""
    ids = [*CANONICAL, "req_test_01EXAMPLE00000000000000001", CANONICAL[0].lower(), "a/b", "ü"]
    keys = [request_key(request_id) for request_id in ids]
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT request_id_text(id, opaque) AS text"
            " FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS keys (id, opaque, place)"
            " ORDER BY place",
            [UUID(bytes=key.bits) for key in keys],
            [key.opaque_id for key in keys],
        )
    assert [row["text"] for row in rows] == ids


async def test_every_bit_of_a_key_reads_the_same_in_sql(database: Database) -> None:
    """Each of the 127 alone, and all of them: one digit lies across the two halves."""
    numbers = [1 << shift for shift in range(127)] + [0, 2**127 - 1]
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT request_id_text(id, NULL) AS text"
            " FROM unnest($1::uuid[]) WITH ORDINALITY AS keys (id, place) ORDER BY place",
            [UUID(int=number) for number in numbers],
        )
    assert [row["text"] for row in rows] == [
        request_id_of(number.to_bytes(16, "big"), None) for number in numbers
    ]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("plain", "plain"),
        ("", ""),
        (None, None),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=1", "a=1"),
        ("a\n=1", "a\n=1"),
        ("\n=1", "\n=1"),
        ("\\t", "\\t"),
        (" =1", " =1"),
        ("'=1", "'=1"),
    ],
)
async def test_a_cell_that_looks_like_a_formula_gets_a_quote(
    database: Database, cell: str | None, written: str | None
) -> None:
    """Only at its very beginning, and nothing else is changed."""
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT csv_text($1)", cell) == written


async def test_an_amount_reads_the_same_in_sql(database: Database) -> None:
    """Always 12 places, no exponent, sums wider than one event can hold."""
    amounts = [0, 1, -1, 10**12, -1_131_300_000, 2**63 - 1, -(2**63), 10**40, 123_456_789_012_345]
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT pico_text(pico) AS text"
            " FROM unnest($1::numeric[]) WITH ORDINALITY AS amounts (pico, place) ORDER BY place",
            [Decimal(amount) for amount in amounts],
        )
        assert await connection.fetchval("SELECT pico_text(NULL)") is None
    assert [row["text"] for row in rows] == [format_amount(amount) for amount in amounts]


async def test_an_instant_reads_the_same_in_sql(database: Database) -> None:
    """In UTC with Z whatever the session's zone, microseconds only where there are some."""
    noon = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    instants = [
        noon,
        noon + timedelta(microseconds=1),
        noon + timedelta(milliseconds=500),
        noon + timedelta(seconds=59, microseconds=999_999),
        noon + timedelta(hours=1),  # the hour that is twice in Berlin
        datetime(2, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ]
    async with database.connection() as connection:
        for zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu"):
            await connection.execute("SELECT set_config('timezone', $1, false)", zone)
            rows = await connection.fetch(
                "SELECT instant_text(instant) AS text"
                " FROM unnest($1::timestamptz[]) WITH ORDINALITY AS moments (instant, place)"
                " ORDER BY place",
                instants,
            )
            assert [row["text"] for row in rows] == [format_instant(each) for each in instants]
        await connection.execute("RESET timezone")
