"""Request records as they arrive: JSON read strictly, or every fault of it named.

A record that fits `RequestRecord` is read by one typed decode. One that does not is read again as plain
JSON and its fields are judged one by one against the same declared types, so that the two ways cannot
disagree and a refusal names all faults at once.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from ledger.core.errors import FieldError

MAX_DEPTH = 32
MAX_RECORD_BYTES = 1024 * 1024
MAX_METADATA_PAIRS = 100

Text = Annotated[str, Meta(min_length=1, max_length=255)]
Count = Annotated[int, Meta(ge=0, le=10**12)]
KeyTypeWord = Literal["managed", "unmanaged", "byok", "stored"]
StatusWord = Literal["completed", "pending", "error"]


class RequestRecord(msgspec.Struct, forbid_unknown_fields=True):
    """One LLM request as the Lava gateway or the caller saw it; fields as in docs/records.md.

    Numbers that are not counts are read as Decimal, from JSON numbers or strings alike. `extra` never
    comes from JSON: it holds the fields that we do not know.
    """

    request_id: Text
    customer_id: Text | None = None
    connection_id: Text | None = None
    model: Text | None = None
    provider: Text | None = None
    endpoint: Annotated[str, Meta(max_length=8192)] | None = None
    provider_key_type: KeyTypeWord | None = None
    status: StatusWord | None = None
    timestamp: str | None = None
    occurred_at: str | None = None
    created_at: str | None = None
    input_tokens: Count | None = None
    prompt_tokens: Count | None = None
    output_tokens: Count | None = None
    completion_tokens: Count | None = None
    cached_input_tokens: Count | None = None
    input_seconds: Decimal | None = None
    output_seconds: Decimal | None = None
    input_characters: Count | None = None
    output_characters: Count | None = None
    images: Count | None = None
    gpu_seconds: Decimal | None = None
    service_tier: Text | None = None
    batch: bool | None = None
    meter_slug: Text | None = None
    response_id: Text | None = None
    metadata: dict[Text, Text] | None = None
    reported_cost: Decimal | None = None
    cost: Decimal | None = None
    model_usage: msgspec.Raw = msgspec.Raw()
    usage: msgspec.Raw = msgspec.Raw()
    # Lava's own fields that say nothing we compute with; known, so that its records decode in one go.
    meter_id: msgspec.Raw = msgspec.Raw()
    product_id: msgspec.Raw = msgspec.Raw()
    charge: msgspec.Raw = msgspec.Raw()
    fee: msgspec.Raw = msgspec.Raw()
    service_charge: msgspec.Raw = msgspec.Raw()
    total_request_cost: msgspec.Raw = msgspec.Raw()
    total_wallet_cost: msgspec.Raw = msgspec.Raw()
    total_merchant_cost: msgspec.Raw = msgspec.Raw()
    extra: dict[str, msgspec.Raw] | None = None


KEPT_FIELDS = (
    "model_usage", "usage", "meter_id", "product_id", "charge", "fee", "service_charge",
    "total_request_cost", "total_wallet_cost", "total_merchant_cost",
)  # fmt: skip

_RULES = {
    "request_id": "a string of 1 to 255 characters",
    "endpoint": "a string of at most 8192 characters",
    "provider_key_type": "one of managed, unmanaged, byok, stored",
    "status": "one of completed, pending, error",
    "timestamp": "a string with an RFC 3339 time",
    "occurred_at": "a string with an RFC 3339 time",
    "created_at": "a string with an RFC 3339 time",
    "input_seconds": "a number of seconds, not negative, with at most 6 decimals",
    "output_seconds": "a number of seconds, not negative, with at most 6 decimals",
    "gpu_seconds": "a number of seconds, not negative, with at most 6 decimals",
    "batch": "true or false",
    "metadata": "an object of at most 100 pairs of strings, 1 to 255 characters each",
    "reported_cost": "a decimal number",
    "cost": "a decimal number",
}
_COUNT_RULE = "an integer from 0 to 1000000000000"
_TEXT_RULE = "a string of 1 to 255 characters"

_DECODER = msgspec.json.Decoder(RequestRecord)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_FIELD_TYPES = {
    name: hint
    for name, hint in get_type_hints(RequestRecord, include_extras=True).items()
    if name != "extra"
}
_TOO_DEEP = FieldError(None, "too_deep", f"a record may nest {MAX_DEPTH} levels deep, got more")
_MEANINGLESS_CODES = {"batch": "wrong_type", "metadata": "invalid_metadata"}


def rule_of(field: str) -> str:
    """The rule of a record field in words, as refusals state it."""
    if field in _RULES:
        return _RULES[field]
    declared = _FIELD_TYPES.get(field, msgspec.Raw)
    if declared is msgspec.Raw:
        return "JSON"
    return _COUNT_RULE if declared == (Count | None) else _TEXT_RULE


def decode_record(raw: bytes) -> RequestRecord | list[FieldError]:
    """Read one JSON record; what cannot be read comes back as the list of its faults."""
    if len(raw) > MAX_RECORD_BYTES:
        return [
            FieldError(None, "record_too_large", f"a record may have 1 MiB, got {len(raw)} bytes")
        ]
    try:
        record = _DECODER.decode(raw)
        if _is_sound(raw, record):
            return record
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    return _decode_field_by_field(raw)


def _is_sound(raw: bytes, record: RequestRecord) -> bool:
    """Whether the typed decode has seen all that can be wrong.

    It takes an escaped NUL, which is legal JSON and impossible in the database. It lets `extra`, a name
    of ours, be set from outside. And it passes over what is kept raw, at any depth.
    """
    if b"\\u0000" in raw or record.extra is not None:
        return False
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        return False
    for name in KEPT_FIELDS:
        if value := getattr(record, name):
            msgspec.json.decode(value)
    return True


def read_json(raw: bytes) -> Any:
    """JSON with exact numbers. What cannot be kept is read too, so that the field can be named.

    Half a surrogate pair stays in its text; NaN and numbers beyond all range become `NoNumber`.

    Raises:
        JSONDecodeError, UnicodeDecodeError: no JSON, or no UTF-8; both are ValueErrors.
        RecursionError: it nests too deep to be read at all.
    """
    return json.loads(
        raw.decode("utf-8-sig", "surrogatepass"),
        parse_float=_number,
        parse_int=_integer,
        parse_constant=_not_finite,
    )


class NoNumber(msgspec.Struct, frozen=True):
    """What stands where a number should and is none that can be kept."""

    code: str
    kind: str


def _not_finite(_word: str) -> NoNumber:
    return NoNumber("not_finite", "NaN or infinity")


def _number(text: str) -> Decimal | NoNumber:
    """A number as it is written, unless it is beyond what a double can hold."""
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return _OUT_OF_RANGE
    return number if number.copy_abs() <= _DOUBLE_MAX else _OUT_OF_RANGE


def _integer(text: str) -> int | NoNumber:
    return int(text) if len(text) <= _MOST_DIGITS else _OUT_OF_RANGE


_DOUBLE_MAX = Decimal("1.7976931348623157e308")  # IEEE 754 binary64
_MOST_DIGITS = 308  # a double holds every number of as many digits
_OUT_OF_RANGE = NoNumber("out_of_range", "a number beyond the range of a double")


def kind_of(value: object) -> str:
    """Say what kind of JSON value this is, without repeating it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal():
            return _kind_of_number(value)
        case str():
            return f"a string of {_counted(len(value), 'character')}"
        case list():
            return f"an array of {_counted(len(value), 'element')}"
        case _:
            return "an object"


