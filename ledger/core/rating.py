"""From a statement to what it costs: the table in force, the model's prices, the meter's fee."""

from typing import NamedTuple

import msgspec

from ledger.core.configuration import Configuration
from ledger.core.errors import FieldError
from ledger.core.rows import Dimension
from ledger.core.statements import Statement, Status
from pricing import (
    AmountOutOfRange,
    Combination,
    Costs,
    Meter,
    PublishedTable,
    Quantities,
    RateBook,
    combination_of,
    counted,
    fee_pico,
    input_tokens_of,
    metered_quantity,
    output_tokens_of,
    rate,
)

_NOTHING = Quantities()
_AMOUNT_RULE = "must cost less than 9223372 units of the currency, which is what an amount can hold"


class RatedStatement(msgspec.Struct, frozen=True):
    """A statement with its price: `costs` and `fee_pico` are None while no rate is known.

    `rate_version` is the version of the table that priced it, `meter_slug` the meter that its fee is by.
    """

    statement: Statement
    dimension: Dimension
    quantities: Quantities
    costs: Costs | None
    fee_pico: int | None
    rate_version: str | None
    meter_slug: str | None

    @property
    def is_metered(self) -> bool:
        """Whether it counts: pending and error sightings do not."""
        return self.statement.status is Status.COMPLETED

    @property
    def is_unrated(self) -> bool:
        """Whether it counts and has no price yet."""
        return self.costs is None and self.is_metered

    @property
    def spend_pico(self) -> int:
        """What the customer owes for it; 0 while unrated."""
        if self.costs is None or self.fee_pico is None:
            return 0
        if self.dimension.key_type == "byok":
            return self.fee_pico
        return self.costs.total_pico + self.fee_pico


class Priced(NamedTuple):
    """What a table makes of a statement. `billed_as` is the model it lists for it, where that is another."""

    published: PublishedTable
    billed_as: str | None
    quantities: Quantities
    costs: Costs


def rate_statement(
    statement: Statement, customer: int, configuration: Configuration
) -> RatedStatement | FieldError:
    """Price a statement with what is known now; a fault that only shows here comes back as such."""
    try:
        meter = configuration.meter_for(customer, statement.meter_slug)
        if statement.is_bound and meter != configuration.meter_for(customer, None):
            raise KeyError(statement.meter_slug)
    except KeyError:
        return FieldError(
            "meter_slug",
            "unknown_meter",
            "must be the slug of a meter; `ledger meters list` shows them",
        )
    dimension = Dimension(
        statement.provider,
        statement.model,
        statement.key_type,
        statement.service_tier,
        statement.is_batch,
        None,
        meter.meter_version if meter else None,
        statement.region,
        statement.accelerator,
    )
    if statement.status is Status.COMPLETED:
        terms = meter.meter if meter else None
        return rate_again(statement, dimension, terms, configuration.book, None)
    provider = _provider_of(statement, configuration.book)
    return RatedStatement(
        statement,
        dimension._replace(provider=provider),
        _NOTHING,
        None,
        None,
        None,
        meter.meter.slug if meter else None,
    )


def rate_again(
    statement: Statement,
    dimension: Dimension,
    meter: Meter | None,
    book: RateBook,
    rate_version: int | None,
) -> RatedStatement | FieldError:
    """Price a completed statement by a published version, or, with None, by the table in force at its time.

    `dimension` says what the statement was recorded with, if it was; its meter stays.
    """
    provider = _provider_of(statement, book)
    published = book.published(rate_version) if rate_version is not None else None
    if published is None and provider is not None:
        published = book.in_force(provider, statement.occurred_at)
    fee = None
    try:
        priced = price_by(published, statement) if published else None
        if priced is not None:
            fee = event_fee_pico(meter, priced.costs, priced.quantities)
    except AmountOutOfRange:
        field = _largest_quantity(statement.quantities)
        return FieldError(field, "amount_out_of_range", _AMOUNT_RULE)
    return RatedStatement(
        statement=statement,
        dimension=_priced_dimension(dimension, provider, priced),
        quantities=priced.quantities if priced else statement.quantities,
        costs=priced.costs if priced else None,
        fee_pico=fee,
        rate_version=priced.published.table.version if priced else None,
        meter_slug=meter.slug if meter else None,
    )


def event_fee_pico(meter: Meter | None, costs: Costs, quantities: Quantities) -> int:
    """What a meter charges for one event; nothing where its fee is that of a whole period.

    Raises:
        AmountOutOfRange: it is more than an amount can hold.
    """
    if meter is None:
        return 0
    return fee_pico(meter, costs.total_pico, metered_quantity(meter, quantities))


def _priced_dimension(
    dimension: Dimension, provider: str | None, priced: Priced | None
) -> Dimension:
    """A dimension with what prices it; built anew, because `_replace` takes four times as long."""
    _, model, key_type, tier, is_batch, _, meter_version, region, accelerator, _ = dimension
    rate_version = priced.published.version_id if priced else None
    billed_as = priced.billed_as if priced else None
    return Dimension(
        *(provider, model, key_type, tier, is_batch, rate_version, meter_version),
        *(region, accelerator, billed_as),
    )


def price_by(published: PublishedTable, statement: Statement) -> Priced | None:
    """What a statement costs by one table; None where that has no price for some of it.

    Raises:
        AmountOutOfRange: it costs more than an amount can hold.
    """
    listing = published.table.find(statement.model) if statement.model is not None else None
    if listing is None:
        return None
    rates = listing.rates.rates_for(combination_for(statement), statement.quantities)
    if rates is None:
        return None
    quantities = counted(statement.quantities, rates)
    costs = rate(quantities, rates)
    if costs is None:
        return None
    billed_as = None if listing.model == statement.model else listing.model
    return Priced(published, billed_as, quantities, costs)


def combination_for(called: Statement | Dimension) -> Combination:
    """How a model was called, as far as prices depend on it."""
    return combination_of(
        called.service_tier,
        is_batch=called.is_batch,
        region=called.region,
        accelerator=called.accelerator,
    )


def _largest_quantity(quantities: Quantities) -> str:
    """The field to blame for an amount that is too large."""
    counts = {
        "input_tokens": input_tokens_of(quantities),
        "output_tokens": output_tokens_of(quantities),
        **(quantities.other or {}),
    }
    return max(counts, key=lambda field: counts[field])


def _provider_of(statement: Statement, book: RateBook) -> str | None:
    """The stated provider, else the only one whose table in force lists the model."""
    if statement.provider is not None or statement.model is None:
        return statement.provider
    listing = book.providers_listing(statement.model, statement.occurred_at)
    return listing[0] if len(listing) == 1 else None
