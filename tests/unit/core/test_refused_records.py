"""What is kept of a refused record."""

import hashlib
import json

import pytest

from ledger.core.errors import FieldError
from ledger.core.refused import (
    MAX_KEPT_BYTES,
    MAX_KEPT_FAULTS,
    MAX_SEEN_BYTES,
    RefusedRecord,
    by_id,
    quarantine_id,
    reason_for,
    refused_record,
    storable,
)
from ledger.core.statements import Refusal

OWN_KEY = f"lk_0123456789_{'aB-' * 14}c"
SECRET = "sk-0123456789abcdefghij"  # noqa: S105 - of nobody
FAULT = FieldError("images", "wrong_type", "must be an integer")


def kept(raw: bytes, *faults: FieldError) -> RefusedRecord:
    """A record that was refused, as it is kept."""
    return refused_record("q_1", b"digest", Refusal(raw, faults or (FAULT,)))


def test_the_id_says_sender_reason_and_content() -> None:
    """Another of any of the three is another record; the digest is worked by hand here."""
    digest = hashlib.sha256(b"{}").digest()
    by_hand = hashlib.sha256(b"cli\x00missing\x00" + digest).hexdigest()[:20]

    assert quarantine_id("cli", "missing", digest) == f"q_{by_hand}"
    others = {
        quarantine_id("cli", "missing", digest),
        quarantine_id("cl", "missing", digest),
        quarantine_id("cli", "wrong_type", digest),
        quarantine_id("cli", "missing", hashlib.sha256(b"{ }").digest()),
    }
    assert len(others) == 4


def test_the_same_content_refused_for_the_same_reason_is_one() -> None:
    """The first of them stands; another reason is another record."""
    other = FieldError("images", "out_of_range", "must be an integer")
    refusals = [Refusal(b"1", (FAULT,), "a"), Refusal(b"1", (FAULT,), "b"), Refusal(b"1", (other,))]

    found = by_id("cli", refusals)

    assert [refusal.request_id for _, refusal in found.values()] == ["a", None]
    assert {digest for digest, _ in found.values()} == {hashlib.sha256(b"1").digest()}


def test_faults_stay_apart_and_stand_in_one_line() -> None:
    """The first one is the reason; ten are kept, whatever a record has."""
    many = [FAULT, FieldError(None, "too_deep", "nests too deep"), *[FAULT] * 20]
    reason = reason_for(many, conflict=False)

    assert (reason.outcome, reason.code, reason.field) == ("rejected", "wrong_type", "images")
    assert reason.faults == tuple(many[:MAX_KEPT_FAULTS])
    assert reason.detail.startswith("images: must be an integer; record: nests too deep; images: ")
    assert reason_for([FAULT], conflict=True).outcome == "conflict"


def test_texts_that_no_database_holds_are_replaced() -> None:
    """NUL and half a surrogate pair, in whatever text of a refusal they stand; names are cut at 255."""
    name = "a\x00b\ud800"
    refusal = Refusal(b"x", (FieldError(name, "c", name),), name, name + "c" * 300)
    record = refused_record("q_1", b"", refusal)

    assert record.reason.faults == (FieldError("a\ufffdb?", "c", "a\ufffdb?"),)
    assert record.request_id == "a\ufffdb?"
    assert record.customer_id == "a\ufffdb?" + "c" * 251
    assert storable(None) is None


def test_no_more_than_64_kib_are_kept() -> None:
    """How long it was is told, and that it cannot be sent again from here."""
    full = kept(b"x" * MAX_KEPT_BYTES)
    longer = kept(b"x" * (MAX_KEPT_BYTES + 1))

    assert (len(full.record), full.record_bytes, full.is_whole) == (65536, 65536, True)
    assert (len(longer.record), longer.record_bytes, longer.is_whole) == (65536, 65537, False)


