"""From a statement to the row of the log: rating, dimension, revision."""

from collections.abc import Callable

import msgspec

from ledger.core.configuration import Configuration
from ledger.core.digests import text_digest
from ledger.core.errors import FieldError
from ledger.core.rows import Dimension, EventText, UsageEvent
from ledger.core.statements import Statement, Status
from pricing import (
    AmountOutOfRange,
    Costs,
    Meter,
    PublishedTable,
    Quantities,
    RateBook,
    check_amount,
    fee_pico,
    rate,
)

# A table prices the standard tier; other tiers and batch calls are unrated until it lists them (D9).
STANDARD_TIERS = (None, "standard", "default")
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


def rate_statement(
    statement: Statement, customer: int, configuration: Configuration
) -> RatedStatement | FieldError:
    """Price a statement with what is known now; a fault that only shows here comes back as such."""
    try:
        meter = configuration.meter_for(customer, statement.meter_slug)
    except KeyError:
        return FieldError(
            "meter_slug",
            "unknown_meter",
            "must be the slug of a meter; `ledger meters list` shows them",
        )
    is_metered = statement.status is Status.COMPLETED
    provider = _provider_of(statement, configuration.book)
    published, costs, fee = None, None, None
    try:
        if is_metered and (rated := _rated(statement, provider, configuration.book)) is not None:
            published, costs = rated
            fee = check_amount(fee_pico(meter.meter if meter else None, costs.total_pico))
    except AmountOutOfRange:
        field = _largest_quantity(statement.quantities)
        return FieldError(field, "amount_out_of_range", _AMOUNT_RULE)
    return RatedStatement(
        statement=statement,
        dimension=Dimension(
            provider,
            statement.model,
            statement.key_type,
            statement.service_tier,
            statement.is_batch,
            published.version_id if published else None,
            meter.meter_version if meter else None,
        ),
        quantities=statement.quantities if is_metered else _NOTHING,
        costs=costs,
        fee_pico=fee,
        rate_version=published.table.version if published else None,
        meter_slug=meter.meter.slug if meter else None,
    )


def rate_again(
    statement: Statement, dimension: Dimension, meter: Meter | None, book: RateBook
) -> RatedStatement | FieldError:
    """Price a recorded statement whose quantities have changed.

    By the table version and the meter that it was recorded with; where no table priced it, by the book.
    """
    provider = statement.provider
    published, costs, fee = None, None, None
    try:
        if dimension.rate_version is not None:
            published = book.published(dimension.rate_version)
            costs = _costs_by(published, statement)
        else:
            provider = _provider_of(statement, book)
            if (rated := _rated(statement, provider, book)) is not None:
                published, costs = rated
        if costs is not None:
            fee = check_amount(fee_pico(meter, costs.total_pico))
    except AmountOutOfRange:
        return FieldError(
            _largest_quantity(statement.quantities), "amount_out_of_range", _AMOUNT_RULE
        )
    table = published if costs is not None else None
    return RatedStatement(
        statement=statement,
        dimension=dimension._replace(
            provider=provider, rate_version=table.version_id if table else None
        ),
        quantities=statement.quantities,
        costs=costs,
        fee_pico=fee,
        rate_version=table.table.version if table else None,
        meter_slug=meter.slug if meter else None,
    )


def event_text(
    statement: Statement, customer: int, salts: Callable[[], bytes]
) -> tuple[EventText, bytes] | None:
    """The words of a first sighting and their digest; None when there are no words."""
    response_id, metadata, fields = statement.response_id, statement.metadata, statement.fields
    if response_id is None and metadata is None and fields is None:
        return None
    salt = salts()
    text = EventText(
        statement.key.bits,
        customer,
        1 if statement.status is Status.COMPLETED else 0,
        response_id,
        None if metadata is None else msgspec.json.encode(metadata).decode(),
        fields,
        salt,
    )
    return text, text_digest(salt, response_id, metadata, fields)


def usage_event(
    rated: RatedStatement,
    customer: int,
    dimension: int,
    lane: int,
    batch: int,
    digest: bytes | None = None,
    revision: int = 1,
) -> UsageEvent:
    """The row of a statement: of revision 1, or the one that replaces it; revision 0 while unmetered.

    `digest` is that of the words that came with it.
    """
    statement, quantities, costs = rated.statement, rated.quantities, rated.costs
    is_metered = rated.is_metered
    return UsageEvent(
        statement.key.bits,
        statement.occurred_at,
        quantities.uncached_input_tokens,
        quantities.cached_input_tokens,
        quantities.output_tokens,
        costs.input_pico if costs else None,
        costs.cached_input_pico if costs else None,
        costs.output_pico if costs else None,
        sum(costs.other_pico.values()) if costs and costs.other_pico else 0 if costs else None,
        rated.fee_pico,
        batch,
        lane,
        customer,
        dimension,
        statement.stated,
        ("usage" if revision == 1 else "replacement") if is_metered else statement.status.value,
        revision if is_metered else 0,
        1 if is_metered else 0,
        1 if rated.is_unrated else 0,
        statement.key.opaque_id,
        _other_units(quantities, costs),
        statement.reported_cost,
        digest,
    )


def spend_pico(event: UsageEvent, key_type: str) -> int:
    """What the customer owes for a row, signed as the row is; 0 while unrated."""
    owed = event.fee_pico or 0
    if key_type == "byok":
        return owed
    parts = (event.input_pico, event.cached_input_pico, event.output_pico, event.other_pico)
    return owed + sum(part or 0 for part in parts)


def _largest_quantity(quantities: Quantities) -> str:
    """The field to blame for an amount that is too large."""
    counts = {
        "input_tokens": quantities.uncached_input_tokens + quantities.cached_input_tokens,
        "output_tokens": quantities.output_tokens,
        **(quantities.other or {}),
    }
    return max(counts, key=lambda field: counts[field])


def _provider_of(statement: Statement, book: RateBook) -> str | None:
    """The stated provider, else the only one whose table in force lists the model."""
    if statement.provider is not None or statement.model is None:
        return statement.provider
    listing = book.providers_listing(statement.model, statement.occurred_at)
    return listing[0] if len(listing) == 1 else None


def _rated(
    statement: Statement, provider: str | None, book: RateBook
) -> tuple[PublishedTable, Costs] | None:
    if provider is None or statement.model is None:
        return None
    if statement.is_batch or statement.service_tier not in STANDARD_TIERS:
        return None
    published = book.in_force(provider, statement.occurred_at)
    costs = _costs_by(published, statement) if published else None
    if published is None or costs is None:
        return None
    return published, costs


def _costs_by(published: PublishedTable, statement: Statement) -> Costs | None:
    """What a statement costs by one table; None where that has no price for some of it."""
    rates = published.table.models.get(statement.model or "")
    return rate(statement.quantities, rates) if rates else None


def _other_units(quantities: Quantities, costs: Costs | None) -> str | None:
    """The JSON of `other_units`: {unit: [quantity, amount or null]}."""
    if not quantities.other:
        return None
    amounts = (costs.other_pico if costs else None) or {}
    pairs = {unit: [count, amounts.get(unit)] for unit, count in sorted(quantities.other.items())}
    return msgspec.json.encode(pairs).decode()
