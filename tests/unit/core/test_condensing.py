"""Sums of fewer rows, worked out by hand."""

from datetime import UTC, date, datetime

import pytest

from ledger.core.condensing import days_before, sums_of_lane, whole_days

DAY = date(2026, 11, 19)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_customers_are_added_up_by_hour_and_dimension() -> None:
    """Of lane 3.

    | customer | hour | dimension | requests, tokens |
    | 1        | 10   | 5         | 1, 100           |
    | 2        | 10   | 5         | 2, 200           |
    | 2        | 10   | 6         | -1, -7           |
    | 2        | 11   | 5         | 4, 1             |
    """
    sums = {
        (1, at(20, 10), 5): [1, 100],
        (2, at(20, 10), 5): [2, 200],
        (2, at(20, 10), 6): [-1, -7],
        (2, at(20, 11), 5): [4, 1],
    }
    before = {key: list(row) for key, row in sums.items()}
    assert sums_of_lane(sums, 3) == {
        (at(20, 10), 5, 3): [3, 300],
        (at(20, 10), 6, 3): [-1, -7],
        (at(20, 11), 5, 3): [4, 1],
    }
    assert sums == before


def test_units_keep_their_names() -> None:
    sums = {(1, at(20), 5, "images"): [1, 2], (2, at(20), 5, "images"): [3, 4]}
    assert sums_of_lane(sums, 1) == {(at(20), 5, "images", 1): [4, 6]}


def test_only_days_before_the_horizon_are_marked_and_those_of_everybody_too() -> None:
    keys = [(7, at(18, 23), 1), (7, at(18, 1), 2), (8, at(19, 0), 1), (9, at(17, 5), 1)]
    assert days_before(keys, DAY) == {
        (7, date(2026, 11, 18)),
        (9, date(2026, 11, 17)),
        (0, date(2026, 11, 18)),
        (0, date(2026, 11, 17)),
    }
    assert days_before(keys, date(2026, 11, 17)) == set()


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (at(1), at(5), (at(1), at(5))),
        (at(1, 1), at(5, 1), (at(2), at(5))),
        (at(1), at(30), (at(1), at(19))),  # no further than is condensed
        (at(18, 23), at(19, 1), (at(18, 23), at(18, 23))),
        (at(3, 1), at(3, 23), (at(3, 1), at(3, 1))),
        (at(25), at(30), (at(25), at(25))),
    ],
)
def test_the_whole_days_of_a_span(
    start: datetime, end: datetime, days: tuple[datetime, datetime]
) -> None:
    assert whole_days(start, end, DAY) == days


def test_the_end_of_all_time_overflows_nothing() -> None:
    last = datetime(9999, 12, 31, 22, tzinfo=UTC)
    assert whole_days(last, last, DAY) == (last, last)
