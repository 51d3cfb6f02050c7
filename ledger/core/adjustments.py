"""Corrections: what stands is negated, and what should have been said is stated anew (D5).

    revision 1   usage         +  what was recorded
    revision 2   reversal      -  the same
    revision 3   replacement   +  what is right

Every row is whole; the sum over all rows is the truth. A void ends with the reversal.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from ledger.core.errors import FieldError
from ledger.core.json_values import is_unicode, kind_of
from ledger.core.rating import RatedStatement, rate_again
from ledger.core.records import judge_field, printable
from ledger.core.rows import Dimension, UsageEvent
from ledger.core.statements import Statement
from ledger.core.usage.stated import (
    QUANTITY_FIELDS,
    SECONDS_FIELDS,
    FaultyField,
    StatedUsage,
    micros,
)
from pricing import Meter, Quantities, RateBook, input_tokens_of, output_tokens_of

VOID, CORRECTION = "void", "correction"
KINDS = (VOID, CORRECTION)
MAX_KEY_CHARACTERS = 255
MAX_REASON_CHARACTERS = 1000

_TEXTS = {
    "reason": MAX_REASON_CHARACTERS,
    "idempotency_key": MAX_KEY_CHARACTERS,
    "customer_id": 255,
}
_FIELDS = ("kind", *_TEXTS, *QUANTITY_FIELDS)


class Adjustment(msgspec.Struct, frozen=True):
    """A void, or new absolute quantities; those that are None stay as they are."""

    kind: str
    reason: str
    idempotency_key: str
    quantities: StatedUsage = StatedUsage()
    customer_id: str | None = None


class Standing(msgspec.Struct, frozen=True):
    """What stands under a key: its last row, and the statement, dimension and meter that it is by."""

    event: UsageEvent
    statement: Statement
    dimension: Dimension
    meter: Meter | None

    @property
    def is_voided(self) -> bool:
        """Whether the last row takes back what stood."""
        return self.event.revision > 0 and self.event.revision % 2 == 0


def read_adjustment(form: Mapping[str, Any]) -> Adjustment | list[FieldError]:
    """Read an adjustment from the fields of a JSON object, or name every fault of it."""
    errors = [
        FieldError(
            printable(name), "unknown_field", f"cannot be adjusted; fields are {', '.join(_FIELDS)}"
        )
        for name in form
        if name not in _FIELDS
    ]
    errors += [fault for name in _TEXTS if (fault := _text_fault(name, form.get(name)))]
    quantities = _read_quantities(form, errors)
    errors += _faults_of_kind(form)
    if errors:
        return errors
    return Adjustment(
        form["kind"],
        form["reason"],
        form["idempotency_key"],
        quantities,
        form.get("customer_id"),
    )


def reversal(event: UsageEvent, lane: int, batch: int) -> UsageEvent:
    """The exact negation of a row, as the revision after it."""
    numbers: dict[str, Any] = {name: _negated(getattr(event, name)) for name in _NEGATED}
    cost = event.reported_cost
    return event._replace(
        **numbers,
        revision=event.revision + 1,
        kind="reversal",
        lane=lane,
        batch=batch,
        other_units=_negated_units(event.other_units),
        reported_cost=cost.copy_negate() if cost else cost,
        text_digest=None,
    )


def corrected(
    standing: Standing, stated: StatedUsage, book: RateBook
) -> RatedStatement | FieldError | None:
    """What stands with other quantities, rated anew; None when nothing changes.

    Rate table and meter stay those of what stands; what was unrated is rated with the book.
    """
    quantities = _merged(standing.statement.quantities, stated)
    if isinstance(quantities, FieldError):
        return quantities
    if quantities == standing.statement.quantities:
        return None
    statement = msgspec.structs.replace(standing.statement, quantities=quantities)
    dimension = standing.dimension
    return rate_again(statement, dimension, standing.meter, book, dimension.rate_version)


_NEGATED = (
    "uncached_input_tokens", "cached_input_tokens", "output_tokens", "input_pico", "cached_input_pico",
    "output_pico", "other_pico", "fee_pico", "requests", "unrated",
)  # fmt: skip


def _negated(number: int | None) -> int | None:
    return None if number is None else -number


def _negated_units(other_units: str | None) -> str | None:
    if other_units is None:
        return None
    pairs: dict[str, list[int | None]] = msgspec.json.decode(other_units)
    negated = {unit: [_negated(each) for each in pairs[unit]] for unit in sorted(pairs)}
    return msgspec.json.encode(negated).decode()


def _merged(standing: Quantities, stated: StatedUsage) -> Quantities | FieldError:
    """Quantities with some of them stated anew; input includes what was cached."""
    now = {
        "input_tokens": input_tokens_of(standing),
        "cached_input_tokens": standing.cached_input_tokens,
        "output_tokens": output_tokens_of(standing),
        **(standing.other or {}),
    }
    anew = {
        name: value for name, value in msgspec.structs.asdict(stated).items() if value is not None
    }
    usage = StatedUsage(**(now | anew))
    try:
        usage.check_parts()
    except FaultyField as faulty:
        return faulty.error
    return usage.quantities()


def _faults_of_kind(form: Mapping[str, Any]) -> list[FieldError]:
    """A void states no quantity, a correction at least one, and there is no third kind."""
    kind = form.get("kind")
    stated = [name for name in QUANTITY_FIELDS if form.get(name) is not None]
    if kind == VOID and stated:
        return [FieldError(stated[0], "not_in_a_void", "must be left out of a void")]
    if kind == CORRECTION and not stated:
        detail = f"a correction must state at least one of {', '.join(QUANTITY_FIELDS)}"
        return [FieldError(None, "no_quantity", detail)]
    if kind not in KINDS:
        detail = f"must be {VOID} or {CORRECTION}, got {kind_of(kind)}"
        return [FieldError("kind", "unknown_value", detail)]
    return []


def _read_quantities(form: Mapping[str, Any], errors: list[FieldError]) -> StatedUsage:
    """The stated quantities; faults are added to `errors`."""
    stated: dict[str, int | None] = {}
    for name in QUANTITY_FIELDS:
        value = judge_field(name, form.get(name))
        if isinstance(value, Decimal) and name in SECONDS_FIELDS:
            try:
                value = micros(name, value)
            except FaultyField as faulty:
                value = faulty.error
        if isinstance(value, FieldError):
            errors.append(value)
        else:
            stated[name] = value
    return StatedUsage(**stated)


def _text_fault(name: str, value: object) -> FieldError | None:
    most = _TEXTS[name]
    if value is None and name == "customer_id":
        return None
    rule = f"must be a string of 1 to {most} characters, none NUL"
    if value is None:
        return FieldError(name, "missing", f"is required: {rule}")
    if not isinstance(value, str):
        return FieldError(name, "wrong_type", f"{rule}, got {kind_of(value)}")
    if not 1 <= len(value) <= most or "\x00" in value:
        return FieldError(name, "wrong_length", f"{rule}, got {kind_of(value)}")
    if not is_unicode(value):
        return FieldError(name, "lone_surrogate", f"{rule}, got half a surrogate pair")
    return None
