"""Windows in UTC, thresholds crossed at >=, and the alerts that follow."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.instants import parse_instant_or_date
from ledger.core.limits import (
    TOTAL_START,
    Movement,
    SpendLimit,
    Window,
    check_thresholds,
    crossing_alerts,
    is_watched,
    movements,
    reached_thresholds,
    window_of,
)
from pricing import parse_amount

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LIMIT = SpendLimit(
    limit_id="cap",
    customer=7,
    amount_pico=parse_amount("100"),
    window_kind="month",
    thresholds=("0.5", "0.8", "1"),
    action="alert",
    watched_from=NOW,
)
NOVEMBER = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("kind", "instant", "start", "end"),
    [
        ("day", "2026-11-20T00:00:00Z", "2026-11-20", "2026-11-21"),
        ("day", "2026-11-20T23:59:59.999999Z", "2026-11-20", "2026-11-21"),
        ("day", "2026-12-31T12:00:00Z", "2026-12-31", "2027-01-01"),
        ("day", "2028-02-28T12:00:00Z", "2028-02-28", "2028-02-29"),
        ("week", "2026-11-16T00:00:00Z", "2026-11-16", "2026-11-23"),  # a Monday
        ("week", "2026-11-15T23:59:59.999999Z", "2026-11-09", "2026-11-16"),  # a Sunday
        ("week", "2027-01-01T00:00:00Z", "2026-12-28", "2027-01-04"),
        ("week", "2028-03-01T00:00:00Z", "2028-02-28", "2028-03-06"),  # across a leap day
        ("week", "0001-01-01T00:00:00Z", "0001-01-01", "0001-01-08"),
        ("month", "2026-11-30T23:59:59.999999Z", "2026-11-01", "2026-12-01"),
        ("month", "2026-12-01T00:00:00Z", "2026-12-01", "2027-01-01"),
        ("month", "2028-02-29T00:00:00Z", "2028-02-01", "2028-03-01"),
        ("month", "2026-01-31T00:00:00Z", "2026-01-01", "2026-02-01"),
    ],
)
def test_an_instant_lies_in_one_window(kind: str, instant: str, start: str, end: str) -> None:
    """Half-open, in UTC, weeks from Monday."""
    window = window_of(kind, parse_instant_or_date(instant))
    assert window == Window(parse_instant_or_date(start), parse_instant_or_date(end))


def test_the_window_of_a_total_never_ends() -> None:
    """Whatever happened when, it counts there."""
    assert window_of("total", NOW) == Window(TOTAL_START, None)


@given(
    st.sampled_from(["day", "week", "month"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - made aware below
)
def test_windows_leave_no_gap(kind: str, moment: datetime) -> None:
    """The end of a window is the start of the next, and an instant lies within its own."""
    window = window_of(kind, moment.replace(tzinfo=UTC))
    assert window.end_at is not None
    assert window.start_at <= moment.replace(tzinfo=UTC) < window.end_at
    assert window_of(kind, window.end_at).start_at == window.end_at
    assert window_of(kind, window.end_at - timedelta(microseconds=1)) == window


@pytest.mark.parametrize(
    ("window", "watched"),
    [
        (Window(TOTAL_START, None), True),
        (NOVEMBER, True),
        (Window(NOW - timedelta(days=1), NOW + timedelta(microseconds=1)), True),
        (Window(NOW - timedelta(days=1), NOW), False),
        (Window(NOW, NOW + timedelta(days=1)), True),
    ],
)
def test_windows_that_were_closed_before_are_not_watched(window: Window, *, watched: bool) -> None:
    """A limit set at noon does not look at what ended by then."""
    assert is_watched(LIMIT, window) is watched


def test_spend_is_summed_by_limit_and_window_in_the_order_of_locks() -> None:
    """Customer, limit, window: what is closed or has no limit moves nothing."""
    day = msgspec.structs.replace(LIMIT, limit_id="a-day", window_kind="day")
    other = msgspec.structs.replace(LIMIT, limit_id="z", customer=3)
    yesterday, later = NOW - timedelta(days=1), NOW + timedelta(days=1)
    moved = movements(
        [
            (7, later, 10),
            (7, NOW, 1),
            (7, NOW, 2),
            (7, yesterday, 4),  # its day is over, its month is not
            (3, NOW, 8),
            (5, NOW, 99),
        ],
        {7: (LIMIT, day), 3: (other,)},
    )
    assert moved == [
        Movement(other, NOVEMBER, 8),
        Movement(day, window_of("day", NOW), 3),
        Movement(day, window_of("day", later), 10),
        Movement(LIMIT, NOVEMBER, 17),
    ]


@pytest.mark.parametrize(
    ("spend_pico", "reached"),
    [
        (0, []),
        (parse_amount("50") - 1, []),
        (parse_amount("50"), ["0.5"]),
        (parse_amount("80") - 1, ["0.5"]),
        (parse_amount("80"), ["0.5", "0.8"]),
        (parse_amount("100") - 1, ["0.5", "0.8"]),
        (parse_amount("100"), ["0.5", "0.8", "1"]),
        (parse_amount("1000"), ["0.5", "0.8", "1"]),
        (-1, []),
    ],
)
def test_a_threshold_is_reached_at_its_share_exactly(spend_pico: int, reached: list[str]) -> None:
    """>=, to the last pico unit."""
    assert reached_thresholds(LIMIT, spend_pico) == reached


def test_a_share_that_does_not_divide_is_compared_without_rounding() -> None:
    """A third of three pico units and a bit is reached at two of them, not at one."""
    limit = msgspec.structs.replace(LIMIT, amount_pico=3, thresholds=("0.333333333334",))
    assert reached_thresholds(limit, 1) == []
    assert reached_thresholds(limit, 2) == ["0.333333333334"]


def test_a_movement_raises_what_it_takes_the_window_across() -> None:
    """What was reached before is not raised again, and nothing on the way down."""

    def crossed(spend: str, after: str) -> list[str]:
        movement = Movement(LIMIT, NOVEMBER, parse_amount(spend))
        return [it.threshold for it in crossing_alerts(movement, parse_amount(after), NOW)]

    assert crossed("50", "50") == ["0.5"]
    assert crossed("0.000000000001", "50") == ["0.5"]
    assert crossed("1", "51") == []
    assert crossed("90", "100") == ["0.5", "0.8", "1"]
    assert crossed("-60", "40") == []


def test_an_alert_has_one_id_for_what_it_is() -> None:
    """Crossed again after a correction it is the same alert; another amount is another one."""
    [first] = crossing_alerts(Movement(LIMIT, NOVEMBER, 1), parse_amount("50"), NOW)
    [again] = crossing_alerts(
        Movement(LIMIT, NOVEMBER, parse_amount("2")), parse_amount("51"), NOW + timedelta(days=1)
    )
    assert first.alert_id == again.alert_id
    assert len(first.alert_id) == 36
    others = [
        (msgspec.structs.replace(LIMIT, amount_pico=parse_amount("90")), NOVEMBER),
        (msgspec.structs.replace(LIMIT, customer=8), NOVEMBER),
        (msgspec.structs.replace(LIMIT, limit_id="other"), NOVEMBER),
        (LIMIT, window_of("month", NOVEMBER.end_at or NOW)),
    ]
    ids = {
        crossing_alerts(Movement(limit, window, parse_amount("51")), parse_amount("51"), NOW)[
            0
        ].alert_id
        for limit, window in others
    }
    assert len(ids | {first.alert_id}) == 5


@pytest.mark.parametrize(
    ("thresholds", "checked"),
    [
        (["1", "0.50", "0.8"], ("0.5", "0.8", "1")),
        (["10"], ("10",)),
        (["1.0", "0.000000000001"], ("0.000000000001", "1")),
        ([f"0.{n:02}" for n in range(1, 21)], tuple(f"0.{n:02}".rstrip("0") for n in range(1, 21))),
    ],
)
def test_thresholds_come_in_ascending_order_and_one_spelling(
    thresholds: list[str], checked: tuple[str, ...]
) -> None:
    """So that one threshold has one alert."""
    assert check_thresholds(thresholds) == checked


@pytest.mark.parametrize(
    "thresholds",
    [
        [],
        ["0"],
        ["-0.5"],
        ["10.000000000001"],
        ["0.5", "0.50"],  # the same twice
        ["half"],
        ["1e1"],
        ["NaN"],
        ["0.0000000000001"],
        [f"0.{n:02}" for n in range(1, 22)],
    ],
)
def test_thresholds_outside_the_rule_are_refused(thresholds: list[str]) -> None:
    """1 to 20 different decimals above 0 and at most 10."""
    with pytest.raises(ValueError, match="1 to 20 different decimal shares"):
        check_thresholds(thresholds)


def test_windows_of_months_whose_fees_move_are_judged() -> None:
    """They move by nothing, or by what was spent; days and weeks hold no month, closed ones are left out."""
    kinds = ("day", "week", "month", "total")
    limits = {
        7: tuple(msgspec.structs.replace(LIMIT, limit_id=kind, window_kind=kind) for kind in kinds)
    }
    months = {
        (7, date(2026, 12, 1)),
        (7, date(2026, 11, 1)),
        (7, date(2026, 10, 1)),
        (8, date(2026, 11, 1)),
    }
    moved = movements([(7, NOW, 5)], limits, months)
    assert [(move.limit.limit_id, move.window.start_at, move.spend_pico) for move in moved] == [
        ("day", NOW.replace(hour=0), 5),
        ("month", datetime(2026, 11, 1, tzinfo=UTC), 5),
        ("month", datetime(2026, 12, 1, tzinfo=UTC), 0),
        ("total", TOTAL_START, 5),
        ("week", datetime(2026, 11, 16, tzinfo=UTC), 5),
    ]
