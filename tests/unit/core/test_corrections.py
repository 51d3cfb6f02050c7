"""Corrections as pure arithmetic: negations, replacements, and which prices they keep."""

from decimal import Decimal
from typing import Any

import pytest

from ledger.core.adjustments import Standing, corrected, reversal
from ledger.core.errors import FieldError
from ledger.core.events import spend_pico, usage_event
from ledger.core.rating import RatedStatement
from ledger.core.usage.stated import StatedUsage
from pricing import RateBook, percentage_meter
from tests.unit.core.test_events import ACME, BOOK, published, rated

TENTH = percentage_meter("tenth", 1, "10")


def standing(**fields: Any) -> Standing:
    """A recorded request as it stands after intake."""
    answer = rated(**fields)
    event = usage_event(answer, ACME, 7, 1, 1)
    return Standing(event, answer.statement, answer.dimension, TENTH)


def correct(stands: Standing, book: RateBook = BOOK, **quantities: int) -> RatedStatement:
    """The new statement with other quantities."""
    answer = corrected(stands, StatedUsage(**quantities), book)
    assert isinstance(answer, RatedStatement), answer
    return answer


def test_a_reversal_is_the_exact_negation() -> None:
    """Every count, every amount, every unit; the sum with what it reverses is nothing."""
    stands = standing(
        model="pictures", provider="mm", input_tokens=10, images=2, reported_cost="0.50"
    )

    back = reversal(stands.event, 3, 9)

    assert (back.revision, back.kind, back.lane, back.batch) == (2, "reversal", 3, 9)
    assert (back.uncached_input_tokens, back.requests) == (-10, -1)
    assert back.other_units == '{"images":[-2,-20000000000]}'
    assert back.reported_cost == Decimal("-0.50")
    assert back.text_digest is None
    for key_type in ("managed", "byok"):
        assert spend_pico(back, key_type) == -spend_pico(stands.event, key_type)


def test_a_reversal_of_an_unrated_row_has_no_amounts() -> None:
    """Null stays null, and so do the amounts of its units; a reported cost of zero has no sign."""
    back = reversal(standing(model="none", images=3, reported_cost="0").event, 1, 2)

    assert (back.input_pico, back.fee_pico, back.unrated) == (None, None, -1)
    assert back.other_units == '{"images":[-3,null]}'
    assert str(back.reported_cost) == "0"
    assert spend_pico(back, "managed") == 0


def test_a_correction_keeps_the_table_and_the_meter() -> None:
    """Also when a newer table is in force for its time by now."""
    stands = standing(model="llama", provider="fw", input_tokens=10, output_tokens=5)
    newer = RateBook([*BOOK.versions(), published(9, "fw", '  llama: {input: "7", output: "7"}\n')])

    answer = correct(stands, newer, output_tokens=4)

    assert answer.dimension == stands.dimension
    assert (answer.rate_version, answer.meter_slug) == ("2026-10-01", "tenth")
    assert answer.costs is not None
    assert answer.costs.total_pico == 10 * 1_000_000 + 4 * 2_000_000
    assert answer.fee_pico == 1_800_000


def test_what_the_table_cannot_price_becomes_unrated() -> None:
    """It names no table then, and can be rated by whichever is known at the next correction."""
    stands = standing(model="llama", provider="fw", output_tokens=5)

    answer = correct(stands, images=1)

    assert (answer.is_unrated, answer.dimension.rate_version) == (True, None)
    assert (answer.rate_version, answer.fee_pico) == (None, None)


def test_what_was_unrated_is_rated_with_what_is_known_now() -> None:
    """The provider is looked for again, too; without any it stays unrated."""
    stands = standing(model="new", output_tokens=5)
    assert stands.dimension.provider is None
    book = RateBook([*BOOK.versions(), published(9, "zz", '  new: {output: "3"}\n')])

    answer = correct(stands, book, output_tokens=6)
    assert (answer.dimension.provider, answer.dimension.rate_version) == ("zz", 9)
    assert answer.fee_pico == 1_800_000
    assert correct(stands, output_tokens=6).is_unrated


def test_cached_tokens_stay_within_input() -> None:
    """Input includes them: less input than was cached is a fault, and so is more cached than input."""
    stands = standing(model="llama", provider="fw", input_tokens=10, cached_input_tokens=4)

    answer = correct(stands, input_tokens=4)
    assert (answer.quantities.uncached_input_tokens, answer.quantities.cached_input_tokens) == (
        0,
        4,
    )
    for quantities in ({"input_tokens": 3}, {"cached_input_tokens": 11}):
        fault = corrected(stands, StatedUsage(**quantities), BOOK)
        assert isinstance(fault, FieldError)
        assert (fault.field, fault.code) == ("cached_input_tokens", "exceeds_input_tokens")


def test_the_same_quantities_change_nothing() -> None:
    """Stated again, or stated as the zero that they are."""
    stands = standing(model="llama", provider="fw", input_tokens=10)

    assert corrected(stands, StatedUsage(input_tokens=10, images=0), BOOK) is None


def test_an_amount_beyond_range_names_its_quantity() -> None:
    """As at intake."""
    fault = corrected(
        standing(model="dear", provider="mm", input_tokens=1),
        StatedUsage(input_tokens=10**12),
        BOOK,
    )

    assert isinstance(fault, FieldError)
    assert (fault.field, fault.code) == ("input_tokens", "amount_out_of_range")


@pytest.mark.parametrize("revision", [1, 2, 3, 4])
def test_an_even_revision_is_a_void_until_something_is_stated_anew(revision: int) -> None:
    """What ends with a reversal is voided."""
    stands = standing(model="llama", provider="fw", input_tokens=10)
    later = Standing(
        stands.event._replace(revision=revision), stands.statement, stands.dimension, None
    )

    assert later.is_voided == (revision % 2 == 0)
