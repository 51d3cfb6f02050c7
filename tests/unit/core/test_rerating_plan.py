"""Re-rating as pure arithmetic: what changes, what is kept and why, and where to look."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from ledger.core.adjustments import Standing, reversal
from ledger.core.events import usage_event
from ledger.core.instants import HOUR
from ledger.core.rating import RatedStatement
from ledger.core.rerating import (
    Difference,
    Differences,
    Figures,
    Kept,
    could_be_rated,
    left_out,
    plan_rerating,
    rerated,
    stretches,
)
from ledger.core.rows import Dimension
from pricing import RateBook, percentage_meter
from tests.unit.core.test_events import ACME, BETA, BOOK, published, rated

TENTH = percentage_meter("tenth", 1, "10")
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
MIDNIGHT = datetime(2026, 10, 31, tzinfo=UTC)


def standing(customer: int = ACME, revision: int = 1, **fields: Any) -> Standing:
    """A recorded request as it stands after intake, by the tables of `BOOK`."""
    answer = rated(customer, **fields)
    event = usage_event(answer, customer, 7, 1, 1, revision=revision)
    meter = TENTH if customer == ACME else None
    return Standing(event, answer.statement, answer.dimension, meter)


def book_with(models: str, provider: str = "fw", since: str = "2026-10-15") -> RateBook:
    """The tables of `BOOK`, and one more that is in force in November."""
    return RateBook([*BOOK.versions(), published(9, provider, models, since)])


def test_a_newer_table_prices_it_anew_and_the_fee_follows() -> None:
    """10 input tokens at 3 instead of 1 per million; the meter stays, 10 % of the new cost."""
    stands = standing(model="llama", input_tokens=10)

    answer = rerated(stands, book_with('  llama: {input: "3", output: "3"}\n'))

    assert isinstance(answer, RatedStatement)
    assert answer.costs is not None
    assert (answer.costs.total_pico, answer.fee_pico) == (30_000_000, 3_000_000)
    assert answer.dimension == stands.dimension._replace(rate_version=9)


def test_the_same_table_changes_nothing() -> None:
    """Nor does a table of another time, or none for what is unrated."""
    later = book_with('  llama: {input: "3", output: "3"}\n', since="2026-11-02")

    assert rerated(standing(model="llama", input_tokens=10), BOOK) is Kept.SAME
    assert rerated(standing(model="llama", input_tokens=10), later) is Kept.SAME
    assert rerated(standing(model="unheard-of", input_tokens=10), later) is Kept.SAME


def test_a_newer_version_of_the_same_prices_changes_nothing() -> None:
    """Nor does another id that it bills as: what it comes to is the same."""
    stands = standing(model="llama", input_tokens=10)
    same = book_with('  llama: {input: "1", output: "1"}\n  other: {input: "2"}\n')
    by_another = book_with('  big: {input: "1", output: "1"}\naliases: {llama: big}\n')

    assert rerated(stands, same) is Kept.SAME
    assert rerated(stands, by_another) is Kept.SAME


def test_a_price_is_never_lost() -> None:
    """A table in force that does not list the model, or one of its units, leaves the price it has."""
    assert (
        rerated(standing(model="llama", input_tokens=10), book_with('  other: {input: "1"}\n'))
        is Kept.LOSING
    )
    assert (
        rerated(standing(model="llama", output_tokens=1), book_with('  llama: {input: "1"}\n'))
        is Kept.LOSING
    )


def test_an_amount_that_does_not_fit_is_kept() -> None:
    """What costs more than an amount can hold cannot be stored."""
    dear = book_with('  llama: {input: "1000000", output: "1"}\n')

    assert rerated(standing(model="llama", input_tokens=10**10), dear) is Kept.UNFIT


def test_what_counts_nothing_is_not_looked_at() -> None:
    """Voided, or not completed."""
    dearer = book_with('  llama: {input: "3", output: "3"}\n')
    stands = standing(model="llama", input_tokens=10)
    voided = msgspec.structs.replace(stands, event=reversal(stands.event, 1, 2))
    pending = standing(model="llama", status="pending")

    assert rerated(voided, dearer) is Kept.SAME
    assert rerated(pending, dearer) is Kept.SAME


def test_a_plan_sums_up_by_customer_and_model_what_changes() -> None:
    """In the order of keys.

    | customer | model | requests | changed | losing | unfit | unrated      | spend before | after   |
    | acme     | llama | 2        | 1       | 0      | 1     | 0            | 11 + 1.1e10  | 33 + .. |
    | acme     | old   | 1        | 0       | 1      | 0     | 0            | 11           | 11      |
    | acme     | new   | 1        | 1       | 0      | 0     | 1 -> 0       | 0            | 22      |
    | beta     | llama | 1        | 1       | 0      | 0     | 0            | 0 (byok)     | 0       |
    """
    old = standing(model="llama", input_tokens=10, timestamp="2026-09-01T00:00:00Z")
    book = RateBook(
        [
            *BOOK.versions(),
            published(
                9,
                "fw",
                '  llama: {input: "1000", output: "1"}\n  new: {input: "2"}\n',
                "2026-10-15",
            ),
        ]
    )
    changing = standing(request_id="c", model="llama", input_tokens=10)
    unfit = standing(request_id="u", model="llama", input_tokens=10**10)
    fresh = standing(request_id="n", model="new", provider="fw", input_tokens=10)
    losing = msgspec.structs.replace(
        standing(request_id="l", model="llama", input_tokens=10),
        dimension=Dimension("fw", "old", "managed", None, False, 1, 11),
        statement=msgspec.structs.replace(old.statement, model="old", occurred_at=NOVEMBER),
    )
    beta = standing(BETA, request_id="b", model="llama", input_tokens=10, provider_key_type="byok")

    plan = plan_rerating([beta, unfit, losing, fresh, changing], book)

    keys = [(each.event.request_id, each.event.customer) for each, _ in plan.changes]
    assert keys == sorted(keys)
    assert len(keys) == 3
    llama = plan.differences.groups[ACME, "llama"]
    assert (llama.requests, llama.changed, llama.losing, llama.does_not_fit) == (2, 1, 0, 1)
    kept = Figures(10**16, 10**15, 11 * 10**15)
    assert llama.before == Figures(10**16 + 10**7, 10**15 + 10**6, kept.spend_pico + 11 * 10**6)
    assert llama.after == Figures(10**16 + 10**10, 10**15 + 10**9, kept.spend_pico + 11 * 10**9)
    assert plan.differences.groups[ACME, "old"].losing == 1
    assert plan.differences.groups[ACME, "new"].before == Figures(unrated=1)
    assert plan.differences.groups[ACME, "new"].after == Figures(20_000_000, 2_000_000, 22_000_000)
    byok = plan.differences.groups[BETA, "llama"]
    assert (byok.before, byok.after) == (Figures(10**7), Figures(10**10))
    assert plan.differences.total().changed == 3


def test_what_is_kept_as_it_is_is_counted_too() -> None:
    """One request looked at, nothing notable about it."""
    plan = plan_rerating([standing(model="llama", input_tokens=10)], BOOK)

    figures = Figures(10_000_000, 1_000_000, 11_000_000)
    assert plan.changes == []
    assert plan.differences.total() == Difference(1, 0, 0, 0, figures, figures)


def test_differences_add_up_group_by_group() -> None:
    """Those of two chunks are those of both; what only one has is taken over."""
    dearer = book_with('  llama: {input: "3", output: "3"}\n')
    one = plan_rerating([standing(model="llama", input_tokens=10)], dearer).differences
    two = plan_rerating(
        [standing(BETA, model="llama", input_tokens=10), standing(model="llama", input_tokens=20)],
        dearer,
    ).differences

    total = Differences()
    total.add(one)
    total.add(two)

    assert total.groups[ACME, "llama"] == Difference(
        2, 2, 0, 0, Figures(30_000_000, 3_000_000, 33_000_000), Figures(90_000_000, 9_000_000, 99_000_000)
    )  # fmt: skip
    assert total.groups[BETA, "llama"].after.cost_pico == 30_000_000
    assert total.total().requests == 3
    assert total.total().is_notable
    assert not Difference(requests=5).is_notable


def test_what_cannot_be_stored_is_counted_and_stays() -> None:
    """Before and after are the same."""
    differences = left_out(standing(model="llama", input_tokens=10))

    figures = Figures(10_000_000, 1_000_000, 11_000_000)
    assert differences.total() == Difference(1, 0, 0, 1, figures, figures)


@pytest.mark.parametrize(
    ("dimension", "hour_at", "expected"),
    [
        ({"provider": "fw", "model": "llama"}, NOVEMBER, True),
        ({"provider": "fw", "model": "unheard-of"}, NOVEMBER, False),
        ({"provider": "nobody", "model": "llama"}, NOVEMBER, False),
        ({"provider": "fw", "model": None}, NOVEMBER, False),
        ({"provider": None, "model": "llama"}, NOVEMBER, True),  # one provider lists it
        ({"provider": None, "model": "both"}, NOVEMBER, False),  # two do
        ({"provider": "fw", "model": "llama", "service_tier": "priority"}, NOVEMBER, False),
        ({"provider": "fw", "model": "llama"}, datetime(2025, 12, 31, 23, tzinfo=UTC), False),
        # The table comes into force within the hour.
        ({"provider": "zz", "model": "late"}, MIDNIGHT, True),
        ({"provider": "zz", "model": "late"}, MIDNIGHT - HOUR, False),
        ({"provider": "zz", "model": "late"}, MIDNIGHT + HOUR, True),
    ],
)
def test_where_unrated_requests_may_have_a_price(
    dimension: dict[str, Any], hour_at: datetime, *, expected: bool
) -> None:
    """By the tables in force at any instant of the hour."""
    late = published(9, "zz", '  late: {input: "1"}\n', "2026-10-31")
    table = msgspec.structs.replace(
        late.table, effective_from=late.table.effective_from + timedelta(minutes=30)
    )
    book = RateBook([*BOOK.versions(), msgspec.structs.replace(late, table=table)])
    words = {"key_type": "managed", "service_tier": None, "is_batch": False}
    stated = Dimension(rate_version=None, meter_version=None, **(words | dimension))

    assert could_be_rated(stated, hour_at, book) is expected


def test_time_is_cut_where_requests_lie() -> None:
    """Hours are gathered up to a number of requests; a full one stands alone; the ends are those asked for.

    | hour     | 0  | 1     | 1 | 5 | 6   | 7 |
    | requests | 10 | 80, 5 |   | 6 | 500 | 1 |
    """
    hours = [
        (MIDNIGHT + number * HOUR, requests)
        for number, requests in ((0, 10), (1, 80), (1, 5), (5, 6), (6, 500), (7, 1))
    ]
    start_at, end_at = MIDNIGHT + HOUR / 2, MIDNIGHT + 7 * HOUR + HOUR / 4

    assert stretches(hours, start_at, end_at, 100) == [
        (start_at, MIDNIGHT + 2 * HOUR),
        (MIDNIGHT + 5 * HOUR, MIDNIGHT + 6 * HOUR),
        (MIDNIGHT + 6 * HOUR, MIDNIGHT + 7 * HOUR),
        (MIDNIGHT + 7 * HOUR, end_at),
    ]


def test_an_hour_is_never_cut() -> None:
    """However many entries it has, it is in one stretch: nothing is read twice."""
    hours = [(MIDNIGHT, 80), (MIDNIGHT, 80), (MIDNIGHT, 80)]

    assert stretches(hours, MIDNIGHT, MIDNIGHT + HOUR, 100) == [(MIDNIGHT, MIDNIGHT + HOUR)]
    assert stretches([], MIDNIGHT, MIDNIGHT + HOUR, 100) == []
