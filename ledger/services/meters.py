"""Meters: the fee schedules on top of cost, versioned."""

import re
from typing import Any

from ledger.clock import Clock
from ledger.core.errors import FieldError, InvalidRecord
from ledger.services.decisions import deciding
from ledger.store.configuration import load_meters, publish_meter
from ledger.store.database import Database
from pricing import Meter, percentage_meter

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


async def set_meter(
    database: Database,
    clock: Clock,
    actor: str,
    slug: str,
    percentage: str | None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Publish a version of a meter: a percentage of cost, or none. The same again makes no new version.

    Raises:
        InvalidRecord: a slug or percentage outside its rule.
    """
    if not _SLUG.fullmatch(slug):
        detail = "must be 1 to 100 letters, digits, dots, dashes or underscores"
        raise InvalidRecord([FieldError("slug", "invalid_slug", detail)])
    try:
        wanted = _meter(slug, 1, percentage)
    except ValueError as error:
        raise InvalidRecord([FieldError("percentage", "invalid_percentage", str(error))]) from None
    async with deciding(database, clock, actor, reason=reason) as batch:
        current = (await load_meters(batch.connection)).get(slug)
        if current is not None and current.meter.percentage == wanted.percentage:
            return meter_body(current.meter)
        version = await publish_meter(batch.connection, wanted)
        body = meter_body(_meter(slug, version, percentage))
        batch.record("meter_published", 0, slug, body)
        return body


async def list_meters(database: Database) -> list[dict[str, Any]]:
    """The version in force of every meter."""
    async with database.connection() as connection:
        meters = await load_meters(connection)
    return [meter_body(meters[slug].meter) for slug in sorted(meters)]


def meter_body(meter: Meter) -> dict[str, Any]:
    """A meter as the interface shows it."""
    return {
        "meter_slug": meter.slug,
        "version": meter.version,
        "kind": meter.kind,
        "percentage": meter.percentage,
    }


def _meter(slug: str, version: int, percentage: str | None) -> Meter:
    if percentage is None:
        return Meter(slug=slug, version=version, kind="none", percentage=None)
    return percentage_meter(slug, version, percentage)
