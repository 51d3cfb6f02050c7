"""Statements: what a request record says, brought to one form.

Aliases, Lava's `model_usage` and a provider's `usage` object become disjoint quantities; the time comes
from where it was stated; nothing is guessed. Which fields the sender stated is remembered in `stated`,
because a resend is compared only in what both copies state.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntFlag, StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from ledger.core.errors import FieldError
from ledger.core.instants import parse_instant
from ledger.core.records import (
    KEPT_FIELDS,
    MAX_METADATA_PAIRS,
    RequestRecord,
    decode_record,
    kind_of,
    missing,
    read_json,
    rule_of,
)
from ledger.core.request_ids import RequestKey, request_key, time_of
from ledger.core.secrets import hide_secrets_in_bytes
from ledger.core.usage_objects import (
    FaultyField,
    StatedUsage,
    decimals_of,
    micros,
    read_model_usage,
    read_usage_object,
)
from pricing import Quantities

MAX_AHEAD = timedelta(hours=24)
# The driver takes the first instant of year 1 for minus infinity, and so the hour and month it is in.
FIRST_INSTANT = datetime(2, 1, 1, tzinfo=UTC)
PROVIDER_BY_HOST = {
    "api.fireworks.ai": "fireworks",
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "google",
    "api.mistral.ai": "mistral",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "xai",
}
_COST_DIGITS = 18  # before the point, and as many after it
_T = TypeVar("_T")


class Stated(IntFlag):
    """The fields that count in a comparison, as the bits stored with each event."""

    MODEL = 1 << 0
    PROVIDER = 1 << 1
    KEY_TYPE = 1 << 2
    INPUT_TOKENS = 1 << 3
    CACHED_INPUT_TOKENS = 1 << 4
    OUTPUT_TOKENS = 1 << 5
    INPUT_SECONDS = 1 << 6
    OUTPUT_SECONDS = 1 << 7
    INPUT_CHARACTERS = 1 << 8
    OUTPUT_CHARACTERS = 1 << 9
    IMAGES = 1 << 10
    GPU_SECONDS = 1 << 11
    SERVICE_TIER = 1 << 12
    BATCH = 1 << 13
    METER = 1 << 14
    TIMESTAMP = 1 << 15
    METADATA = 1 << 16


_FIRST_QUANTITY_SHIFT = 3
_PLAIN_STATED = (
    (Stated.MODEL.value, "model"),
    (Stated.PROVIDER.value, "provider"),
    (Stated.KEY_TYPE.value, "provider_key_type"),
    (Stated.SERVICE_TIER.value, "service_tier"),
    (Stated.BATCH.value, "batch"),
    (Stated.METER.value, "meter_slug"),
    (Stated.METADATA.value, "metadata"),
)


class Status(StrEnum):
    """What a record says about its request."""

    COMPLETED = "completed"
    PENDING = "pending"
    ERROR = "error"


class Statement(msgspec.Struct):
    """One record in one form. `provider` is stated or told by the endpoint; both may be missing.

    `quantities` are the disjoint integers of `pricing`. `fields` is the JSON of what is kept but not
    understood.
    """

    request_id: str
    key: RequestKey
    customer_id: str
    status: Status
    occurred_at: datetime
    stated: int
    model: str | None
    provider: str | None
    key_type: str
    quantities: Quantities
    service_tier: str | None
    is_batch: bool
    meter_slug: str | None
    response_id: str | None
    metadata: dict[str, str] | None
    reported_cost: Decimal | None
    fields: str | None


class Refusal(msgspec.Struct, frozen=True):
    """A record that cannot be accepted, as it came, with every fault that was found."""

    raw: bytes
    errors: tuple[FieldError, ...]
    request_id: str | None = None
    customer_id: str | None = None
    conflict: bool = False


def read_statement(
    raw: bytes, received_at: datetime, default_customer_id: str | None = None
) -> Statement | Refusal:
    """Read one record; `received_at` is the time of those that state none."""
    record = decode_record(raw)
    if isinstance(record, list):
        return Refusal(raw, tuple(record), *_names_in(raw))
    faults: list[FieldError] = []
    parts = {name: _collect(step, record, faults) for name, step in _STEPS.items()}
    customer_id = parts["customer_id"] or default_customer_id
    if customer_id is None and not any(fault.field == "customer_id" for fault in faults):
        faults.append(missing("customer_id"))
    key = request_key(record.request_id)
    occurred_at = parts["stated_at"] or time_of(key) or received_at
    if occurred_at - received_at > MAX_AHEAD:
        faults.append(
            FieldError("timestamp", "in_the_future", "must not lie more than 24 hours ahead")
        )
    if occurred_at < FIRST_INSTANT:
        faults.append(FieldError("timestamp", "out_of_range", "must not lie in year 1"))
    if faults:
        return Refusal(raw, tuple(faults), record.request_id, customer_id)
    usage: StatedUsage = parts["usage"]
    return Statement(
        request_id=record.request_id,
        key=key,
        customer_id=customer_id or "",
        status=Status(record.status or "completed"),
        occurred_at=occurred_at,
        stated=_stated_bits(record, usage),
        model=record.model,
        provider=record.provider or provider_of_endpoint(record.endpoint),
        key_type="managed" if record.provider_key_type in (None, "managed") else "byok",
        quantities=usage.quantities(),
        service_tier=record.service_tier,
        is_batch=bool(record.batch),
        meter_slug=record.meter_slug,
        response_id=record.response_id,
        metadata=record.metadata or None,
        reported_cost=parts["reported_cost"],
        fields=_kept_fields(record),
    )


def provider_of_endpoint(endpoint: str | None) -> str | None:
    """The provider that an endpoint's host belongs to, if it is a known one."""
    if endpoint is None:
        return None
    try:
        host = urlsplit(endpoint.rpartition(" ")[2]).hostname
    except ValueError:
        return None
    return PROVIDER_BY_HOST.get(host or "")


