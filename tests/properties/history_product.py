"""The product as a player of histories: it answers in the words of the second model."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ledger.clock import FixedClock
from ledger.core.adjustments import read_adjustment
from ledger.core.errors import Conflict, InvalidRecord, NotFound, TooBusy, UnprocessableDecision
from ledger.core.instants import parse_month
from ledger.core.reading import read_statement
from ledger.core.request_ids import request_id_of
from ledger.core.spend import SpendFigures, spend_query
from ledger.core.statements import Statement
from ledger.services.adjustments import adjust_request
from ledger.services.condensing import condense
from ledger.services.customers import set_customer
from ledger.services.intake.writer import Writer
from ledger.services.invoices import run_invoices
from ledger.services.limits import LimitRequest, set_limit
from ledger.services.meters import set_meter
from ledger.services.rates import publish_tables
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from tests.naive_prices import Terms
from tests.properties.histories import (
    FIRST_MONTH,
    Adjust,
    Condense,
    GiveMeter,
    History,
    MoveClock,
    Publish,
    RunInvoices,
    Send,
    SetLimit,
    SetMeter,
    Single,
)
from tests.properties.history_model import AMOUNTS, COUNTS, GROUPS, Answer, Key, Recorded, State

REASON = "as the history says"
LONG = timedelta(days=40 * 365)  # the times of all histories
# Everything that is recorded of some customers, every request in the order of its revisions.
ROWS = """
SELECT c.customer_id, e.request_id, e.opaque_id, e.revision, e.requests, e.occurred_at,
    coalesce(e.input_pico + e.cached_input_pico + e.output_pico + e.other_pico, 0)::numeric AS cost,
    coalesce(e.fee_pico, 0)::numeric AS fee, e.unrated,
    coalesce(m.percentage, m.terms ->> 'rate', '0')::numeric AS rate, m.terms ->> 'unit' AS unit
FROM usage_event e JOIN customer c USING (customer) JOIN dimension d USING (dimension)
    LEFT JOIN meter_version m USING (meter_version)
WHERE c.customer_id = ANY($1)
ORDER BY e.revision
"""
# What the rollups hold and the lines of no invoice have billed.
UNINVOICED = """
SELECT c.customer_id,
    (SELECT coalesce(sum(r.fee_pico + CASE d.key_type WHEN 'managed' THEN
            r.input_pico + r.cached_input_pico + r.output_pico + r.other_pico ELSE 0 END), 0)
        FROM rollup_hour r JOIN dimension d USING (dimension) WHERE r.customer = c.customer)
    - (SELECT coalesce(sum(l.exact_pico), 0) FROM invoice_line l WHERE l.customer = c.customer)
        AS uninvoiced
