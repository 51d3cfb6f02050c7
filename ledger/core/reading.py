"""Reading records into statements.

Aliases, Lava's `model_usage` and a provider's `usage` object become disjoint quantities; the time comes
from where it was stated; nothing is guessed. A plain record is read in one go, any other without fault in one
more; one with a fault is gone through again for all of them.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from itertools import compress, repeat
from operator import is_not
from typing import Any

import msgspec

from ledger.core.endpoints import provider_of_endpoint
from ledger.core.errors import BOUND_ELSEWHERE, CUSTOMER_FORBIDDEN, FieldError
from ledger.core.instants import FIRST_INSTANT, MAX_AHEAD, parse_instant
from ledger.core.json_values import kind_of, read_json
from ledger.core.plain_records import read_plain
from ledger.core.records import (
    MAX_METADATA_PAIRS,
    RequestRecord,
    decode_record,
    missing,
    rule_of,
)
from ledger.core.request_ids import RequestKey, request_key, time_of
from ledger.core.secrets import hide_secrets_in_bytes
from ledger.core.statements import Refusal, Stated, Statement, Status
from ledger.core.usage.lava import read_model_usage
from ledger.core.usage.recorded import usage_of
from ledger.core.usage.shapes import ReadUsage
from ledger.core.usage.stated import (
    QUANTITY_FIELDS,
    FaultyField,
    agreed,
    decimals_of,
)

_COST_DIGITS = 18  # before the point, and as many after it
_SECRET_PARTS = re.compile(r"\?.*|(?<=//)[^/@]*@", re.DOTALL)


def read_statement(
    raw: bytes, received_at: datetime, bound_to: str | None = None
) -> Statement | Refusal:
    """Read one record; `received_at` is the time of those that state none.

    `bound_to` is the one customer that its sender may speak of, if there is one.
    """
    statement = read_plain(raw, received_at, bound_to)
    return read_fully(raw, received_at, bound_to) if statement is None else statement


def read_fully(raw: bytes, received_at: datetime, bound_to: str | None) -> Statement | Refusal:
    """Read one record with all that it may state, or name all that is wrong with it."""
    record = decode_record(raw)
    if isinstance(record, list):
        return Refusal(raw, tuple(record), *_names_in(raw))
    try:
        return _statement(record, received_at, bound_to)
    except FaultyField:
        faults = tuple(_faults_of(record, received_at, bound_to))
        customer_id = record.customer_id or record.connection_id
        return Refusal(raw, faults, record.request_id, customer_id)


def _statement(record: RequestRecord, received_at: datetime, bound_to: str | None) -> Statement:
    _check_metadata(record)
    key = request_key(record.request_id)
    usage = usage_of(record)
    return Statement(
        request_id=record.request_id,
        key=key,
        customer_id=_customer_id(record, bound_to),
        status=Status(record.status or "completed"),
        occurred_at=_occurred_at(record, key, received_at),
        stated=_stated_bits(record, usage),
        model=record.model,
        provider=record.provider or provider_of_endpoint(record.endpoint),
        key_type="managed" if record.provider_key_type in (None, "managed") else "byok",
        quantities=usage.stated.quantities(),
        service_tier=usage.service_tier,
        is_batch=bool(usage.is_batch),
        region=usage.region,
        accelerator=record.accelerator,
        meter_slug=record.meter_slug,
        response_id=record.response_id,
        metadata=record.metadata or None,
        reported_cost=_reported_cost(record),
        fields=_kept_fields(record, usage.notes),
        is_bound=bound_to is not None,
    )


def _faults_of(
    record: RequestRecord, received_at: datetime, bound_to: str | None
) -> list[FieldError]:
    """Every fault of a record, each once."""
    steps: tuple[Callable[[], object], ...] = (
        lambda: _customer_id(record, bound_to),
        lambda: _occurred_at(record, request_key(record.request_id), received_at),
        lambda: usage_of(record),
        lambda: _check_metadata(record),
        lambda: _reported_cost(record),
    )
    faults: list[FieldError] = []
    for step in steps:
        try:
            step()
        except FaultyField as faulty:
            if faulty.error not in faults:
                faults.append(faulty.error)
    return faults


def _customer_id(record: RequestRecord, bound_to: str | None) -> str:
    customer_id = agreed("customer_id", record.customer_id, record.connection_id)
    if bound_to is not None:
        if customer_id not in (None, bound_to):
            raise FaultyField("customer_id", CUSTOMER_FORBIDDEN, BOUND_ELSEWHERE)
        return bound_to
    if customer_id is None:
        fault = missing("customer_id")
        raise FaultyField("customer_id", fault.code, fault.detail)
    return customer_id


def _occurred_at(record: RequestRecord, key: RequestKey, received_at: datetime) -> datetime:
    """When it happened: as stated, else by its id, else when it was received."""
    occurred_at = _stated_at(record) or time_of(key) or received_at
    if occurred_at - received_at > MAX_AHEAD:
        raise FaultyField("timestamp", "in_the_future", "must not lie more than 24 hours ahead")
    if occurred_at < FIRST_INSTANT:
        raise FaultyField("timestamp", "out_of_range", "must not lie before 1970")
    return occurred_at


def _stated_at(record: RequestRecord) -> datetime | None:
    stated_at = agreed(
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


def _check_metadata(record: RequestRecord) -> None:
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
            return _plain(cost)
    return None


def _plain(number: Decimal) -> Decimal:
    """The same number as the database gives it back: without exponent, and zero without a sign."""
    return Decimal(format(number or number.copy_abs(), "f"))


def _is_storable_cost(cost: Decimal) -> bool:
    return cost.is_finite() and cost.adjusted() < _COST_DIGITS and decimals_of(cost) <= _COST_DIGITS


def _stated_bits(record: RequestRecord, usage: ReadUsage) -> int:
    values = (
        *msgspec.structs.astuple(usage.stated),
        record.model,
        record.provider,
        record.provider_key_type,
        usage.service_tier,
        usage.is_batch,
        usage.region,
        record.accelerator,
        record.meter_slug,
        record.metadata,
        # `created_at` is when the gateway first saw it: a source for the time, not a statement of it.
        record.timestamp or record.occurred_at,
    )
    return sum(compress(_BITS, map(is_not, values, repeat(None))))


# Plain integers: an enum member costs ten times as much to combine, and this is done for every record.
_BITS = tuple(
    Stated[name].value
    for name in (
        *(field.upper() for field in QUANTITY_FIELDS),
        *("MODEL", "PROVIDER", "KEY_TYPE", "SERVICE_TIER", "BATCH", "REGION", "ACCELERATOR"),
        *("METER", "METADATA", "TIMESTAMP"),
    )
)


def _kept_fields(record: RequestRecord, notes: tuple[str, ...]) -> str | None:
    """The JSON of what came along, secrets replaced by a hint, and what was noted about its usage."""
    kept: dict[str, Any] = {**(record.extra or {}), **record.kept()}
    if "usage_notes" in kept:  # the sender's own; ours must not be taken for them
        kept["usage_notes_as_sent"] = kept.pop("usage_notes")
    if notes:
        kept["usage_notes"] = notes
    if record.endpoint is not None:
        # Some providers take keys as a query parameter or before the host.
        kept["endpoint"] = _SECRET_PARTS.sub("", record.endpoint)
    if not kept:
        return None
    return hide_secrets_in_bytes(msgspec.json.encode(kept)).decode()


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