def _kind_of_number(number: int | Decimal) -> str:
    if isinstance(number, int):
        digits = _counted(len(str(abs(number))), "digit")
        return "a negative integer" if number < 0 else f"an integer of {digits}"
    if not number.is_finite():
        return "a number that is not finite"
    return "a negative number" if number < 0 else "a number with a fraction or exponent"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _decode_field_by_field(raw: bytes) -> RequestRecord | list[FieldError]:
    try:
        value = read_json(raw)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        return [FieldError(None, "malformed_json", _why_malformed(error))]
    except RecursionError:
        return [_TOO_DEEP]
    if not isinstance(value, dict):
        return [
            FieldError(None, "not_an_object", f"a record must be an object, got {kind_of(value)}")
        ]
    if _depth_of(value) > MAX_DEPTH:
        return [_TOO_DEEP]
    return _judge_fields(value)


def _judge_fields(value: dict[str, Any]) -> RequestRecord | list[FieldError]:
    errors: list[FieldError] = []
    fields: dict[str, Any] = {}
    extra: dict[str, msgspec.Raw] = {}
    for name, field_value in value.items():
        if (fault := _unstorable(name, field_value)) is not None:
            errors.append(fault)
        elif name not in _FIELD_TYPES:
            extra[name] = _raw(field_value)
        elif _FIELD_TYPES[name] is msgspec.Raw:
            fields[name] = _raw(field_value)
        else:
            try:
                fields[name] = msgspec.convert(field_value, _FIELD_TYPES[name])
            except msgspec.ValidationError as error:
                errors.append(_field_error(name, field_value, str(error)))
    if value.get("request_id") is None:
        errors = [error for error in errors if error.field != "request_id"]
        errors.insert(0, missing("request_id"))
    return errors or RequestRecord(**fields, extra=extra or None)


def _field_error(name: str, value: object, message: str) -> FieldError:
    if "of length" in message and name != "metadata":
        code = "wrong_length"
    elif "Invalid enum value" in message:
        code = "unknown_value"
    elif "Expected `int` " in message:
        code = "out_of_range"
    else:
        code = _MEANINGLESS_CODES.get(name, "wrong_type")
    return FieldError(name, code, f"must be {rule_of(name)}, got {kind_of(value)}")


def missing(field: str) -> FieldError:
    """The fault of a field that must be there and is not."""
    return FieldError(field, "missing", f"is required: {rule_of(field)}")


def _unstorable(name: str, value: object) -> FieldError | None:
    """The fault that makes a value impossible to keep, wherever in it that stands."""
    for part in _walk({name: value}):
        if isinstance(part, NoNumber):
            return FieldError(
                _printable(name), part.code, f"must be {rule_of(name)}, got {part.kind}"
            )
        if isinstance(part, str):
            if "\x00" in part:
                return FieldError(
                    _printable(name), "nul_character", "must not contain a NUL character"
                )
            if not _is_unicode(part):
                return FieldError(
                    _printable(name), "invalid_unicode", "must not contain half a surrogate pair"
                )
    return None


def _walk(value: object) -> Any:
    """Every key and leaf of a JSON value, without recursion."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part.keys())
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        else:
            yield part


def _depth_of(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            child
            for part in level
            if isinstance(part, dict | list)
            for child in (part.values() if isinstance(part, dict) else part)
        ]
    return depth


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode().replace("\x00", "?")[:255]


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(value))


def _why_malformed(error: json.JSONDecodeError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 at byte {error.start}"
    return f"is not JSON: {error.msg.lower()} at character {error.pos}"
