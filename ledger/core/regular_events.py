"""Regular events: the rows of statements whose every figure follows from terms that are known.

Most records of a batch differ only in their counts and their time. Tables, names, combinations and meters
lead such a one to three prices and a dimension. Those are its terms, remembered for as long as the decisions
they follow from stand still, and for times between which no table comes into force. From then on a statement
becomes its row in one go, without the objects of the way that all others take:

    statement ─▶ rate_statement ─▶ usage_event      any statement; tells the terms of those like it
    statement ─▶ terms ─▶ usage_event               the like of one seen before; the same row
"""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from ledger.core.configuration import Configuration
from ledger.core.events import event_text
from ledger.core.rating import RatedStatement, combination_for
from ledger.core.rows import EventText, UsageEvent
from ledger.core.statements import Statement, Status
from pricing import (
    AMOUNT_PICO_MAX,
    BILLABLE_REQUESTS,
    AmountOutOfRange,
    Meter,
    Quantities,
    fee_pico,
    metered_quantity,
)

# Names are chosen by senders. What is forgotten is worked out again.
MOST_KNOWN = 50_000
_COMPLETED = Status.COMPLETED
_NOBODY = (0, None)
_REQUEST_ID, _CUSTOMER = itemgetter(0), UsageEvent._fields.index("customer")
_row = partial(tuple.__new__, UsageEvent)  # as `_make` does, without a function between


class Terms(NamedTuple):
    """What calls of a model are recorded under and charged by. Prices are those of a token, in pico."""

    dimension: int
    input_pico: int
    cached_input_pico: int
    output_pico: int
    meter: Meter | None


class Split(msgspec.Struct):
    """A batch as rows of regular statements, the words that came with them, and all other statements.

    Rows stand in the order of their statements, whose places in the batch are `indexes`; `others` are the
    places of the rest, in order.
    """

    events: list[UsageEvent]
    indexes: list[int]
    texts: list[EventText]
    others: list[int]

    def set_aside(self, is_aside: Callable[[UsageEvent], bool]) -> None:
        """Leave some rows to the way that all others take."""
        places = {i for i, e in zip(self.indexes, self.events, strict=True) if is_aside(e)}
        aside = {(event[0], event[_CUSTOMER]) for event in self.events if is_aside(event)}
        self.others = sorted({*self.others, *places})
        self.events = [event for event in self.events if not is_aside(event)]
        self.indexes = [index for index in self.indexes if index not in places]
        self.texts = [text for text in self.texts if (text[0], text[1]) not in aside]


class KnownTerms:
    """Customers with the meters they have, and terms by all that they follow from."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._stretch_of = configuration.book.stretch_of
        self._customers: dict[str, tuple[int, str | None]] = {}
        self._terms: dict[Any, Terms] = {}

    def __len__(self) -> int:
        """How many terms are remembered."""
        return len(self._terms)

    def learn(self, rated: RatedStatement, customer: int, dimension: int) -> None:
        """Remember the terms that a statement was rated by, if its like is always rated by them."""
        prices = self._prices_pico(rated)
        if prices is None:
            return
        statement, configuration = rated.statement, self._configuration
        slug = configuration.meter_slugs.get(customer)
        published = configuration.meter_for(customer, statement.meter_slug)
        meter = None if published is None else published.meter
        _remember(self._customers, statement.customer_id, (customer, slug))
        _remember(self._terms, self._key_of(statement, slug), Terms(dimension, *prices, meter))

    def split(
        self,
        statements: Sequence[Statement],
        lane: int,
        batch: int,
        salts: Callable[[], bytes],
        asked: Container[bytes] = (),
    ) -> Split:
        """Make the rows of regular statements. None of the others has the key of one of them.

        Those whose key bits are in `asked` are left to the others: somebody wants to see how they are rated.
        """
        made = Split([], [], [], [])
        for index, statement in enumerate(statements):
            event = None
            if not asked or statement.key.bits not in asked:
                event = self._event_of(statement, lane, batch, salts, made.texts)
            if event is None:
                made.others.append(index)
            else:
                made.events.append(event)
                made.indexes.append(index)
        ids = list(map(_REQUEST_ID, made.events))
        other_ids = {statements[index].key.bits for index in made.others}
        if len(set(ids)) < len(ids) or not other_ids.isdisjoint(ids):
            seen = Counter(ids)
            made.set_aside(lambda event: seen[event[0]] > 1 or event[0] in other_ids)
        return made

    def _event_of(
        self,
        statement: Statement,
        lane: int,
        batch: int,
        salts: Callable[[], bytes],
        texts: list[EventText],
    ) -> UsageEvent | None:
        """The row of a regular statement; None of any other, and where it costs more than a row can hold.

        Done for nearly every record, so: fields are taken once, and the row is made without objects between.
        """
        customer, slug = self._customers.get(statement.customer_id, _NOBODY)
        terms = self._terms.get(self._key_of(statement, slug))
        quantities = statement.quantities
        if (
            terms is None
            or not customer
            or quantities.other is not None
            or statement.status is not _COMPLETED
            or (statement.is_bound and statement.meter_slug is not None)  # it may have no choice
        ):
            return None
        dimension, input_price, cached_price, output_price, meter = terms
        uncached, cached = quantities.uncached_input_tokens, quantities.cached_input_tokens
        output = quantities.output_tokens
        input_pico, cached_pico = uncached * input_price, cached * cached_price
        output_pico = output * output_price
        cost_pico = input_pico + cached_pico + output_pico
        fee = 0 if meter is None else _fee_pico(meter, cost_pico, quantities)
        if cost_pico > AMOUNT_PICO_MAX or fee is None:
            return None
        worded = event_text(statement, customer, salts)
        if worded is not None:
            texts.append(worded[0])
        key = statement.key
        return _row((
            key.bits, statement.occurred_at, uncached, cached, output,
            input_pico, cached_pico, output_pico, 0, fee,
            batch, lane, customer, dimension, statement.stated, "usage", 1, 1, 0,
            key.opaque_id, None, statement.reported_cost, worded and worded[1],
        ))  # fmt: skip

    def _prices_pico(self, rated: RatedStatement) -> tuple[int, int, int] | None:
        """The prices of uncached, cached and output tokens; None where they are not all that counts."""
        statement, rate_version = rated.statement, rated.dimension.rate_version
        if rate_version is None or statement.model is None or not rated.is_metered:
            return None
        listing = self._configuration.book.published(rate_version).table.find(statement.model)
        rates = listing and listing.rates.rates_of_any_size(combination_for(statement))
        if not rates or BILLABLE_REQUESTS in rates.rates:
            return None
        return rates.token_prices_pico

    def _key_of(self, statement: Statement, slug: str | None) -> tuple[Any, ...]:
        """All that terms follow from but for the decisions; `slug` is that of the customer's meter."""
        return (
            statement.provider,
            statement.model,
            statement.key_type,
            statement.service_tier,
            statement.is_batch,
            statement.region,
            statement.accelerator,
            statement.meter_slug or slug,
            self._stretch_of(statement.occurred_at),
        )


def _remember(known: dict[Any, Any], key: Any, value: Any) -> None:
    if len(known) >= MOST_KNOWN:
        known.clear()
    known[key] = value


def _fee_pico(meter: Meter, cost_pico: int, quantities: Quantities) -> int | None:
    """What a meter adds; None where that is more than an amount can hold."""
    try:
        return fee_pico(meter, cost_pico, metered_quantity(meter, quantities))
    except AmountOutOfRange:
        return None
