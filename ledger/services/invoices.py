"""Issuing invoices and reading them.

A run settles differences: for each customer with touched months it bills what no invoice has billed. It
works through the customers in chunks, each complete in itself, so a run that ends midway is finished by
running it again.

    chunk ─▶ look: nothing to settle ─▶ next chunk
               └▶ raise the epoch ─▶ lock its customers ─▶ snapshot: what is due ─▶ draft ─▶ write ─▶ unlock
                                      ▲                                                                │
                                      └──────────────────────── next chunk ────────────────────────────┘

The epoch stops every writer for a moment and makes it load everything anew, so it is raised only once a look
has found something to settle. A look needs none: the epoch guards against one thing, that a run drops a mark
which a writer still counts on for usage that the run has not seen, and who only looks drops nothing. A mark
commits with its usage, or stands from before in the same epoch, and only a run of a later epoch drops it. So
what commits after a look, or is inside the fence during it, is marked and found by the next one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.cuts import format_cut
from ledger.core.errors import NotFound, TooBusy, UnprocessableDecision
from ledger.core.instants import Period, format_instant
from ledger.core.invoice_bodies import invoice_body
from ledger.core.invoicing import (
    Draft,
    Invoice,
    draft_head,
    draft_invoice,
    finalise,
    invoice_document,
    invoice_head,
)
from ledger.services.customers import known_customer
from ledger.store.database import Connection, Database
from ledger.store.interning import Interned
from ledger.store.invoices import (
    customers_locked,
    forget_touched,
    read_due,
    read_heads,
    read_invoice,
    read_invoiced_customers,
    read_touched_customers,
    take_numbers,
    try_lock_customer,
    write_invoices,
)
from ledger.store.log import (
    Batch,
    Decision,
    Lane,
    append_batch,
    enter_fence,
    raise_epoch,
    read_cut,
    take_lane,
)
from pricing import currency_places, format_minor

# Each customer is a lock in the server's shared memory, and a chunk is held in memory as a whole.
CHUNK_CUSTOMERS = 250


class Tally(msgspec.Struct):
    """What a run has done so far; `skipped` were looked at and got no invoice."""

    heads: list[dict[str, Any]]
    issued: int = 0
    skipped: int = 0
    total_minor: int = 0
    unrated: int = 0

    def count(
        self,
        drafts: Sequence[Draft],
        looked_at: int,
        billed: Sequence[Draft],
        heads: list[dict[str, Any]],
    ) -> None:
        """Count a chunk: how many customers were looked at, what is due, and to whom of them it is billed."""
        self.issued += len(billed)
        self.skipped += looked_at - len(billed)
        self.unrated += sum(draft.unrated for draft in drafts)
        self.total_minor += sum(draft.total_minor for draft in billed)
        self.heads += heads


class Issuer(msgspec.Struct):
    """What a run needs to write: its lane, and the epoch below which marks can be dropped."""

    clock: Clock
    actor: str
    lane: Lane
    epoch: int
    interned: Interned


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
        issuer: Issuer | None = None
        async for chunk in _chunks(connection, period, only):
            if issuer is None:
                drafts = await _draft_chunk(connection, chunk, period, currency)
                if dry_run or not any(draft.is_settled for draft in drafts):
                    billed = [draft for draft in drafts if draft.is_billable]
                    tally.count(drafts, len(chunk), billed, [draft_head(draft) for draft in billed])
                    continue
                issuer = await _issuer(connection, clock, actor)
            async with customers_locked(connection, list(chunk)):
                drafts = await _draft_chunk(connection, chunk, period, currency)
                invoices = await _issue(connection, issuer, period, drafts)
            tally.count(
                drafts,
                len(chunk),
                [invoice.content for invoice in invoices],
                [invoice_head(invoice) for invoice in invoices],
            )
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


async def _issuer(connection: Connection, clock: Clock, actor: str) -> Issuer:
    """Make writers mark anew from here on: a mark older than the epoch is of usage that the run will see."""
    async with connection.transaction():
        epoch = await raise_epoch(connection)
    return Issuer(clock, actor, await take_lane(connection), epoch, Interned())


async def _chunks(
    connection: Connection, period: Period, only: int | None
) -> AsyncIterator[dict[int, str]]:
    """The customers to look at, some at a time: ids by number, in the order of numbers."""
    after = 0
    while chunk := await read_touched_customers(
        connection, period, after=after, most=CHUNK_CUSTOMERS, only=only
    ):
        yield chunk
        after = max(chunk)


async def _draft_chunk(
    connection: Connection, chunk: Mapping[int, str], period: Period, currency: str
) -> list[Draft]:
    """Draft the invoices of those who have none for the period, from one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        invoiced = await read_invoiced_customers(connection, list(chunk), period)
        open_customers = [customer for customer in chunk if customer not in invoiced]
        due = await read_due(connection, open_customers, period)
        cut = format_cut(await read_cut(connection))
    return [
        draft_invoice(customer, chunk[customer], period, currency, due.get(customer, ()), cut)
        for customer in open_customers
    ]


async def _issue(
    connection: Connection, issuer: Issuer, period: Period, drafts: Sequence[Draft]
) -> list[Invoice]:
    """Write a chunk in one transaction; give its invoices."""
    billable = [draft for draft in drafts if draft.is_billable]
    settled = [draft.customer for draft in drafts if draft.is_settled]
    invoices: list[Invoice] = []
    lane = issuer.lane
    async with connection.transaction(isolation="read_committed"):
        await enter_fence(connection)  # a time is taken inside the fence, as `as_of` relies on
        await forget_touched(connection, settled, period, issuer.epoch)
        if billable:
            issued_at = lane.next_recorded_at(issuer.clock.now())
            invoices = await _write(connection, billable, issued_at)
            batch = Batch(issued_at, decisions=_decisions(invoices), actor=issuer.actor)
            lane = await append_batch(connection, lane, batch, issuer.interned)
    issuer.lane = lane
    return invoices


async def _write(
    connection: Connection, billable: Sequence[Draft], issued_at: datetime
) -> list[Invoice]:
    """Number drafts and write them. From the numbers on, other runs wait."""
    last_number = await take_numbers(connection, len(billable))
    invoices = finalise(billable, last_number, issued_at)
    await write_invoices(connection, invoices)
    return invoices


def _decisions(invoices: Sequence[Invoice]) -> list[Decision]:
    return [
        Decision(
            "invoice_finalised",
            invoice.content.customer,
            invoice.number,
            invoice_body(invoice),
        )
        for invoice in invoices
    ]
