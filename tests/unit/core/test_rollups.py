"""Events fold into sums by customer, hour and dimension."""

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.core.rollups import fold_events
from ledger.core.rows import UsageEvent

TEN = datetime(2026, 10, 31, 10, tzinfo=UTC)
EVENT = UsageEvent(
    request_id=bytes(16), occurred_at=TEN, uncached_input_tokens=3, cached_input_tokens=4,
    output_tokens=5, input_pico=6, cached_input_pico=7, output_pico=8, other_pico=9, fee_pico=10,
    batch=1, lane=1, customer=1, dimension=1, stated=0, kind="usage", revision=1, requests=1,
    unrated=0, opaque_id=None, other_units=None, reported_cost=None, text_digest=None,
)  # fmt: skip


def event(**columns: Any) -> UsageEvent:
    """An event that differs in some columns."""
    return EVENT._replace(**columns)


def test_events_of_one_hour_and_dimension_are_one_row() -> None:
    """To the microsecond before the next hour; every other key is another row."""
    delta = fold_events(
        [
            event(),
            event(occurred_at=datetime(2026, 10, 31, 10, 59, 59, 999_999, tzinfo=UTC)),
            event(occurred_at=datetime(2026, 10, 31, 11, tzinfo=UTC)),
            event(customer=2),
            event(dimension=2),
        ]
    )
    once = [1, 0, 3, 4, 5, 6, 7, 8, 9, 10]
    assert delta.sums == {
        (1, TEN, 1): [2, 0, 6, 8, 10, 12, 14, 16, 18, 20],
        (1, TEN.replace(hour=11), 1): once,
        (2, TEN, 1): once,
        (1, TEN, 2): once,
    }
    assert delta.units == {}


def test_amounts_that_are_null_count_zero() -> None:
    """An unrated request is counted as one and owes nothing yet."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("input_pico", "cached_input_pico", "output_pico", "other_pico", "fee_pico")
    )
    unrated = event(unrated=1, **nothing)
    delta = fold_events([unrated, event(), unrated])
    assert delta.sums == {(1, TEN, 1): [3, 2, 9, 12, 15, 6, 7, 8, 9, 10]}
    assert fold_events([unrated]).sums == {(1, TEN, 1): [1, 1, 3, 4, 5, 0, 0, 0, 0, 0]}


def test_first_sightings_add_nothing() -> None:
    """Not even an empty row."""
    delta = fold_events([event(revision=0, kind="pending", requests=0)])
    assert (delta.sums, delta.units, delta.touched_months) == ({}, {}, set())


def test_other_units_are_summed_by_name() -> None:
    """Quantity and amount; a unit without a price adds its quantity."""
    delta = fold_events(
        [
            event(other_units='{"images":[2,50]}'),
            event(other_units='{"images":[1,null],"gpu_seconds":[500000,7]}'),
            event(other_units='{"images":[-2,-50]}', revision=2, requests=-1),
        ]
    )
    assert delta.units == {(1, TEN, 1, "images"): [1, 0], (1, TEN, 1, "gpu_seconds"): [500_000, 7]}


def test_the_months_that_are_moved_are_told() -> None:
    """By customer and the first day of the month in UTC."""
    november = datetime(2026, 11, 1, tzinfo=UTC)
    delta = fold_events([event(), event(occurred_at=november), event(customer=2, dimension=9)])
    assert delta.touched_months == {
        (1, date(2026, 10, 1)), (1, date(2026, 11, 1)), (2, date(2026, 10, 1)),
    }  # fmt: skip


counts = st.integers(-(10**12), 10**12)
events = st.builds(
    event,
    customer=st.integers(1, 2),
    dimension=st.integers(1, 2),
    requests=st.sampled_from([-1, 1]),
    input_pico=st.none() | counts,
    output_tokens=counts,
)


@given(st.lists(events), st.lists(events))
def test_folding_is_adding(some: list[UsageEvent], more: list[UsageEvent]) -> None:
    """The fold of two lists is the sum of their folds, in any order."""
    whole = fold_events(more + some).sums
    one, other = fold_events(some).sums, fold_events(more).sums
    zeros = [0] * 10
    assert whole == {
        key: [a + b for a, b in zip(one.get(key, zeros), other.get(key, zeros), strict=True)]
        for key in one.keys() | other.keys()
    }
