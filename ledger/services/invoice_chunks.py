"""One chunk of an invoice run: customers looked at, locked, drafted, and written in one transaction.

A chunk is prepared and issued on one connection, so whoever loses the locks of its customers loses the
transaction with them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from ledger.clock import Clock
from ledger.core.cuts import format_cut
from ledger.core.instants import Period
from ledger.core.invoice_bodies import invoice_body, lines_text
from ledger.core.invoicing import Draft, Invoice, draft_invoice, finalise
from ledger.store.database import Connection
from ledger.store.interning import Interned
from ledger.store.invoices import (
    forget_touched,
    line_rows,
    lock_customers,
    read_due,
    read_invoiced_customers,
    read_touched_customers,
    take_numbers,
    unlock_customers,
    write_invoices,
)
from ledger.store.log import Batch, Decision, Lane, append_batch, enter_fence, read_cut, take_lane

# Each customer is a lock in the server's shared memory, and a chunk is held in memory as a whole.
CHUNK_CUSTOMERS = 250


class Run(msgspec.Struct, frozen=True):
    """What a run bills: a period, of all customers or of `only` one, and who says so."""

    clock: Clock
    actor: str
    period: Period
    currency: str
    only: int | None


class Texts(msgspec.Struct, frozen=True):
    """What the lines of the billable drafts look like in their facts, and in the table of lines."""

    facts: Sequence[msgspec.Raw]
    rows: Sequence[str]


class Chunk(msgspec.Struct, frozen=True):
    """Customers to look at, ids by number in the order of numbers, and the drafts of one snapshot."""

    customers: Mapping[int, str]
    drafts: Sequence[Draft]

    @property
    def last(self) -> int:
        """The customer after whom the next chunk begins."""
        return max(self.customers)

    @property
    def billable(self) -> list[Draft]:
        """Those that become invoices."""
        return [draft for draft in self.drafts if draft.is_billable]

    @property
    def settled(self) -> list[int]:
        """The customers to whom nothing is left to bill once the chunk is issued."""
        return [draft.customer for draft in self.drafts if draft.is_settled]

    @property
    def may_be_last(self) -> bool:
        """Whether there was room for more customers than there were."""
        return len(self.customers) < CHUNK_CUSTOMERS


class Prepared(msgspec.Struct, frozen=True):
    """A chunk whose customers are locked, with all that can be written before the numbers are known."""

    chunk: Chunk
    texts: Texts


class Desk(msgspec.Struct):
    """What it takes to write: a connection, its lane, and the epoch below which marks can be dropped."""

    connection: Connection
    lane: Lane
    epoch: int


async def open_desk(connection: Connection, epoch: int) -> Desk:
    """Make a connection one that writes, in an epoch that was raised for the run."""
    return Desk(connection, await take_lane(connection), epoch)


async def look(connection: Connection, run: Run, after: int) -> Chunk | None:
    """Draft the next customers without locking them; None when there are no more."""
    customers = await _read_customers(connection, run, after)
    return await _drafted(connection, run, customers) if customers else None


async def prepare(desk: Desk, run: Run, after: int) -> Prepared | None:
    """Lock the next customers, then draft them from a snapshot that begins inside the locks.

    They stay locked until the chunk is issued, or until the end of the connection's use.
    """
    customers = await _read_customers(desk.connection, run, after)
    if not customers:
        return None
    await lock_customers(desk.connection, list(customers))
    chunk = await _drafted(desk.connection, run, customers)
    billable = chunk.billable
    return Prepared(chunk, Texts([*map(lines_text, billable)], [*map(line_rows, billable)]))


async def issue(
    desk: Desk, run: Run, prepared: Prepared, not_before: datetime | None = None
) -> list[Invoice]:
    """Write a chunk that this desk prepared, in one transaction, and let go of its customers.

    `not_before` is when the invoices before these were issued, perhaps at another desk.
    """
    connection, lane, chunk, texts = desk.connection, desk.lane, prepared.chunk, prepared.texts
    invoices: list[Invoice] = []
    interned = Interned()
    interned.know_customers(chunk.customers)
    async with connection.transaction(isolation="read_committed"):
        await enter_fence(connection)  # a time is taken inside the fence, as `as_of` relies on
        await forget_touched(connection, chunk.settled, run.period, desk.epoch)
        if billable := chunk.billable:
            issued_at = lane.next_recorded_at(run.clock.now())
            issued_at = max(issued_at, not_before or issued_at)
            invoices = await _write(connection, billable, issued_at, texts)
            batch = Batch(issued_at, decisions=_decisions(invoices, texts), actor=run.actor)
            lane = await append_batch(connection, lane, batch, interned)
    desk.lane = lane
    await unlock_customers(connection, list(chunk.customers))
    return invoices


async def _read_customers(connection: Connection, run: Run, after: int) -> dict[int, str]:
    return await read_touched_customers(
        connection, run.period, after=after, most=CHUNK_CUSTOMERS, only=run.only
    )


async def _drafted(connection: Connection, run: Run, customers: Mapping[int, str]) -> Chunk:
    """Draft the invoices of those who have none for the period, from one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        invoiced = await read_invoiced_customers(connection, list(customers), run.period)
        still_open = [customer for customer in customers if customer not in invoiced]
        due = await read_due(connection, still_open, run.period)
        cut = format_cut(await read_cut(connection))
    drafts = [
        draft_invoice(
            customer, customers[customer], run.period, run.currency, due.get(customer, ()), cut
        )
        for customer in still_open
    ]
    return Chunk(customers, drafts)


async def _write(
    connection: Connection, billable: Sequence[Draft], issued_at: datetime, texts: Texts
) -> list[Invoice]:
    """Number drafts and write them. From the numbers on, other runs wait."""
    last_number = await take_numbers(connection, len(billable))
    invoices = finalise(billable, last_number, issued_at)
    await write_invoices(connection, invoices, texts.rows)
    return invoices


def _decisions(invoices: Sequence[Invoice], texts: Texts) -> list[Decision]:
    return [
        Decision(
            "invoice_finalised",
            invoice.content.customer,
            invoice.number,
            invoice_body(invoice, lines),
        )
        for invoice, lines in zip(invoices, texts.facts, strict=True)
    ]
