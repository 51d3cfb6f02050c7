"""The second model as a player of histories, and the form in which both players tell their state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.core.instants import parse_month
from tests.naive_history import NaiveHistory, Row
from tests.naive_prices import Terms
from tests.properties.histories import (
    Adjust,
    Condense,
    GiveMeter,
    History,
    MoveClock,
    Publish,
    RunInvoices,
    Send,
    SetMeter,
    Single,
)

Answer = Any
GROUPS = ("customer", "provider", "model", "key_type", "month")
COUNTS = ("requests", "input_tokens", "cached_input_tokens", "output_tokens")
AMOUNTS = ("cost", "fee", "spend")
Key = tuple[str, str]  # customer, request id


@dataclass(frozen=True)
class Recorded:
    """What one row of a request says: a statement (sign 1) or its negation, at a moment, in USD."""

    sign: int
    occurred_at: datetime
    cost: Decimal
    fee: Decimal
    terms: Terms  # of the meter that it was recorded under
    is_rated: bool


@dataclass(frozen=True)
class State:
    """What is recorded and billed of the customers of a history, in USD."""

    spend: list[dict[str, Any]]
    rows: Mapping[Key, list[Recorded]]
    unmetered: set[Key]
    uninvoiced: Mapping[str, Decimal]

    def differences(self, other: "State") -> dict[str, tuple[Any, Any]]:
        """What the two say where they do not say the same."""
        mine, theirs = vars(self), vars(other)
        return {name: (mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]}


class Model:
    """The second model, asked in the same words."""

    def __init__(self, history: History, naive: NaiveHistory, now: datetime) -> None:
        self.history = history
        self.naive = naive
        self.now = now

    def copy(self) -> "Model":
        return Model(self.history, self.naive.copy(), self.now)

    def do(self, operation: Single) -> Answer:
        naive = self.naive
        match operation:
            case Send():
                return [naive.add(raw) for raw in operation.records]
            case Adjust(customer, request_id, kind, quantities, key):
                answer = naive.adjust(customer, request_id, kind, quantities, key)
                return "recorded" if answer in ("applied", "unchanged") else answer
            case RunInvoices(month, customer):
                wanted = self.history.customers if customer is None else [customer]
                return self.run_invoices(month, wanted)
            case Condense():
                pass
            case MoveClock(to):
                self.now = to
                naive.set_clock(to)
            case _:
                return self._decide(operation)
        return None

    def run_invoices(self, month: str, customers: Iterable[str]) -> Answer:
        if self.now < parse_month(month).end_at:
            return "period_open"
        return self.naive.run_invoices(month, customers)

    def _decide(self, operation: Single) -> Answer:
        naive = self.naive
        match operation:
            case Publish(provider, _, effective_from, models, aliases, fallback):
                naive.publish(provider, effective_from, models, aliases, fallback)
            case SetMeter(slug, rate, unit):
                naive.set_meter(slug, Decimal(rate or 0), unit)
            case GiveMeter(customer, slug):
                if not naive.knows_meter(slug):
                    return "unknown_meter"
                naive.set_customer_meter(customer, slug)
        return None

    def state(self) -> State:
        """As the product tells it."""
        naive = self.naive
        rows: dict[Key, list[Recorded]] = {}
        for row in naive.rows:
            rows.setdefault((row.customer, row.request_id), []).append(_recorded(row))
        return State(
            [
                {name: row[name] for name in (*GROUPS, *COUNTS, *AMOUNTS)}
                for row in naive.spend_rows(GROUPS, *self.history.span)
            ],
            rows,
            naive.unmetered(),
            {name: naive.uninvoiced(name) for name in self.history.customers},
        )


def _recorded(row: Row) -> Recorded:
    return Recorded(
        row.sign,
        row.occurred_at,
        row.sign * row.cost,
        row.sign * row.fee,
        row.terms,
        is_rated=row.table is not None,
    )
