"""Spend questions and the merging of what answers them."""

from datetime import UTC, date, datetime

import pytest

from ledger.core import spend
from ledger.core.configuration import PublishedMeter
from ledger.core.errors import InvalidParameter, TooManyRows
from ledger.core.instants import split_at_hours
from ledger.core.spend import (
    GROUPINGS,
    Group,
    SpendFigures,
    SpendQuery,
    SpendRow,
    merge,
    spend_query,
    tiered_rows,
)
from ledger.core.tiered_fees import TieredFee
from pricing import Meter, MeterTier

START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)


def test_a_question_is_brought_into_form() -> None:
    """`unmanaged` is asked for as `byok`, as columns say."""
    question = spend_query(
        START, END, ["day", "model"], customers=["acme"], providers=["p"], models=["m"],
        key_types=["unmanaged", "managed"],
    )  # fmt: skip
    assert question == SpendQuery(
        split_at_hours(START, END), ("day", "model"), ("acme",), ("p",), ("m",), ("byok", "managed")
    )
    assert spend_query(START, END, GROUPINGS).group_by == GROUPINGS


@pytest.mark.parametrize(
    ("arguments", "field", "rule"),
    [
        ((END, START), "to", "must be later than from"),
        ((START, START), "to", "must be later than from"),
        ((START, END, ["week"]), "group_by", "must be some of customer, provider, model"),
        ((START, END, ["day", "day"]), "group_by", "must not name a grouping twice"),
        ((LAST, LAST.replace(minute=59)), "from", "must lie before the last hour of year 9999"),
    ],
)
def test_a_question_outside_the_rules_is_refused(
    arguments: tuple[datetime, datetime], field: str, rule: str
) -> None:
    """The parameter and the rule are named."""
    with pytest.raises(InvalidParameter) as refusal:
        spend_query(*arguments)
    [error] = refusal.value.errors
    assert error.field == field
    assert rule in error.detail


def test_an_unknown_key_type_is_refused() -> None:
    """`stored` is a word of records, not of answers."""
    with pytest.raises(InvalidParameter, match="key_type: must be managed or byok"):
        spend_query(START, END, key_types=["stored"])


def figures(requests: int = 1, spend_pico: int = 0, **units: int) -> SpendFigures:
    """Figures of which only some matter."""
    return SpendFigures(requests=requests, spend_pico=spend_pico, units=units)


def test_rows_are_sorted_bytewise_with_unknown_last() -> None:
    """Capitals before small letters, é after z, null at the end, each column in turn."""
    query = spend_query(START, END, ["provider", "model"])
    groups: list[Group] = [
        (None, None), ("é", "a"), ("a", None), ("", "a"), ("z", "a"), ("a", "b"), ("Z", "a"),
        (None, "a"), ("a", "a"), ("𝄞", "a"), ("ﬀ", "a"),
    ]  # fmt: skip
    answer = merge(query, [SpendRow(group, figures()) for group in groups], "now")
    assert [row.group for row in answer.rows] == [
        ("", "a"), ("Z", "a"), ("a", "a"), ("a", "b"), ("a", None), ("z", "a"), ("é", "a"),
        ("ﬀ", "a"), ("𝄞", "a"), (None, "a"), (None, None),
    ]  # fmt: skip
    assert (answer.query, answer.as_of) == (query, "now")


def test_what_rollups_and_log_say_about_one_group_is_added() -> None:
    """Every figure and every unit; the totals are the sum of all."""
    query = spend_query(START, END, ["model"])
    parts = [
        SpendRow(("m",), SpendFigures(1, 2, 3, 4, 5, 6, 7, 8, {"images": 9})),
        SpendRow(
            ("m",), SpendFigures(10, 20, 30, 40, 50, 60, 70, 80, {"images": 90, "gpu_seconds": 1})
        ),
        SpendRow(("n",), figures(100)),
    ]
    answer = merge(query, parts, "now")
    both = SpendFigures(11, 22, 33, 44, 55, 66, 77, 88, {"images": 99, "gpu_seconds": 1})
    assert answer.rows == (SpendRow(("m",), both), SpendRow(("n",), figures(100)))
    assert answer.totals.requests == 111
    assert answer.totals.units == {"images": 99, "gpu_seconds": 1}


def test_there_are_no_empty_rows() -> None:
    """What cancels out leaves no row; a unit alone is enough for one."""
    query = spend_query(START, END, ["model"])
    parts = [
        SpendRow(("gone",), figures(1, 5, images=1)),
        SpendRow(("gone",), figures(-1, -5, images=-1)),
        SpendRow(("unit",), figures(0, images=1)),
        SpendRow(("spend",), figures(0, 1)),
    ]
    answer = merge(query, parts, "now")
    assert [row.group for row in answer.rows] == [("spend",), ("unit",)]
    assert merge(query, [], "now").rows == ()


def test_an_answer_has_a_bounded_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are allowed, and not one more; empty ones do not count."""
    monkeypatch.setattr(spend, "MAX_ROWS", 2)
    query = spend_query(START, END, ["model"])
    parts = [
        SpendRow(("a",), figures()),
        SpendRow(("b",), figures()),
        SpendRow(("c",), figures(0)),
    ]
    assert len(merge(query, parts, "now").rows) == 2
    with pytest.raises(TooManyRows, match="more than 2 rows"):
        merge(query, [*parts, SpendRow(("d",), figures())], "now")


def fee(slug: str, month: date, fee_pico: int, version: int = 1) -> TieredFee:
    """A tiered fee of customer 7."""
    tiers = (MeterTier(0, "1"),)
    meter = Meter(slug, version, "volume", unit="requests", tiers=tiers, period="month")
    return TieredFee(7, PublishedMeter(version, meter), month, 0, 1, fee_pico)


def test_tiered_fees_are_rows_of_their_own() -> None:
    """Known by customer and month alone, the versions of a meter added up, behind what is used."""
    query = spend_query(START, END, ["month", "model", "customer"])
    october, november = date(2026, 10, 1), date(2026, 11, 1)
    fees = [fee("pro", october, 5), fee("pro", october, 6, 2), fee("pro", november, 9)]
    fees += [fee("basic", november, 1)]
    rows = tiered_rows(query, fees, {7: "acme"})
    used = SpendRow(("2026-11", None, "acme"), figures(1, 4))
    answer = merge(query, [*rows, used], "now")
    assert [(row.group, row.meter, row.figures.spend_pico) for row in answer.rows] == [
        (("2026-10", None, "acme"), "pro", 11),
        (("2026-11", None, "acme"), None, 4),
        (("2026-11", None, "acme"), "basic", 1),
        (("2026-11", None, "acme"), "pro", 9),
    ]
    assert (answer.totals.fee_pico, answer.totals.spend_pico, answer.totals.requests) == (21, 25, 1)


def test_a_question_for_models_is_not_one_for_tiered_fees() -> None:
    """They have no provider, model or type of key; a customer they have."""
    assert spend_query(START, END, GROUPINGS, customers=["acme"]).asks_for_tiered_fees
    for words in ({"providers": ["p"]}, {"models": ["m"]}, {"key_types": ["byok"]}):
        assert not spend_query(START, END, **words).asks_for_tiered_fees
