"""Reading one record: what it says, or every fault of it with field, kind and rule."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import FieldError
from ledger.core.json_values import kind_of
from ledger.core.records import (
    MAX_RECORD_BYTES,
    RequestRecord,
    decode_record,
    missing,
    rule_of,
)

START = '{"request_id": "r1", "customer_id": "acme", '
COUNT_RULE = "must be an integer from 0 to 1000000000000"
TEXT_RULE = "must be a string of 1 to 255 characters"
SECONDS_RULE = "must be a number of seconds, not negative, with at most 6 decimals"
METADATA_RULE = "must be an object of at most 100 pairs of strings, 1 to 255 characters each"
Fault = tuple[str | None, str, str]


def decoded(text: str | bytes) -> RequestRecord:
    """A record without faults."""
    record = decode_record(text.encode() if isinstance(text, str) else text)
    assert isinstance(record, RequestRecord), record
    return record


def faults_of(text: str | bytes) -> list[Fault]:
    """The faults of a record that is refused."""
    faults = decode_record(text.encode() if isinstance(text, str) else text)
    assert isinstance(faults, list), faults
    return [(fault.field, fault.code, fault.detail) for fault in faults]


@pytest.mark.parametrize(
    ("member", "code", "detail"),
    [
        ('"input_tokens": -1', "out_of_range", f"{COUNT_RULE}, got a negative integer"),
        ('"input_tokens": 1000000000001', "out_of_range", f"{COUNT_RULE}, got an integer of 13 d"),
        ('"input_tokens": 9223372036854775808', "out_of_range", "got an integer of 19 digits"),
        (f'"input_tokens": {10**29}', "out_of_range", "got an integer of 30 digits"),
        (f'"input_tokens": {10**308}', "out_of_range", "got a number beyond the range of a doub"),
        (f'"input_tokens": {"9" * 5000}', "out_of_range", "got a number beyond the range of a d"),
        ('"input_tokens": 1e400', "out_of_range", "got a number beyond the range of a double"),
        (f'"input_tokens": 1e{10**20}', "out_of_range", "got a number beyond the range of a dou"),
        ('"input_tokens": 845.5', "wrong_type", "got a number with a fraction or exponent"),
        ('"input_tokens": 845.0', "wrong_type", "got a number with a fraction or exponent"),
        ('"input_tokens": 1e3', "wrong_type", "got a number with a fraction or exponent"),
        ('"input_tokens": -0.5', "wrong_type", "got a negative number"),
        ('"input_tokens": "845"', "wrong_type", "got a string of 3 characters"),
        ('"input_tokens": true', "wrong_type", "got a boolean"),
        ('"input_tokens": [1]', "wrong_type", "got an array of 1 element"),
        ('"input_tokens": NaN', "not_finite", f"{COUNT_RULE}, got NaN or infinity"),
        ('"input_tokens": -Infinity', "not_finite", "got NaN or infinity"),
        ('"model": ""', "wrong_length", f"{TEXT_RULE}, got a string of 0 characters"),
        (f'"model": "{"m" * 256}"', "wrong_length", "got a string of 256 characters"),
        ('"model": 5', "wrong_type", f"{TEXT_RULE}, got an integer of 1 digit"),
        ('"model": "a\\u0000b"', "nul_character", "must not contain a NUL character"),
        ('"model": "a\\ud800b"', "invalid_unicode", "must not contain half a surrogate pair"),
        ('"status": "done"', "unknown_value", "must be one of completed, pending, error, got a s"),
        ('"status": 5', "wrong_type", "must be one of completed, pending, error, got an integer"),
        ('"provider_key_type": "ours"', "unknown_value", "must be one of managed, unmanaged, byo"),
        ('"batch": "yes"', "wrong_type", "must be true or false, got a string of 3 characters"),
        ('"timestamp": 5', "wrong_type", "must be a string with an RFC 3339 time, got an integer"),
        ('"input_seconds": "long"', "wrong_type", f"{SECONDS_RULE}, got a string of 4 characters"),
        ('"input_seconds": NaN', "not_finite", f"{SECONDS_RULE}, got NaN or infinity"),
        ('"reported_cost": {}', "wrong_type", "must be a decimal number, got an object"),
        ('"metadata": []', "invalid_metadata", f"{METADATA_RULE}, got an array of 0 elements"),
        ('"metadata": {"a": 5}', "invalid_metadata", f"{METADATA_RULE}, got an object"),
        ('"metadata": {"": "a"}', "invalid_metadata", METADATA_RULE),
        ('"metadata": {"a": ""}', "invalid_metadata", METADATA_RULE),
        (f'"metadata": {{"a": "{"v" * 256}"}}', "invalid_metadata", METADATA_RULE),
        ('"metadata": {"a\\u0000": "v"}', "nul_character", "must not contain a NUL character"),
        (f'"endpoint": "{"e" * 8193}"', "wrong_length", "must be a string of at most 8192 charac"),
        ('"charge": NaN', "not_finite", "must be JSON, got NaN or infinity"),
        ('"charge": {"amount": "\\udfff"}', "invalid_unicode", "must not contain half a surroga"),
        ('"charge": {"amount": "\\u0000"}', "nul_character", "must not contain a NUL character"),
        ('"charge": {"amount": 1e999}', "out_of_range", "got a number beyond the range of a doub"),
        ('"unheard_of": [1, [NaN]]', "not_finite", "must be JSON, got NaN or infinity"),
        ('"unheard_of": {"\\ud800": 1}', "invalid_unicode", "must not contain half a surrogate"),
        (f'"unheard_of": 1e-{10**20}', "out_of_range", "got a number beyond the range of a double"),
    ],
)
def test_a_fault_names_the_field_the_rule_and_the_kind(member: str, code: str, detail: str) -> None:
    """The value itself is never repeated: it may be a secret, or a megabyte."""
    [(field, found_code, found_detail)] = faults_of(START + member + "}")
    assert field == member[1 : member.index('"', 1)]
    assert found_code == code
    assert detail in found_detail


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{}", ("request_id", "missing", "is required: a string of 1 to 255 characters")),
        ('{"request_id": null}', ("request_id", "missing", "is required: a string of 1 to 255 ch")),
        ('{"request_id": ""}', ("request_id", "wrong_length", f"{TEXT_RULE}, got a string of 0 c")),
        ('{"request_id": 7}', ("request_id", "wrong_type", f"{TEXT_RULE}, got an integer of 1 di")),
        ('{"request_id": "\\u0000"}', ("request_id", "nul_character", "must not contain a NUL")),
        ("null", (None, "not_an_object", "a record must be an object, got null")),
        ("[]", (None, "not_an_object", "a record must be an object, got an array of 0 elements")),
        ("NaN", (None, "not_an_object", "a record must be an object, got an object")),
        ("", (None, "malformed_json", "is not JSON: expecting value at character 0")),
        ('{"request_id": "r1"', (None, "malformed_json", "is not JSON: expecting ',' delimiter")),
        ('{"request_id": "r1"} x', (None, "malformed_json", "is not JSON: extra data")),
        ('{"request_id": "r\n1"}', (None, "malformed_json", "is not JSON: invalid control char")),
        (b'{"request_id": "\xff"}', (None, "malformed_json", "is not UTF-8 at byte 16")),
        ('{"a": 1}'.encode("utf-16"), (None, "malformed_json", "is not UTF-8 at byte 0")),
        (b'{"request_id": "\xed\xa0\x80"}', ("request_id", "invalid_unicode", "half a surrogate")),
    ],
)
def test_a_record_without_form_is_refused_as_a_whole(text: str | bytes, fault: Fault) -> None:
    """Where no field can be named, the place or the kind is."""
    [(field, code, detail)] = faults_of(text)
    assert (field, code) == fault[:2]
    assert fault[2] in detail


def test_all_faults_are_named_at_once() -> None:
    """One round is enough to repair a record."""
    text = '{"request_id": "", "customer_id": 5, "input_tokens": -1, "model": "m", "x": NaN}'
    assert [(field, code) for field, code, _ in faults_of(text)] == [
        ("request_id", "wrong_length"),
        ("customer_id", "wrong_type"),
        ("input_tokens", "out_of_range"),
        ("x", "not_finite"),
    ]


def test_a_field_name_that_cannot_be_shown_is_shown_mended() -> None:
    """NUL and half a surrogate become question marks, and no name is longer than 255."""
    assert [field for field, _, _ in faults_of(START + '"a\\u0000\\ud800b": 1}')] == ["a??b"]
    [(field, _, _)] = faults_of(START + f'"{"n" * 300}\\u0000": 1}}')
    assert field == "n" * 255


def test_a_record_may_have_one_mebibyte() -> None:
    """A byte more and it is not even read."""
    padding = MAX_RECORD_BYTES - len(START + '"x": ""}')
    assert decoded(START + f'"x": "{"a" * padding}"}}')
    [(field, code, detail)] = faults_of(START + f'"x": "{"a" * (padding + 1)}"}}')
    assert (field, code) == (None, "record_too_large")
    assert detail == "a record may have 1 MiB, got 1048577 bytes"


@pytest.mark.parametrize("field", ["charge", "unheard_of", "extra"])
@pytest.mark.parametrize(
    ("levels", "fits"), [(32, True), (33, False), (100, False), (990, False), (100_000, False)]
)
def test_a_record_nests_32_levels_deep(field: str, levels: int, *, fits: bool) -> None:
    """The record itself is the first level; it counts the same in known and unknown fields."""
    inner = levels - 1
    text = START + f'"{field}": {"[" * inner}{"]" * inner}}}'
    if fits:
        decoded(text)
    else:
        assert faults_of(text) == [(None, "too_deep", "a record may nest 32 levels deep, got more")]


def test_many_brackets_side_by_side_are_not_deep() -> None:
    """Only nesting counts."""
    assert decoded(START + f'"charge": [{"{}," * 50}{{}}]}}').charge


def test_a_byte_order_mark_is_no_fault() -> None:
    """Windows tools write one."""
    assert decoded(b"\xef\xbb\xbf" + (START + '"images": 1}').encode()).images == 1


def test_unknown_fields_are_kept_with_every_digit() -> None:
    """Numbers of 30 digits come out as they went in; `extra` is a name like any other."""
    digits = "0.123456789012345678901234567890"
    record = decoded(
        START + f'"extra": {{"a": {digits}}}, "b": [1, "ü", null, true], "c": {10**30}}}'
    )
    assert record.extra is not None
    kept = {name: bytes(value).decode() for name, value in record.extra.items()}
    assert kept == {"extra": f'{{"a":{digits}}}', "b": '[1,"ü",null,true]', "c": str(10**30)}


def test_a_field_that_is_null_was_not_stated() -> None:
    """On both ways of reading."""
    assert decoded(START + '"model": null}').model is None
    assert decoded(START + '"model": null, "unheard_of": null}').model is None


@pytest.mark.parametrize("extra", ["", ', "unheard_of": 1'])
def test_numbers_that_are_no_counts_are_exact(extra: str) -> None:
    """From JSON numbers and strings alike."""
    text = '"input_seconds": 1.100000, "reported_cost": "0.0581000000", "cost": 12345678901234567.5'
    record = decoded(START + text + extra + "}")
    assert str(record.input_seconds) == "1.100000"
    assert record.reported_cost == Decimal("0.0581000000")
    assert record.cost == Decimal("12345678901234567.5")


def values_of(record: RequestRecord) -> dict[str, Any]:
    """The fields of a record; what is kept raw as the value that it stands for."""
    members = msgspec.structs.asdict(record)
    for name, value in members.items():
        if isinstance(value, msgspec.Raw):
            members[name] = json.loads(bytes(value) or b"null")
    return members


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(RequestRecord.__struct_fields__)


@given(st.dictionaries(fields, json_values, max_size=6))
def test_both_ways_of_reading_agree(members: dict[str, Any]) -> None:
    """An unknown field forces the second way; it changes nothing but itself."""
    members = {"request_id": "r1"} | members
    members.pop("extra", None)
    one = decode_record(json.dumps(members).encode())
    other = decode_record(json.dumps(members | {"unheard_of": 1}).encode())
    if isinstance(one, RequestRecord):
        assert isinstance(other, RequestRecord)
        assert values_of(other) | {"extra": None} == values_of(one)
    else:
        assert one == other


@given(
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
)
def test_nothing_that_can_be_sent_breaks_the_reading(raw: bytes) -> None:
    """Alone, and as the value of a field."""
    decode_record(raw)
    decode_record(b'{"request_id": "r1", "charge": ' + raw + b"}")
    decode_record(b'{"request_id": "r1", "unheard_of": "' + raw + b'"}')


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (False, "a boolean"),
        (7, "an integer of 1 digit"),
        (-7, "a negative integer"),
        (Decimal("0.5"), "a number with a fraction or exponent"),
        (Decimal("-0.5"), "a negative number"),
        (Decimal("NaN"), "a number that is not finite"),
        ("abc", "a string of 3 characters"),
        ([1, 2], "an array of 2 elements"),
        ({}, "an object"),
    ],
)
def test_every_value_has_a_kind(value: object, kind: str) -> None:
    """In words that a person reads."""
    assert kind_of(value) == kind


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("images", COUNT_RULE),
        ("service_tier", TEXT_RULE),
        ("gpu_seconds", SECONDS_RULE),
        ("usage", "must be JSON"),
        ("unheard_of", "must be JSON"),
    ],
)
def test_every_field_has_a_rule(field: str, rule: str) -> None:
    """Refusals state it."""
    assert f"must be {rule_of(field)}" == rule


def test_a_missing_field_is_told_with_its_rule() -> None:
    """Who leaves it out learns what belongs there."""
    detail = "is required: a string of 1 to 255 characters"
    assert missing("customer_id") == FieldError("customer_id", "missing", detail)
