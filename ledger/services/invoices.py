"""Issuing invoices and reading them.

A run settles differences: for each customer with touched months it bills what no invoice has billed. It
works through the customers in chunks, each complete in itself, so a run that ends midway is finished by
running it again.

    chunk ─▶ look: nothing to settle ─▶ next chunk
               └▶ raise the epoch ─▶ lock its customers ─▶ snapshot: what is due ─▶ draft ─▶ write ─▶ unlock
                                      ▲                                              │
                                      └──── next chunk, on another connection ◀──────┘

The epoch stops every writer for a moment and makes it load everything anew, so it is raised only once a look
has found something to settle. A look needs none: the epoch guards against one thing, that a run drops a mark
which a writer still counts on for usage that the run has not seen, and who only looks drops nothing. A mark
commits with its usage, or stands from before in the same epoch, and only a run of a later epoch drops it. So
what commits after a look, or is inside the fence during it, is marked and found by the next one.

While a chunk is written, the next one is locked and read on a second connection, if one is to spare. A run
locks customers in the order of their numbers, whatever the connection, and who writes waits for no customer:
so runs at once cannot wait for each other in a circle. Chunks are written one by one, in their order.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.errors import DatabaseUnavailable, NotFound, TooBusy, UnprocessableDecision
from ledger.core.instants import Period, format_instant
from ledger.core.invoicing import Draft, draft_head, invoice_document, invoice_head
from ledger.services.customers import known_customer
from ledger.services.invoice_chunks import (
    Chunk,
    Desk,
    Prepared,
    Run,
    issue,
    look,
    open_desk,
    prepare,
)
from ledger.store.database import Connection, Database
from ledger.store.invoices import read_heads, read_invoice, try_lock_customer
from ledger.store.log import raise_epoch
from pricing import currency_places, format_minor


class Tally(msgspec.Struct):
    """What a run has done so far; `skipped` were looked at and got no invoice."""

    heads: list[dict[str, Any]]
    issued: int = 0
    skipped: int = 0
    total_minor: int = 0
    unrated: int = 0
    last_issued_at: datetime | None = None

    def count(self, chunk: Chunk, billed: Sequence[Draft], heads: Sequence[dict[str, Any]]) -> None:
        """Count a chunk: what was looked at and is due, and to whom of them it is billed."""
        self.issued += len(billed)
        self.skipped += len(chunk.customers) - len(billed)
        self.unrated += sum(draft.unrated for draft in chunk.drafts)
        self.total_minor += sum(draft.total_minor for draft in billed)
        self.heads += heads


async def run_invoices(
    database: Database,
    clock: Clock,
    actor: str,
    period: Period,
    *,
    currency: str,
    customer_id: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Issue one invoice for each customer with something due up to the end of a period.

    Who has the invoice of the period already is skipped, and so is who owes nothing; what is due to them
    waits for a later period. A dry run tells what would be issued and writes nothing. Safe to repeat, and
    to run twice at once, where a run for one customer does not wait for another.

    Raises:
        UnprocessableDecision: the period is not over (`period_open`).
        NotFound: no such customer.
        TooBusy: another run is at the one customer that is named.
    """
    if not dry_run and clock.now() < period.end_at:
        raise UnprocessableDecision(
            f"the period ends at {format_instant(period.end_at)}; until then only a dry run is possible",
            code="period_open",
        )
    tally = Tally(heads=[])
    async with database.connection() as connection:
        only = None if customer_id is None else await known_customer(connection, customer_id)
        if only is not None and not dry_run:
            await _keep_others_away(connection, only)
        run = Run(clock, actor, period, currency, only)
        after = await _look_around(connection, run, tally, dry_run=dry_run)
        if after is not None:
            await _settle(database, connection, run, tally, after)
    return {
        "period": period.start.isoformat()[:7],
        "issued": tally.issued,
        "skipped": tally.skipped,
        "total": format_minor(tally.total_minor, currency_places(currency)),
        "unrated_requests": tally.unrated,
        "invoices": tally.heads,
    }