FROM customer c WHERE c.customer_id = ANY($1)
"""


class Product:
    """The product: two writers in two lanes, and whoever decides."""

    def __init__(self, database: Database, clock: FixedClock, writers: Sequence[Writer]) -> None:
        self.database = database
        self.clock = clock
        self._writers = writers
        self._customers: tuple[str, ...] = ()

    def begin(self, history: History) -> None:
        """Take up another history; the customers of earlier ones stay, and are no part of the answers."""
        self.clock.instant = history.begins_at
        self._customers = history.customers

    async def do(self, operation: Single) -> Answer:
        """The answer to an operation, in the words of the second model."""
        match operation:
            case Send():
                return await self._send(operation)
            case Adjust():
                return await self._adjust(operation)
            case RunInvoices():
                return await self._run_invoices(operation)
            case Condense():
                await condense(self.database, self.clock)
                return None
            case MoveClock():
                self.clock.instant = operation.to
                return None
            case _:
                return await self._decide(operation)

    async def _send(self, operation: Send) -> Answer:
        read = [read_statement(raw, self.clock.now()) for raw in operation.records]
        statements = [each for each in read if isinstance(each, Statement)]
        outcomes = iter(await self._writers[operation.writer].submit(statements))
        return [
            next(outcomes).verdict.value if isinstance(each, Statement) else "rejected"
            for each in read
        ]

    async def _adjust(self, operation: Adjust) -> Answer:
        form = {"kind": operation.kind, "reason": REASON, "idempotency_key": operation.key}
        adjustment = read_adjustment(
            {**form, "customer_id": operation.customer, **operation.quantities}
        )
        assert not isinstance(adjustment, list), adjustment
        try:
            recorded = await adjust_request(
                self.database, self.clock, "test", operation.request_id, adjustment
            )
        except NotFound:
            return "unknown"
        except Conflict:
            return "reused"
        except UnprocessableDecision as refusal:
            return refusal.code
        except InvalidRecord:
            return "invalid"
        return "recorded" if recorded else "replayed"

    async def _run_invoices(self, operation: RunInvoices) -> Answer:
        try:
            report = await run_invoices(
                self.database,
                self.clock,
                "test",
                parse_month(operation.month),
                currency="USD",
                customer_id=operation.customer,
            )
        except UnprocessableDecision as refusal:
            return refusal.code
        except NotFound:  # nothing was ever heard of the customer
            return {}
        except TooBusy:  # another run is at the customer: come again, as one is told to
            await asyncio.sleep(0.01)
            return await self._run_invoices(operation)
        return {
            head["customer_id"]: Decimal(head["total"])
            for head in report["invoices"]
            if head["customer_id"] in self._customers
        }

    async def _decide(self, operation: Single) -> Answer:
        database, clock = self.database, self.clock
        try:
            match operation:
                case Publish():
                    files = [("test.yaml", table_text(operation))]
                    await publish_tables(database, clock, "test", files, currency="USD")
                case SetMeter(slug):
                    await set_meter(database, clock, "test", slug, meter_form(operation))
                case GiveMeter(customer, slug):
                    await set_customer(database, clock, "test", customer, slug)
                case SetLimit(customer, amount, window, thresholds):
                    request = LimitRequest(customer, amount, window, thresholds)
                    await set_limit(database, clock, "test", request)
        except (NotFound, UnprocessableDecision) as refusal:
            return None if isinstance(operation, SetLimit) else refusal.code
        return None

    async def spent_by_day(self) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """What is spent of each model and day: by everybody together, and by each customer, added up."""
        sums: list[dict[Any, Any]] = []
        for by in (("provider", "model", "day"), ("provider", "model", "day", "customer")):
            question = spend_query(FIRST_MONTH, FIRST_MONTH + LONG, by)
            answer = await answer_spend(self.database, self.clock, question)
            added: dict[Any, Any] = {}
            for row in answer.rows:
                figures = added.setdefault(row.group[:3], SpendFigures(units={}))
                figures.add(row.figures)
            sums.append(
                {group: figures for group, figures in added.items() if not figures.is_empty}
            )
        return sums[0], sums[1]

    async def state(self, span: tuple[datetime, datetime]) -> State:
        """What is recorded and billed of the customers; `span` holds all times of the history."""
        names = list(self._customers)
        question = spend_query(*span, GROUPS, customers=names)
        body = spend_body(await answer_spend(self.database, self.clock, question), "USD")
        async with self.database.snapshot() as connection:
            events = await connection.fetch(ROWS, names)
            uninvoiced = await connection.fetch(UNINVOICED, names)
        rows: dict[Key, list[Recorded]] = {}
        for event in events:
            rows.setdefault(_key(event), []).extend(_recorded(event))
        return State(
            [_figures(row) for row in body["rows"]],
            {key: recorded for key, recorded in rows.items() if recorded},
            {key for key, recorded in rows.items() if not recorded},
            dict.fromkeys(names, Decimal(0))
            | {row["customer_id"]: row["uninvoiced"].scaleb(-12) for row in uninvoiced},
        )


def _key(event: Mapping[str, Any]) -> Key:
    return event["customer_id"], request_id_of(event["request_id"].bytes, event["opaque_id"])


def _recorded(event: Mapping[str, Any]) -> list[Recorded]:
    """The row as the second model has it; none of what has not completed."""
    if event["revision"] == 0:
        return []
    return [
        Recorded(
            sign=event["requests"],
            occurred_at=event["occurred_at"],
            cost=event["cost"].scaleb(-12),
            fee=event["fee"].scaleb(-12),
            terms=Terms(event["rate"], event["unit"]),
            is_rated=not event["unrated"],
        )
    ]


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that both players state, amounts as Decimal."""
    amounts = {name: Decimal(row[name]) for name in AMOUNTS}
    return {name: row[name] for name in (*GROUPS, *COUNTS)} | amounts


def meter_form(meter: SetMeter) -> dict[str, Any]:
    """What a version of a meter states."""
    if meter.unit is None:
        return {"percentage": meter.rate}
    return {"kind": "fixed", "unit": meter.unit, "rate": meter.rate}


def table_text(table: Publish) -> str:
    """The rate file of a publication; prices are quoted, as they must be."""
    header = [
        f"provider: {table.provider}",
        f'version: "{table.version}"',
        f"effective_from: {table.effective_from.isoformat()}",
        "currency: USD",
        "models:",
    ]
    models = [f"  {name}: {json.dumps(prices)}" for name, prices in table.models.items()]
    names = [f"aliases: {json.dumps(table.aliases)}", f"fallback: {json.dumps(table.fallback)}"]
    return "\n".join([*header, *models, *names])
