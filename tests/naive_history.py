"""The naive ledger over time: corrections, publications, changes of meters, invoices.

Like `tests.naive` it shares no code with the product. What is recorded is one list of signed
rows; every answer is a sum over the list. Money is Decimal USD.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.naive import Event, NaiveLedger, read_quantities, read_record, require
from tests.naive_prices import (
    NO_FEE,
    NONE,
    UNITS,
    Names,
    Prices,
    Quantities,
    Table,
    Terms,
    cost_of,
    fee_of,
    in_force,
)

CENT, ZERO = Decimal("0.01"), Decimal(0)
Stated = Mapping[str, int | Decimal]


@dataclass(frozen=True)
class Row(Event):
    """One recorded fact: a statement (sign 1) or its negation (sign -1).

    `terms` and `table` are the meter version and the rate table version it was rated with.
    Without a table the row is unrated.
    """

    request_id: str
    terms: Terms
    table: Table | None = None
    sign: int = 1

    def sums(self) -> dict[str, Any]:
        """What the row adds to a sum; a negation takes away what its statement added."""
        return {name: self.sign * amount for name, amount in super().sums().items()}

    def negated(self) -> "Row":
        return replace(self, sign=-self.sign)

    def rated(self, quantities: Quantities, table: Table | None) -> "Row":
        """The statement with other quantities, at a table's prices and under its own meter."""
        prices = table.prices_of(self.model) if table else None
        cost = cost_of(quantities, prices, self.called) if prices else None
        if cost is None:  # it counts nothing yet
            return replace(self, quantities=quantities, cost=ZERO, fee=ZERO, table=None)
        fee = fee_of(self.terms, cost, quantities)
        return replace(self, quantities=quantities, cost=cost, fee=fee, table=table)


@dataclass(frozen=True)
class Line:
    """What one invoice has billed of one service month, exactly."""

    customer: str
    period: str  # the invoice's
    month: str  # the service month
    exact: Decimal


def merged(standing: Stated, stated: Stated) -> Quantities:
    """What stands with the stated quantities in its place. Raises when no record could say so."""
    require("quantities", stated and stated.keys() <= set(UNITS))
    return read_quantities({**standing, **stated})


def used(quantities: Stated) -> Stated:
    """The quantities that count: to state zero is to state nothing."""
    return {unit: amount for unit, amount in quantities.items() if amount}


