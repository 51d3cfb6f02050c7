"""Lists for one customer: months that are over have an index, and no list reads what others have in them."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services.intake.writer import Writer
from ledger.services.requests import RequestFilter, list_requests
from ledger.store.bound import BoundDatabase
from ledger.store.database import Connection, Database
from ledger.store.month_indexes import index_months_over
from ledger.store.requests import PageQuery, read_page
from tests.conftest import NOW

TODAY = NOW.date()
OTHERS = 60_000
# A few for each month and row; the primary key of the month alone has more than twice as many.
MOST_BLOCKS = 150
MINE, NOBODY = 1, 999
# Like the one that is there, in September; one in three thousand is of the same customer.
FILL = """
INSERT INTO usage_event (request_id, occurred_at, uncached_input_tokens, cached_input_tokens, output_tokens,
    batch, lane, customer, dimension, stated, kind, revision, requests, unrated)
SELECT overlay(md5(n::text) placing left(month_bound('2026-09-02')::text, 8) from 1 for 8)::uuid,
    occurred_at, 0, 0, 0, batch, lane, CASE WHEN n % 3000 = 0 THEN customer ELSE 2 + n % 300 END, dimension,
    stated, kind, 1, 1, 1
FROM usage_event, generate_series(1, $1) n
"""
INDEXES = """
SELECT relname, indisvalid FROM pg_class JOIN pg_index ON indexrelid = oid
WHERE relname LIKE 'usage_event%by_customer' ORDER BY relname
"""


@pytest.fixture
async def filled(database: Database, writer: Writer, clock: FixedClock) -> Database:
    """A September of others, in which one customer has a few records."""
    line = b'{"request_id":"first","customer_id":"mine","model":"m"}'
    first = read_statement(line, clock.now())
    assert isinstance(first, Statement)
    await writer.submit([first])
    owner = await asyncpg.connect(database.url)
    await owner.execute("SET search_path = ledger")
    await owner.execute(FILL, OTHERS)
    await owner.execute("ANALYZE")
    await owner.close()
    return database


async def blocks_of(connection: Connection, page: PageQuery) -> int:
    """How many blocks a page of requests reads."""
    explained = _Explained(connection)
    await read_page(explained, page)
    return explained.blocks


class _Explained:
    """A connection that explains what it is asked, and adds up the blocks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.blocks = 0

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """The rows, after their cost."""
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        plan = json.loads(await self._connection.fetchval(explain, *values))[0]["Plan"]
        self.blocks += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        rows: list[Any] = await self._connection.fetch(statement, *values)
        return rows


def pages(customer: int) -> Iterator[PageQuery]:
    """What may be asked of one customer's requests."""
    yield PageQuery(most=11, customer=customer)
    yield PageQuery(most=11, customer=customer, model="no such")
    yield PageQuery(most=11, customer=customer, status="error")
    yield PageQuery(most=11, customer=customer, metadata={"team": "none"})


async def test_a_list_reads_no_more_for_what_others_have(filled: Database) -> None:
    """A customer with some or none, with filters, behind a bound key; before, all of the month was read."""
    async with filled.connection() as connection:
        before = await blocks_of(connection, PageQuery(most=11, customer=NOBODY))
    assert before > 2 * MOST_BLOCKS

    assert await index_months_over(filled.url, TODAY, worth_bytes=1) == ["2026_09"]

    for database in (filled, BoundDatabase(filled, MINE)):
        async with database.connection() as connection:
            for customer in (MINE, NOBODY):
                for page in pages(customer):
                    assert await blocks_of(connection, page) < MOST_BLOCKS, page


async def test_pages_are_the_same_with_and_without(filled: Database) -> None:
    """Through an index or the primary key: newest first, each once, to the end."""
    before = await listed(filled)
    await index_months_over(filled.url, TODAY, worth_bytes=1)

    after = await listed(filled)

    assert len(after) == len(set(after)) == OTHERS // 3000 + 1
    assert after == before
    assert after[-1] == "first"  # an opaque id


async def listed(database: Database) -> list[str]:
    """The ids of all requests of one customer, page by page."""
    ids: list[str] = []
    cursor = None
    while cursor is not None or not ids:
        page = await list_requests(
            database, RequestFilter(customer_id="mine"), cursor=cursor, most=7
        )
        ids += [each["request_id"] for each in page["data"]]
        cursor = page["next_cursor"]
    return ids


async def test_what_was_interrupted_is_made_anew_and_once(filled: Database) -> None:
    """An index that is there but not valid goes; a month that is small or not over has none."""
    owner = await asyncpg.connect(filled.url)
    await owner.execute("SET search_path = ledger")
    await index_months_over(filled.url, TODAY, worth_bytes=1)
    await owner.execute(
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'usage_event_2026_09_by_customer'::regclass"
    )

    assert await index_months_over(filled.url, TODAY, worth_bytes=1) == ["2026_09"]

    assert [tuple(row) for row in await owner.fetch(INDEXES)] == [
        ("usage_event_2026_09_by_customer", True)
    ]
    assert await index_months_over(filled.url, TODAY, worth_bytes=1) == []
    await owner.execute("DROP INDEX usage_event_2026_09_by_customer")
    assert await index_months_over(filled.url, TODAY) == []
    assert await index_months_over(filled.url, TODAY.replace(month=9), worth_bytes=1) == []
    await owner.close()
