"""What plain usage costs, worked out once for all who ask for the same of the same provider.

Most records of a batch differ only in their counts. Tables, names, combinations and meters lead such a one to
three prices; these are remembered for as long as the decisions they follow from stand still, and for times
between which no table comes into force.
"""

from typing import NamedTuple

from ledger.core.configuration import Configuration
from ledger.core.errors import FieldError
from ledger.core.rating import RatedStatement, combination_for, event_fee_pico, rate_statement
from ledger.core.rows import Dimension
from ledger.core.statements import Statement, Status
from pricing import AMOUNT_PICO_MAX, BILLABLE_REQUESTS, AmountOutOfRange, Costs, Meter

# Names are chosen by senders. What is forgotten is worked out again.
MOST_KNOWN = 50_000
_COMPLETED = Status.COMPLETED


class Terms(NamedTuple):
    """What one call of a model by a customer is charged by. Prices are those of a token, in pico."""

    dimension: Dimension
    input_pico: int
    cached_input_pico: int
    output_pico: int
    meter: Meter | None
    rate_version: str | None


def rate_by_known_terms(
    statement: Statement, customer: int, configuration: Configuration
) -> RatedStatement | FieldError:
    """Price a statement exactly as `rate_statement` does, and faster where its like was seen before."""
    if statement.quantities.other is not None or statement.status is not _COMPLETED:
        return rate_statement(statement, customer, configuration)
    key = (
        customer,
        statement.provider,
        statement.model,
        statement.key_type,
        statement.service_tier,
        statement.is_batch,
        statement.region,
        statement.accelerator,
        statement.meter_slug,
        statement.is_bound,
        configuration.book.stretch_of(statement.occurred_at),
    )
    known = configuration.known_terms
    terms: Terms | None = known.get(key)
    rated = None if terms is None else _rated_by(terms, statement)
    if rated is not None:
        return rated
    anew = rate_statement(statement, customer, configuration)
    if terms is None and (found := _terms_of(anew, customer, configuration)):
        if len(known) >= MOST_KNOWN:
            known.clear()
        known[key] = found
    return anew


def _rated_by(terms: Terms, statement: Statement) -> RatedStatement | None:
    """The statement with its price; None where that is more than an amount can hold."""
    quantities, meter = statement.quantities, terms.meter
    costs = Costs(
        quantities.uncached_input_tokens * terms.input_pico,
        quantities.cached_input_tokens * terms.cached_input_pico,
        quantities.output_tokens * terms.output_pico,
    )
    if costs.input_pico + costs.cached_input_pico + costs.output_pico > AMOUNT_PICO_MAX:
        return None
    try:
        fee = event_fee_pico(meter, costs, quantities)
    except AmountOutOfRange:
        return None
    slug = None if meter is None else meter.slug
    return RatedStatement(
        statement, terms.dimension, quantities, costs, fee, terms.rate_version, slug
    )


def _terms_of(
    rated: RatedStatement | FieldError, customer: int, configuration: Configuration
) -> Terms | None:
    """The terms that a statement was rated by, if its like is always rated by them."""
    if isinstance(rated, FieldError) or rated.dimension.rate_version is None:
        return None
    statement, dimension = rated.statement, rated.dimension
    listing = configuration.book.published(rated.dimension.rate_version).table.find(
        statement.model or ""
    )
    rates = listing and listing.rates.rates_of_any_size(combination_for(statement))
    if not rates or BILLABLE_REQUESTS in rates.rates or rates.token_prices_pico is None:
        return None
    published = configuration.meter_for(customer, statement.meter_slug)
    meter = None if published is None else published.meter
    return Terms(dimension, *rates.token_prices_pico, meter, rated.rate_version)
