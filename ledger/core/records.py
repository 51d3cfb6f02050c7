"""Request records as they arrive: JSON read strictly, or every fault of it named.

A record that fits `RequestRecord` is read by one typed decode. One that does not is read again as plain
JSON and its fields are judged one by one against the same declared types, so that the two ways cannot
disagree and a refusal names all faults at once.
"""

import json
from decimal import Decimal
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from ledger.core.errors import FieldError
from ledger.core.json_values import (
    NoNumber,
    depth_of,
    is_unicode,
    kind_of,
    read_json,
    walk,
    why_malformed,
)
from ledger.core.shapes import PLAIN

MAX_DEPTH = 32
MAX_RECORD_BYTES = 1024 * 1024
MAX_METADATA_PAIRS = 100

Text = Annotated[str, Meta(min_length=1, max_length=255, extra_json_schema={"pattern": PLAIN})]
Word = Annotated[str, Meta(min_length=1, max_length=64, extra_json_schema={"pattern": PLAIN})]
Endpoint = Annotated[str, Meta(max_length=8192, extra_json_schema={"pattern": PLAIN})]
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
    endpoint: Endpoint | None = None
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
    cache_write_tokens: Count | None = None
    cache_write_1h_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    audio_input_tokens: Count | None = None
    cached_audio_input_tokens: Count | None = None
    audio_output_tokens: Count | None = None
    image_input_tokens: Count | None = None
    image_output_tokens: Count | None = None
    image_steps: Count | None = None
    web_searches: Count | None = None
    rerank_searches: Count | None = None
    training_tokens: Count | None = None
    service_tier: Text | None = None
    batch: bool | None = None
    region: Word | None = None
    accelerator: Word | None = None
    meter_slug: Text | None = None
    response_id: Text | None = None
    metadata: dict[Text, Text] | None = None
    reported_cost: Decimal | None = None
    cost: Decimal | None = None
    model_usage: msgspec.Raw = msgspec.Raw()
    usage: msgspec.Raw = msgspec.Raw()
    # What Fireworks says of usage outside the body of its answer.
    perf_metrics: msgspec.Raw = msgspec.Raw()
    response_headers: msgspec.Raw = msgspec.Raw()
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

    def kept(self) -> dict[str, msgspec.Raw]:
        """The raw fields that are stated, by name; they are kept with the event as they came."""
        raws = msgspec.structs.astuple(self)[_FIRST_KEPT:-1]
        return (
            {name: raw for name, raw in zip(KEPT_FIELDS, raws, strict=True) if raw}
            if any(raws)
            else {}
        )


_FIRST_KEPT = RequestRecord.__struct_fields__.index("model_usage")
KEPT_FIELDS = RequestRecord.__struct_fields__[_FIRST_KEPT:-1]

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
    "region": "a string of 1 to 64 characters",
    "accelerator": "a string of 1 to 64 characters",
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
    if (b"\\" in raw and b"\\u0000" in raw) or record.extra is not None:
        return False
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        return False
    for value in record.kept().values():
        msgspec.json.decode(value)
    return True


def _decode_field_by_field(raw: bytes) -> RequestRecord | list[FieldError]:
    try:
        value = read_json(raw)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        return [FieldError(None, "malformed_json", why_malformed(error))]
    except RecursionError:
        return [_TOO_DEEP]
    if not isinstance(value, dict):
        return [
            FieldError(None, "not_an_object", f"a record must be an object, got {kind_of(value)}")
        ]
    if depth_of(value) > MAX_DEPTH:
        return [_TOO_DEEP]
    return _judge_fields(value)


def _judge_fields(value: dict[str, Any]) -> RequestRecord | list[FieldError]:
    errors: list[FieldError] = []
    fields: dict[str, Any] = {}
    extra: dict[str, msgspec.Raw] = {}
    for name, field_value in value.items():
        if _FIELD_TYPES.get(name, msgspec.Raw) is not msgspec.Raw:
            judged = judge_field(name, field_value)
            if isinstance(judged, FieldError):
                errors.append(judged)
            else:
                fields[name] = judged
        elif (fault := _unstorable(name, field_value)) is not None:
            errors.append(fault)
        elif name in _FIELD_TYPES:
            fields[name] = _raw(field_value)
        else:
            extra[name] = _raw(field_value)
    if value.get("request_id") is None:
        errors = [error for error in errors if error.field != "request_id"]
        errors.insert(0, missing("request_id"))
    return errors or RequestRecord(**fields, extra=extra or None)


def judge_field(name: str, value: object) -> Any:
    """A value as the field of a record of that name has it, or its fault as a `FieldError`."""
    if (fault := _unstorable(name, value)) is not None:
        return fault
    try:
        return msgspec.convert(value, _FIELD_TYPES[name])
    except msgspec.ValidationError as error:
        return _field_error(name, value, str(error))


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
    for part in walk({name: value}):
        if isinstance(part, NoNumber):
            return FieldError(
                printable(name), part.code, f"must be {rule_of(name)}, got {part.kind}"
            )
        if isinstance(part, str):
            if "\x00" in part:
                return FieldError(
                    printable(name), "nul_character", "must not contain a NUL character"
                )
            if not is_unicode(part):
                return FieldError(
                    printable(name), "invalid_unicode", "must not contain half a surrogate pair"
                )
    return None


def printable(name: str) -> str:
    """A name as it can be answered, whatever it was: no NUL, no half of a surrogate pair, not too long."""
    return name.encode("utf-8", "replace").decode().replace("\x00", "?")[:255]


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(value))
