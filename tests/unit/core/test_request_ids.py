"""The request id as key and clock."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.request_ids import RequestKey, request_id_of, request_key, time_of

ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FIRST_MS = 1_577_836_800_000  # 2020-01-01
END_MS = 4_102_444_800_000  # 2100-01-01


def ulid_id(number: int) -> str:
    """`req_` and 128 bits as 26 digits, written the slow way."""
    digits = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits.append(ULID_DIGITS[digit])
    return "req_" + "".join(reversed(digits))


def test_a_canonical_id_is_its_own_key_and_tells_its_time() -> None:
    """The record of the design: its 128 bits begin with the milliseconds of 2025-10-16."""
    key = request_key("req_01K7QJT2YSVV0YR2NPK4Z2GRXQ")
    assert key.opaque_id is None
    assert int.from_bytes(key.bits[:6], "big") == 1_760_654_330_841
    assert time_of(key) == datetime(2025, 10, 16, 22, 38, 50, 841_000, tzinfo=UTC)
    assert request_id_of(key.bits, None) == "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ"


@pytest.mark.parametrize(
    "request_id",
    [
        "req_01k7qjt2ysvv0yr2npk4z2grxq",  # lower case
        "REQ_01K7QJT2YSVV0YR2NPK4Z2GRXQ",
        "req_test_01EXAMPLE00000000000000001",
        "req_test_01K7QJT2YSVV0YR2NPK4Z2GRXQ",
        "req_01K7QJT2YSVV0YR2NPK4Z2GRX",  # 25 digits
        "req_01K7QJT2YSVV0YR2NPK4Z2GRXQA",  # 27 digits
        "req_01K7QJT2YSVV0YR2NPK4Z2GRXI",  # I, L, O and U are no digits
        "req_81K7QJT2YSVV0YR2NPK4Z2GRXQ",  # 129 bits
        "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ\n",
        "01K7QJT2YSVV0YR2NPK4Z2GRXQ",
        "chatcmpl-123",
        "ü",
        "a" * 255,
    ],
)
def test_any_other_text_is_opaque(request_id: str) -> None:
    """Its key is a set top bit and 127 bits of SHA-256; its text is kept; it tells no time."""
    key = request_key(request_id)
    digest = bytearray(hashlib.sha256(request_id.encode()).digest()[:16])
    digest[0] |= 0x80
    assert key == RequestKey(bytes(digest), request_id)
    assert time_of(key) is None
    assert request_id_of(key.bits, key.opaque_id) == request_id


@pytest.mark.parametrize(
    ("time_ms", "is_canonical"),
    [
        (0, False),
        (FIRST_MS - 1, False),
        (FIRST_MS, True),
        (END_MS - 1, True),
        (END_MS, False),
        (2**48 - 1, False),
    ],
)
def test_a_time_outside_2020_to_2100_is_no_time(time_ms: int, *, is_canonical: bool) -> None:
    """Such an id would make partitions for ever; it is opaque instead."""
    request_id = ulid_id(time_ms << 80 | 1)
    assert (request_key(request_id).opaque_id is None) is is_canonical


@given(st.integers(FIRST_MS, END_MS - 1), st.integers(0, 2**80 - 1))
def test_canonical_ids_map_one_to_one(time_ms: int, randomness: int) -> None:
    """There and back again gives the same text, and the top bit stays clear."""
    number = time_ms << 80 | randomness
    key = request_key(ulid_id(number))
    assert key == RequestKey(number.to_bytes(16, "big"))
    assert key.bits[0] < 0x80
    assert request_id_of(key.bits, None) == ulid_id(number)


@given(st.text(min_size=1, max_size=255).filter(lambda text: not text.startswith("req_")))
def test_opaque_keys_lie_above_all_canonical_ones(request_id: str) -> None:
    """The top bit parts the two halves of the index, and the text comes back unchanged."""
    key = request_key(request_id)
    assert key.bits[0] >= 0x80
    assert request_id_of(key.bits, key.opaque_id) == request_id


@given(st.lists(st.integers(FIRST_MS << 80, (END_MS << 80) - 1), min_size=2))
def test_keys_are_in_the_order_of_their_ids(numbers: list[int]) -> None:
    """What sorts as text sorts as bytes, so new events land at the right edge."""
    ids = sorted(ulid_id(number) for number in numbers)
    keys = [request_key(request_id).bits for request_id in ids]
    assert keys == sorted(keys)