async def list_invoices(
    database: Database,
    *,
    customers: Sequence[str] | None = None,
    after: str = "",
    most: int = 100,
) -> list[dict[str, Any]]:
    """The heads of the invoices of some customers, or of all, in the order of their numbers."""
    async with database.connection() as connection:
        rows = await read_heads(connection, customers, after, most)
    return [
        {
            **dict(row),
            "period_start": row["period_start"].isoformat(),
            "period_end": row["period_end"].isoformat(),
        }
        for row in rows
    ]


async def show_invoice(
    database: Database, number: str, *, customers: Sequence[str] | None = None
) -> dict[str, Any]:
    """An invoice with its lines. `customers` are those whose invoices may be seen; None means all.

    Raises:
        NotFound: there is none of that number, or it is another customer's.
    """
    async with database.snapshot() as connection:
        invoice = None if "\x00" in number else await read_invoice(connection, number, customers)
    if invoice is None:
        raise NotFound(f"no invoice {number!r}")
    return invoice_document(invoice)


async def _keep_others_away(connection: Connection, customer: int) -> None:
    """Let nobody else run for a customer; those who repeat it would all wait, each with a connection."""
    if not await try_lock_customer(connection, customer):
        raise TooBusy("invoices of the customer are being run already; run them again after that")


async def _look_around(
    connection: Connection, run: Run, tally: Tally, *, dry_run: bool
) -> int | None:
    """Look at chunks until one has something to settle; give the customer before it, None if none has.

    A dry run looks at all of them.
    """
    after = 0
    while chunk := await look(connection, run, after):
        if chunk.settled and not dry_run:
            return after
        billed = chunk.billable
        tally.count(chunk, billed, [draft_head(draft) for draft in billed])
        after = chunk.last
    return None


async def _settle(
    database: Database, connection: Connection, run: Run, tally: Tally, after: int
) -> None:
    """Issue chunk by chunk, from the one that begins after a customer."""
    async with connection.transaction():
        # Writers mark anew from here on: a mark older than the epoch is of usage that the run will see.
        epoch = await raise_epoch(connection)
    desk = await open_desk(connection, epoch)
    ready = await prepare(desk, run, after)
    async with AsyncExitStack() as stack:
        spare: Desk | None = None
        if ready and not ready.chunk.may_be_last and database.turns.is_half_free:
            spare = await _second_desk(database, stack, epoch)
        while ready and spare:
            ready = await _issue_and_prepare(desk, spare, run, tally, ready)
            desk, spare = spare, desk
        while ready:
            await _issue(desk, run, tally, ready)
            ready = await prepare(desk, run, ready.chunk.last)


async def _second_desk(database: Database, stack: AsyncExitStack, epoch: int) -> Desk | None:
    """One more desk; None where it cannot be had, since a run can do without."""
    try:
        return await open_desk(await stack.enter_async_context(database.connection()), epoch)
    except (TooBusy, DatabaseUnavailable):
        return None


async def _issue_and_prepare(
    desk: Desk, spare: Desk, run: Run, tally: Tally, ready: Prepared
) -> Prepared | None:
    """Issue a chunk while the next one is prepared; only that may have to wait for customers."""
    following = asyncio.create_task(prepare(spare, run, ready.chunk.last))
    try:
        await _issue(desk, run, tally, ready)
        return await following
    except BaseException:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        raise


async def _issue(desk: Desk, run: Run, tally: Tally, ready: Prepared) -> None:
    invoices = await issue(desk, run, ready, tally.last_issued_at)
    if invoices:
        tally.last_issued_at = invoices[-1].issued_at
    billed = [invoice.content for invoice in invoices]
    tally.count(ready.chunk, billed, [invoice_head(invoice) for invoice in invoices])
