"""Terms that are remembered price as terms worked out anew."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import known_terms
from ledger.core.configuration import Configuration, PublishedMeter
from ledger.core.errors import FieldError
from ledger.core.known_terms import rate_by_known_terms
from ledger.core.rating import rate_statement
from ledger.core.request_ids import RequestKey
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

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
LLAMA = "accounts/fireworks/models/llama-v3p3-70b-instruct"
METERS = {
    1: PublishedMeter(1, percentage_meter("tenth", 1, "10")),
    2: PublishedMeter(2, Meter("each", 1, "fixed", unit="requests", rate="0.01")),
    3: PublishedMeter(3, percentage_meter("huge", 1, "1000")),
}


@cache
def configuration() -> Configuration:
    """Every shipped table; customer 1 has a percentage, 2 a fixed fee, 3 nothing. Kept, to remember terms."""
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
    status=st.sampled_from([Status.COMPLETED, Status.COMPLETED, Status.PENDING]),
)


@given(statements, st.sampled_from([1, 2, 3]))
def test_what_is_remembered_is_what_would_be_worked_out(stated: Statement, customer: int) -> None:
    """The first time and the second, whatever was asked before; faults and all."""
    known = configuration()
    expected = rate_statement(stated, customer, known)
    assert rate_by_known_terms(stated, customer, known) == expected
    assert rate_by_known_terms(stated, customer, known) == expected


def test_an_amount_that_is_too_large_names_the_field_all_the_same() -> None:
    """The terms are known, and so is the fault: of the cost, and of the fee on a cost that fits."""
    known = configuration()
    for customer, slug in ((3, None), (3, "huge")):
        rate_by_known_terms(statement(meter_slug=slug), customer, known)
        quantities = Quantities(10**12 * (20 if slug is None else 2), 0, 0)
        fault = rate_by_known_terms(
            statement(meter_slug=slug, quantities=quantities), customer, known
        )
        assert isinstance(fault, FieldError)
        assert (fault.field, fault.code) == ("input_tokens", "amount_out_of_range")


def test_names_that_senders_choose_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known is bounded; beyond that it begins anew."""
    monkeypatch.setattr(known_terms, "MOST_KNOWN", 3)
    known = Configuration(1, configuration().book, {}, {}, {})
    for customer in range(1, 9):
        rate_by_known_terms(statement(), customer, known)
        assert len(known.known_terms) <= 3
    assert known.known_terms


def test_a_model_priced_by_its_amount_of_input_is_never_remembered() -> None:
    """What it costs does not follow from who asks alone."""
    known = Configuration(1, configuration().book, {}, {}, {})
    tiered = next(
        (each.table.provider, model)
        for each in known.book.versions()
        for model, rates in each.table.models.items()
        if any(len(tiers) > 1 for tiers in rates.combinations.values())
    )
    rate_by_known_terms(statement(provider=tiered[0], model=tiered[1]), 1, known)
    assert not known.known_terms
