"""Meters: the fee schedules on top of cost, versioned."""

from collections.abc import Mapping, Sequence
from typing import Any

from ledger.clock import Clock
from ledger.core.configuration import current_meters
from ledger.core.errors import FieldError, InvalidRecord
from ledger.services.decisions import DecisionBatch, deciding
from ledger.store.database import Database
from ledger.store.meters import load_meters, publish_meter
from pricing import Meter, load_meter_file, meter_in_our_words, read_meter_form, same_schedule

# What forms call a field that is named otherwise where meters are read.
OUR_WORDS = {"slug": "meter_slug"}
LAVAS_WORDS = {
    **OUR_WORDS,
    "kind": "rate_type",
    "unit": "tier_type",
    "percentage": "tiers[0].rate",
    "rate": "tiers[0].rate",
}


async def set_meter(
    database: Database,
    clock: Clock,
    actor: str,
    slug: str,
    form: Mapping[str, Any],
    reason: str | None = None,
) -> dict[str, Any]:
    """Publish a version of a meter as a form states it. The same again makes no new version.

    Without a kind it is a percentage of cost, or nothing where no percentage is stated.

    Raises:
        InvalidRecord: everything in the form that is outside its rule.
    """
    wanted = read_meter_form(slug, _with_kind(form))
    if not isinstance(wanted, Meter):
        names = OUR_WORDS if form.get("rate_type") is None else LAVAS_WORDS
        raise InvalidRecord(
            [
                FieldError(names.get(each.field, each.field), each.code, each.detail)
                for each in wanted
            ]
        )
    async with deciding(database, clock, actor, reason=reason) as batch:
        bodies = await _publish(batch, [wanted])
    return bodies[0]


async def publish_meters(
    database: Database,
    clock: Clock,
    actor: str,
    files: Sequence[tuple[str, str]],
    *,
    currency: str,
    reason: str | None = None,
) -> list[dict[str, Any]]:
    """Publish the meters of files, given as (name, text), all or none; give them as they now stand.

    Raises:
        RateFileError: a fault in a file, with file and line.
    """
    wanted = [
        each for file, text in files for each in load_meter_file(text, file, currency=currency)
    ]
    async with deciding(database, clock, actor, reason=reason) as batch:
        return await _publish(batch, wanted)


async def list_meters(database: Database) -> list[dict[str, Any]]:
    """The version in force of every meter."""
    async with database.connection() as connection:
        meters = current_meters(await load_meters(connection))
    return [meter_body(meters[slug].meter) for slug in sorted(meters)]


def meter_body(meter: Meter) -> dict[str, Any]:
    """A meter as the interface shows it."""
    stated = {
        "unit": meter.unit,
        "rate": meter.rate,
        "tiers": [{"start": tier.start, "rate": tier.rate} for tier in meter.tiers] or None,
        "package_size": meter.package_size,
        "period": meter.period,
    }
    return {
        "meter_slug": meter.slug,
        "version": meter.version,
        "kind": meter.kind,
        "percentage": meter.percentage,
        **{name: value for name, value in stated.items() if value is not None},
    }


async def _publish(batch: DecisionBatch, wanted: Sequence[Meter]) -> list[dict[str, Any]]:
    """Publish what charges otherwise than the version in force."""
    current = current_meters(await load_meters(batch.connection))
    bodies = []
    for meter in wanted:
        standing = current.get(meter.slug)
        if standing is not None and same_schedule(standing.meter, meter):
            bodies.append(meter_body(standing.meter))
            continue
        version = await publish_meter(batch.connection, meter)
        body = meter_body(meter) | {"version": version}
        batch.record("meter_published", 0, meter.slug, body)
        bodies.append(body)
    return bodies


def _with_kind(form: Mapping[str, Any]) -> Mapping[str, Any]:
    if form.get("rate_type") is not None:
        return meter_in_our_words(form)
    if form.get("kind") is None:
        return {**form, "kind": "none" if form.get("percentage") is None else "percentage"}
    return form