def _collect(
    step: Callable[[RequestRecord], Any], record: RequestRecord, faults: list[FieldError]
) -> Any:
    try:
        return step(record)
    except FaultyField as faulty:
        if faulty.error not in faults:
            faults.append(faulty.error)
        return None


def _customer_id(record: RequestRecord) -> str | None:
    return _agreed("customer_id", record.customer_id, record.connection_id)


def _stated_at(record: RequestRecord) -> datetime | None:
    stated_at = _agreed(
        "timestamp",
        _instant("timestamp", record.timestamp),
        _instant("occurred_at", record.occurred_at),
    )
    return _instant("created_at", record.created_at) if stated_at is None else stated_at


def _instant(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise FaultyField(field, "invalid_time", f"{error}, got {kind_of(text)}") from None


def _usage(record: RequestRecord) -> StatedUsage:
    stated = StatedUsage(
        input_tokens=_agreed("input_tokens", record.input_tokens, record.prompt_tokens),
        output_tokens=_agreed("output_tokens", record.output_tokens, record.completion_tokens),
        cached_input_tokens=record.cached_input_tokens,
        input_seconds=micros("input_seconds", record.input_seconds),
        output_seconds=micros("output_seconds", record.output_seconds),
        input_characters=record.input_characters,
        output_characters=record.output_characters,
        images=record.images,
        gpu_seconds=micros("gpu_seconds", record.gpu_seconds),
    )
    if record.model_usage:
        stated = stated.joined_with(read_model_usage(record.model_usage)[0])
    if record.usage:
        stated = stated.joined_with(read_usage_object(record.usage))
    if (stated.cached_input_tokens or 0) > (stated.input_tokens or 0):
        raise FaultyField(
            "cached_input_tokens",
            "exceeds_input_tokens",
            "must not exceed input_tokens, which include it",
        )
    return stated


def _metadata(record: RequestRecord) -> None:
    if record.metadata is not None and len(record.metadata) > MAX_METADATA_PAIRS:
        raise FaultyField(
            "metadata",
            "too_many_pairs",
            f"must be {rule_of('metadata')}, got {len(record.metadata)} pairs",
        )


def _reported_cost(record: RequestRecord) -> Decimal | None:
    """What the sender says it cost; older Lava records say so only inside `model_usage`."""
    total_cost = read_model_usage(record.model_usage)[1] if record.model_usage else None
    for field, cost in (
        ("reported_cost", record.reported_cost),
        ("cost", record.cost),
        ("model_usage", total_cost),
    ):
        if cost is not None:
            if not _is_storable_cost(cost):
                rule = "must be below 10^18 with at most 18 decimals"
                raise FaultyField(field, "out_of_range", f"{rule}, got {kind_of(cost)}")
            return cost
    return None


def _is_storable_cost(cost: Decimal) -> bool:
    return cost.is_finite() and cost.adjusted() < _COST_DIGITS and decimals_of(cost) <= _COST_DIGITS


_STEPS: dict[str, Callable[[RequestRecord], Any]] = {
    "customer_id": _customer_id,
    "stated_at": _stated_at,
    "usage": _usage,
    "metadata": _metadata,
    "reported_cost": _reported_cost,
}


def _agreed(field: str, one: _T | None, other: _T | None) -> _T | None:
    """The one value that a field and its alias state; two that differ are no statement."""
    if one is not None and other is not None and one != other:
        raise FaultyField(field, "contradiction", "is stated twice with different values")
    return other if one is None else one


def _stated_bits(record: RequestRecord, usage: StatedUsage) -> int:
    bits = usage.stated_mask() << _FIRST_QUANTITY_SHIFT
    for bit, name in _PLAIN_STATED:
        if getattr(record, name) is not None:
            bits |= bit
    # `created_at` is when the gateway first saw the request: a source for the time, not a statement of it.
    if record.timestamp is not None or record.occurred_at is not None:
        bits |= Stated.TIMESTAMP.value
    return bits


def _kept_fields(record: RequestRecord) -> str | None:
    """The JSON of what came along, secrets replaced by a hint."""
    kept: dict[str, Any] = dict(record.extra or ())
    for name in KEPT_FIELDS:
        if value := getattr(record, name):
            kept[name] = value
    if record.endpoint is not None:
        kept["endpoint"] = record.endpoint
    if not kept:
        return None
    text = msgspec.json.encode(kept)
    return hide_secrets_in_bytes(text).decode()


def _names_in(raw: bytes) -> tuple[str | None, str | None]:
    """The request and customer a refused record seems to be about, for those who look for it."""
    try:
        value = read_json(raw)
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(value, dict):
        return None, None
    return _name(value.get("request_id")), _name(
        value.get("customer_id", value.get("connection_id"))
    )


def _name(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")[:255]
