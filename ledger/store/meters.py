"""Versions of meters: published, and read back from the columns that queries give them in."""

from typing import Any

import msgspec

from ledger.core.configuration import PublishedMeter
from ledger.store.database import Connection
from ledger.store.sql_files import query
from pricing import Meter, MeterTier

_ALL = query("meters", "all")
_PUBLISH = query("meters", "publish")


async def load_meters(connection: Connection) -> dict[int, PublishedMeter]:
    """Read every version of every meter, by the numbers that dimensions record."""
    rows = await connection.fetch(_ALL)
    return {
        row["meter_version"]: PublishedMeter(row["meter_version"], meter)
        for row in rows
        if (meter := read_meter(row)) is not None
    }


async def publish_meter(connection: Connection, meter: Meter) -> int:
    """Append the next version of a meter; give the version. The caller has raised the epoch."""
    row = await connection.fetchrow(
        _PUBLISH, meter.slug, meter.kind, meter.percentage, meter_terms(meter)
    )
    version: int = row["version"]
    return version


def meter_terms(meter: Meter) -> str | None:
    """What a meter states besides a percentage, as JSON; None when that is nothing."""
    terms = {
        "unit": meter.unit,
        "rate": meter.rate,
        "tiers": [[tier.start, tier.rate] for tier in meter.tiers] or None,
        "package_size": meter.package_size,
        "period": meter.period,
    }
    stated = {name: value for name, value in terms.items() if value is not None}
    return msgspec.json.encode(stated).decode() if stated else None


def read_meter(row: Any) -> Meter | None:
    """The meter of a row with the columns `meter_slug`, `meter_number`, `meter_kind`, `percentage`, `terms`.

    Raises:
        ValueError: they state none that could be applied.
    """
    if row["meter_slug"] is None:
        return None
    terms = msgspec.json.decode(row["terms"]) if row["terms"] else {}
    tiers = tuple(MeterTier(start, rate) for start, rate in terms.pop("tiers", ()))
    return Meter(
        row["meter_slug"],
        row["meter_number"],
        row["meter_kind"],
        row["percentage"],
        tiers=tiers,
        **terms,
    )
