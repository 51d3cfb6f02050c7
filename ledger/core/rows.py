"""Rows of the log, in the order of the columns of their tables."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class Dimension(NamedTuple):
    """What money is grouped by; interned in the table `dimension`."""

    provider: str | None
    model: str | None
    key_type: str
    service_tier: str | None
    is_batch: bool
    rate_version: int | None
    meter_version: int | None
    region: str | None = None
    accelerator: str | None = None
    billed_as: str | None = None  # the listed model whose prices count, where it is another


class UsageEvent(NamedTuple):
    """One row of the table `usage_event`, in the order of its columns; amounts in pico units."""

    request_id: bytes
    occurred_at: datetime
    uncached_input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    input_pico: int | None
    cached_input_pico: int | None
    output_pico: int | None
    other_pico: int | None
    fee_pico: int | None
    batch: int
    lane: int
    customer: int
    dimension: int
    stated: int
    kind: str
    revision: int
    requests: int
    unrated: int
    opaque_id: str | None
    other_units: str | None
    reported_cost: Decimal | None
    text_digest: bytes | None


class EventText(NamedTuple):
    """The words that came with an event: one row of the table `event_text`, in the order of its columns."""

    request_id: bytes
    customer: int
    revision: int
    response_id: str | None
    metadata: str | None  # a JSON object
    fields: str | None  # a JSON object
    salt: bytes