class NaiveHistory:
    """Everything that happens to a ledger, in the order it happens.

    `tables` are published in their order before anything else; `received_at` stands for the
    clock at every receipt until it is set anew. `rows` holds what is recorded, `lines` what is billed.
    """

    def __init__(self, tables: Sequence[Table], received_at: datetime) -> None:
        self.rows: list[Row] = []
        self.lines: list[Line] = []
        self._tables = list(tables)  # in the order of publication
        self._intake = NaiveLedger(self._tables, received_at)  # sees what is published later
        self._terms: dict[str, Terms] = {}  # by meter: its last version
        self._meters: dict[str, str] = {}  # by customer
        self._keys: dict[tuple[str, str], object] = {}  # what each idempotency key asked for
        self._intake.meters = {None}

    def copy(self) -> "NaiveHistory":
        """The same up to now, to go on in another way."""
        twin = NaiveHistory(self._tables, self._intake.received_at)
        twin.rows, twin.lines = list(self.rows), list(self.lines)
        twin._intake._statements = dict(self._intake._statements)
        for slug, terms in self._terms.items():
            twin.set_meter(slug, terms.rate, terms.unit)
        twin._meters, twin._keys = dict(self._meters), dict(self._keys)
        return twin

    def set_clock(self, received_at: datetime) -> None:
        """What is received from now on is received then."""
        self._intake.received_at = received_at

    def knows_meter(self, slug: str) -> bool:
        return slug in self._terms

    def add(self, raw: bytes) -> str:
        """Take one record: accepted, duplicate, conflict or rejected."""
        outcome = self._intake.add(raw)
        for event in self._intake.events:  # one if the record was completed and new
            self._record(event, read_record(raw))
        self._intake.events.clear()
        return outcome

    def _record(self, event: Event, record: Mapping[str, Any]) -> None:
        """Append a first statement, rated with what is known now."""
        slug = record.get("meter_slug", self._meters.get(event.customer))
        terms = self._terms.get(slug, NO_FEE)
        row = Row(**vars(event), request_id=record["request_id"], terms=terms)
        self.rows.append(self._rated_now(row, event.quantities))

    def _rated_now(self, row: Row, quantities: Quantities) -> Row:
        """Rated with the tables published by now; a provider nobody could tell is sought again."""
        provider = row.provider or self._intake._provider({"model": row.model}, row.occurred_at)
        table = in_force(self._tables, provider or "", row.occurred_at)
        return replace(row, provider=provider).rated(quantities, table)

    def publish(
        self,
        provider: str,
        effective_from: datetime,
        models: Mapping[str, Prices],
        aliases: Names = NONE,
        fallback: Names = NONE,
    ) -> None:
        """A new version of a rate table, prices as its file says them. Moves nothing by itself."""
        self._tables.append(Table(provider, effective_from, models, aliases, fallback))

    def set_meter(self, slug: str, rate: Decimal, unit: str | None = None) -> None:
        """A new version of a meter, per cent of cost or per unit, for what is recorded from now on."""
        self._terms[slug] = Terms(rate, unit)
        self._intake.meters = {None, *self._terms}

    def set_customer_meter(self, customer: str, slug: str) -> None:
        """The meter of a customer's records that state none, recorded from now on."""
        self._meters[customer] = slug

    def adjust(
        self, customer: str, request_id: str, kind: str, quantities: Stated, key: str
    ) -> str:
        """Void or correct a request; quantities are absolute, what is left out stays.

        Moves something: applied. Moves nothing: unchanged, replayed. Refused: unknown, reused
        (the key), unmetered, voided, invalid; asked in this order. A refusal uses up no key.
        """
        if (customer, request_id) not in self._intake._statements:
            return "unknown"
        content = (request_id, kind, dict(quantities))
        if (customer, key) in self._keys:
            return "replayed" if self._keys[customer, key] == content else "reused"
        row = self._last_row(customer, request_id)
        answer = self._apply(row, kind, quantities) if row else "unmetered"
        if answer in ("applied", "unchanged"):
            self._keys[customer, key] = content
        return answer

    def _last_row(self, customer: str, request_id: str) -> Row | None:
        """The last that was recorded of a request: what stands, or its negation."""
        mine = [r for r in self.rows if (r.customer, r.request_id) == (customer, request_id)]
        return mine[-1] if mine else None

    def _apply(self, last: Row, kind: str, quantities: Stated) -> str:
        """Append a negation and, for a correction, a whole new statement."""
        voided = last.sign < 0
        if kind == "correction" and voided:
            return "voided"
        try:
            require("quantities", kind == "correction" or not quantities)
            new = [self._corrected(last, quantities)] if kind == "correction" else []
        except (ValueError, TypeError):
            return "invalid"
        if voided or any(used(row.quantities) == used(last.quantities) for row in new):
            return "unchanged"
        self.rows += [last.negated(), *new]
        return "applied"

    def _corrected(self, last: Row, quantities: Stated) -> Row:
        """What stands with some quantities stated anew; its table stays, if it has one."""
        new = merged(last.quantities, quantities)
        kept = last.table is not None
        return last.rated(new, last.table) if kept else self._rated_now(last, new)

    def run_invoices(
        self, year_month: str, customers: Iterable[str] | None = None
    ) -> dict[str, Decimal]:
        """Bill a period (`2026-04`): the total in cents of every invoice that is issued.

        One invoice for each customer and period. A total of zero or less issues none.
        """
        names = {row.customer for row in self.rows} if customers is None else set(customers)
        billed = {line.customer for line in self.lines if line.period == year_month}
        issued = {}
        for customer in sorted(names - billed):
            lines = self._lines_due(customer, year_month)
            exact = sum((line.exact for line in lines), Decimal(0))
            total = exact.quantize(CENT, ROUND_HALF_UP)
            if total > 0:
                self.lines += lines
                issued[customer] = total
        return issued

    def _lines_due(self, customer: str, period: str) -> list[Line]:
        """A line for each service month up to a period: what was used less what was billed."""
        mine = [row for row in self.rows if row.customer == customer]
        months = sorted({str(row.group_value("month")) for row in mine})
        lines = []
        for month in (month for month in months if month <= period):
            spent = [r.sums()["spend"] for r in mine if r.group_value("month") == month]
            earlier = [line for line in self.lines if line.customer == customer]
            billed = [line.exact for line in earlier if line.month == month]
            due = sum(spent, Decimal(0)) - sum(billed, Decimal(0))
            lines.append(Line(customer, period, month, due))
        return lines

    def spend(self, customer: str) -> Decimal:
        """What a customer owes for all time, exactly."""
        mine = (row.sums()["spend"] for row in self.rows if row.customer == customer)
        return sum(mine, Decimal(0))

    def uninvoiced(self, customer: str) -> Decimal:
        """What no invoice has billed, exactly; below zero when a credit waits."""
        billed = (line.exact for line in self.lines if line.customer == customer)
        return self.spend(customer) - sum(billed, Decimal(0))

    def spend_rows(self, by: Sequence[str], start: datetime, end: datetime) -> list[dict[str, Any]]:
        """As `NaiveLedger.spend`; a group of which nothing is left has no row."""
        sheet = NaiveLedger([], self._intake.received_at)
        sheet.events = list(self.rows)
        rows = sheet.spend(by, start, end)
        return [row for row in rows if any(row[name] for name in row.keys() - set(by))]

    def unmetered(self) -> set[tuple[str, str]]:
        """(customer, request id) of what was seen and has not completed."""
        return {key for key, stated in self._intake._statements.items() if stated is None}