def test_hints_that_make_a_record_longer_may_cut_it() -> None:
    """Whole is what is kept, not what came."""
    record = kept(b'{"key": ""}' * (MAX_KEPT_BYTES // 12))

    assert record.record_bytes < MAX_KEPT_BYTES
    assert not record.is_whole


def test_a_secret_that_is_longer_than_its_hint_may_leave_a_record_whole() -> None:
    """Of what is little more than may be kept; however much more there is, it is not looked at."""
    longer = b'{"key": "%s"}' % (b"s" * (MAX_SEEN_BYTES - 11))
    assert len(longer) == MAX_SEEN_BYTES
    assert kept(longer).is_whole
    assert kept(longer).record == b'{"key": "ssss\\u2026 (69621 characters)"}'
    much_longer = kept(longer + b" ")
    assert (much_longer.is_whole, much_longer.record_bytes) == (False, MAX_SEEN_BYTES + 1)


@pytest.mark.parametrize("place", [MAX_KEPT_BYTES, MAX_SEEN_BYTES])
@pytest.mark.parametrize("secret", [f'"api_key": "{SECRET}"', f'"note": "{OWN_KEY}"'])
def test_a_record_that_is_cut_shows_no_part_of_a_secret(place: int, secret: str) -> None:
    """Wherever the cut falls, and however much hiding has made of it shorter before."""
    for offset in range(len(secret)):
        for before in ('{"note": "%s", ', '{"key": "%s", '):
            padding = "x" * (place - offset - len(before) + 2)
            record = kept(f"{before % padding}{secret}}}{'x' * 5000}".encode()).record
            assert b"sk-01" not in record
            assert b"lk_0123456789_a" not in record


def test_our_own_keys_are_in_no_text_that_is_kept() -> None:
    """Neither in what the record names nor in what is wrong with it."""
    fault = FieldError(OWN_KEY, "c", f"not {OWN_KEY}")
    record = refused_record("q_1", b"", Refusal(b"1", (fault,), OWN_KEY, "c" * 240 + OWN_KEY))

    assert OWN_KEY[14:] not in repr(record)
    assert record.request_id == "lk_0123456789_… (57 characters)"
    assert record.customer_id == f"{'c' * 240}lk_0123456789_…"


@pytest.mark.parametrize(
    ("raw", "is_whole"),
    [
        ({"provider_key": SECRET}, True),
        ({"provider_key": SECRET, "metadata": {"feature": "chat"}}, True),
        ({"metadata": {"api_key": SECRET}}, False),
        ({"metadata": {"token": [SECRET]}}, False),
        ([{"token": SECRET}, "metadata"], True),
        ({"request_id": OWN_KEY}, False),
        ({"note": OWN_KEY, "request_id": "r1", "usage": {"input": 5}}, True),
        ({"input_tokens": "many", "key": SECRET}, True),
    ],
)
def test_a_secret_is_missed_only_in_what_is_recorded(raw: object, *, is_whole: bool) -> None:
    """A hint that were recorded, as metadata or an id, would contradict the record sent again."""
    record = kept(json.dumps(raw).encode())

    assert SECRET.encode() not in record.record
    assert OWN_KEY.encode() not in record.record
    assert record.is_whole == is_whole


def test_metadata_by_an_escaped_name_is_metadata() -> None:
    """JSON lets every letter be written so."""
    assert not kept(b'{"m\\u0065tadata": {"token": "0123456789"}}').is_whole


@pytest.mark.parametrize("rest", [b"", b"\xff", b"[" * 5000, b', "metadata": {}'])
def test_what_is_no_json_hides_its_secrets_too(rest: bytes) -> None:
    """It is whole: it will be refused again as it was."""
    record = kept(b'{"provider_key": "' + SECRET.encode() + b'"' + rest)

    assert SECRET.encode() not in record.record
    assert record.is_whole


def test_a_hint_in_the_place_of_what_broke_the_syntax_is_missed() -> None:
    """Sent again the record would be another one: JSON, where it was none."""
    record = kept(b'{"request_id": "r1", "key": "\\q0123456789"}')

    json.loads(record.record)
    assert not record.is_whole
