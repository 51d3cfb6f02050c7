"""The row of a regular statement is the row that all the objects in between lead to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import regular_events
from ledger.core.configuration import Configuration, PublishedMeter
from ledger.core.errors import FieldError
from ledger.core.events import event_text, usage_event
from ledger.core.rating import rate_statement
from ledger.core.regular_events import KnownTerms, Split
from ledger.core.request_ids import RequestKey
from ledger.core.rows import UsageEvent
from ledger.core.statements import Statement, Status
from pricing import (
    Meter,
    PublishedTable,
    Quantities,
    RateBook,
    load_rate_table,
    percentage_meter,
    shipped_rate_files,
)

SALT = bytes(range(16))
DIMENSION = 4
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
LLAMA = "accounts/fireworks/models/llama-v3p3-70b-instruct"
METERS = {
    1: PublishedMeter(1, percentage_meter("tenth", 1, "10")),
    2: PublishedMeter(2, Meter("each", 1, "fixed", unit="requests", rate="0.01")),
    3: PublishedMeter(3, percentage_meter("huge", 1, "1000")),
}


@cache
def configuration() -> Configuration:
    """Every shipped table; customer 1 has a percentage, 2 a fixed fee, 3 nothing."""
    book = RateBook(
        PublishedTable(number, load_rate_table(text, name, currency="USD"))
        for number, (name, text) in enumerate(shipped_rate_files(), 1)
    )
    return Configuration(1, book, METERS, {1: "tenth", 2: "each"}, {})


def models() -> list[str | None]:
    """Some of every provider, names of none, and no name."""
    listed = [model for each in configuration().book.versions() for model in each.table.models]
    return [*listed, "accounts/fireworks/models/never-heard-of", "gpt-x", None]


def changes_and_moments_beside_them() -> list[datetime]:
    """When tables come into force, and just before."""
    starts = [each.table.effective_from for each in configuration().book.versions()]
    return [
        start - before for start in starts for before in (timedelta(0), timedelta(microseconds=1))
    ]


def statement(**stated: object) -> Statement:
    """A completed statement of a customer."""
    fields: dict[str, object] = dict.fromkeys(Statement.__struct_fields__)
    fields |= {
        "request_id": "r", "key": RequestKey(bytes(16), "r"), "customer_id": "acme",
        "status": Status.COMPLETED, "occurred_at": AT, "stated": 0, "model": LLAMA,
        "provider": "fireworks", "key_type": "managed", "quantities": Quantities(845, 0, 412),
        "is_batch": False, "is_bound": False,
    }  # fmt: skip
    return Statement(**fields | stated)  # type: ignore[arg-type]


tokens = st.sampled_from([0, 1, 845, 200_000, 200_001, 10**12])
statements = st.builds(
    statement,
    model=st.deferred(lambda: st.sampled_from(models())),
    provider=st.sampled_from(["fireworks", "openai", "google", "anthropic", None]),
    key_type=st.sampled_from(["managed", "byok"]),
    occurred_at=st.deferred(lambda: st.sampled_from([AT, *changes_and_moments_beside_them()])),
    quantities=st.builds(
        Quantities, tokens, tokens, tokens, st.sampled_from([None, {"images": 2}])
    ),
    service_tier=st.sampled_from([None, "priority", "batch"]),
    is_batch=st.booleans(),
    meter_slug=st.sampled_from([None, "each", "huge", "unheard-of"]),
    is_bound=st.booleans(),
    response_id=st.sampled_from([None, "cmpl-1"]),
    reported_cost=st.sampled_from([None, Decimal("0.01")]),
    status=st.sampled_from([Status.COMPLETED, Status.COMPLETED, Status.PENDING]),
)


def split(known: KnownTerms, *several: Statement, asked: tuple[bytes, ...] = ()) -> Split:
    """A batch of lane 1, its 7th."""
    return known.split(several, 1, 7, lambda: SALT, asked)


def learned(stated: Statement, customer: int) -> tuple[KnownTerms, UsageEvent | None]:
    """The terms that a statement teaches, and its row as others get theirs; None where there is a fault."""
    known = KnownTerms(configuration())
    rated = rate_statement(stated, customer, configuration())
    if isinstance(rated, FieldError):
        return known, None
    known.learn(rated, customer, DIMENSION)
    worded = event_text(stated, customer, lambda: SALT)
    return known, usage_event(rated, customer, DIMENSION, 1, 7, worded and worded[1])


@given(statements, st.sampled_from([1, 2, 3]), st.tuples(tokens, tokens, tokens))
def test_its_like_gets_the_row_that_it_would_get(
    stated: Statement, customer: int, counts: tuple[int, int, int]
) -> None:
    """Whatever it says and whoever it is of; what is not regular is left to the others."""
    known, _ = learned(stated, customer)
    like = msgspec.structs.replace(stated, quantities=Quantities(*counts))
    made = split(known, like)
    _, expected = learned(like, customer)
    assert made.events in ([], [expected])
    assert (made.others, made.indexes) == (([], [0]) if made.events else ([0], []))


@given(statements)
def test_other_terms_are_not_taken_for_its_own(stated: Statement) -> None:
    """A statement that differs in anything but its counts has the row it would get, or none yet."""
    known, _ = learned(statement(), 1)
    made = split(known, stated)
    assert made.events in ([], [learned(stated, 1)[1]])


@pytest.mark.parametrize("customer", [1, 2, 3])
@pytest.mark.parametrize("bound", [False, True])
def test_usual_statements_are_regular(customer: int, *, bound: bool) -> None:
    """With and without a meter; else this would all be for nothing."""
    known, expected = learned(statement(is_bound=bound), customer)
    assert split(known, statement(is_bound=bound)).events == [expected]


def test_words_come_with_their_row() -> None:
    """Salted, and under the key of the row."""
    worded = statement(metadata={"feature": "chat"}, response_id="cmpl-1")
    known, expected = learned(worded, 3)
    made = split(known, worded)
    assert made.events == [expected]
    assert made.texts == [event_text(worded, 3, lambda: SALT)[0]]  # type: ignore[index]


def test_repeats_are_left_to_the_others_with_what_they_repeat() -> None:
    """Whichever of them is regular; their words with them."""
    known, _ = learned(statement(), 3)
    first = statement(key=RequestKey(b"1" * 16), response_id="one")
    second = statement(key=RequestKey(b"2" * 16), response_id="two")
    pending = msgspec.structs.replace(second, status=Status.PENDING)
    third = statement(key=RequestKey(b"3" * 16), response_id="three")
    made = split(known, first, second, third, first, pending)
    assert [event.request_id for event in made.events] == [b"3" * 16]
    assert (made.indexes, made.others) == ([2], [0, 1, 3, 4])
    assert [text.response_id for text in made.texts] == ["three"]


def test_what_somebody_asks_about_is_left_to_the_others() -> None:
    """They are rated one by one."""
    known, _ = learned(statement(), 3)
    first, second = (statement(key=RequestKey(bits * 16)) for bits in (b"1", b"2"))
    made = split(known, first, second, asked=(b"1" * 16,))
    assert (made.indexes, made.others) == ([1], [0])


def test_an_amount_that_is_too_large_is_left_to_the_others() -> None:
    """They name the field: of the cost, and of the fee on a cost that fits."""
    for slug, most in ((None, 20), ("huge", 2)):
        known, _ = learned(statement(meter_slug=slug), 3)
        assert split(
            known, statement(meter_slug=slug, quantities=Quantities(most * 10**12))
        ).others == [0]


def test_names_that_senders_choose_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known is bounded; beyond that it begins anew."""
    monkeypatch.setattr(regular_events, "MOST_KNOWN", 3)
    known = KnownTerms(configuration())
    for model in models():
        rated = rate_statement(statement(model=model), 3, configuration())
        assert not isinstance(rated, FieldError)
        known.learn(rated, 3, DIMENSION)
        assert len(known) <= 3
    assert len(known)


def test_a_model_priced_by_its_amount_of_input_is_never_regular() -> None:
    """What it costs does not follow from who asks alone."""
    provider, model = next(
        (each.table.provider, model)
        for each in configuration().book.versions()
        for model, rates in each.table.models.items()
        if any(len(tiers) > 1 for tiers in rates.combinations.values())
    )
    known, _ = learned(statement(provider=provider, model=model), 1)
    assert not len(known)
