"""A ledger with everything in it, and changing what may not be changed, as a superuser without triggers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from ledger.clock import FixedClock
from ledger.services.proof.verification import verify
from ledger.store.database import Database

ONE_EVENT = """ WHERE
    (request_id, customer, revision) = (
        SELECT request_id, customer, revision FROM usage_event JOIN customer USING (customer)
        WHERE customer_id = 'acme' AND input_pico > 0 ORDER BY request_id LIMIT 1)
"""
ONE_LINE = """ WHERE
    (customer, number, line) = (SELECT customer, number, line FROM invoice_line ORDER BY number, line LIMIT 1)
"""


def at(place: str, change: str) -> str:
    """A change in one place."""
    return change + place


ACME_MIDDLE = """ WHERE (request_id, customer, revision) = (
    SELECT request_id, customer, revision FROM usage_event JOIN customer USING (customer)
    WHERE customer_id = 'acme' AND input_pico > 0 ORDER BY request_id OFFSET 3 LIMIT 1)
"""


@asynccontextmanager
async def tampering(url: str) -> AsyncIterator[Any]:
    """A connection that no trigger holds back."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "ledger"})
    try:
        await connection.execute("SET session_replication_role = replica")
        yield connection
    finally:
        await connection.close()


async def tamper(url: str, *changes: str) -> None:
    """Change what may not be changed; each statement hits something."""
    async with tampering(url) as connection:
        for change in changes:
            status = await connection.execute(change)
            assert status == "TRUNCATE TABLE" or not status.endswith(" 0"), change


async def offenders(database: Database, clock: FixedClock) -> dict[str, list[Any]]:
    """The offenders of every check that fails."""
    report = await verify(database, clock)
    failed = {check["name"]: check["offenders"] for check in report["checks"] if not check["ok"]}
    assert report["ok"] == (not failed)
    return failed


async def place(url: str, condition: str = ACME_MIDDLE) -> tuple[int, int]:
    """The lane and batch of an event."""
    async with tampering(url) as connection:
        return tuple(await connection.fetchrow(f"SELECT lane, batch FROM usage_event {condition}"))


def places(found: list[dict[str, Any]]) -> set[tuple[int, int]]:
    """The lanes and batches that offenders name."""
    return {(each["lane"], each["batch"]) for each in found}
