"""The second model against figures worked by hand: it audits, so something must audit it.

Unless a test says otherwise the table says 0.90 for 1M tokens in and out, and acme's meter is
10 % of cost.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.naive import read_tables
from tests.naive_history import NaiveHistory

RATES = Path(__file__).parents[2] / "pricing" / "rates"
NOW = datetime(2026, 8, 1, tzinfo=UTC)
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
WORKED = "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ"
PRICES = {"input": "0.90", "output": "0.90"}
USED: dict[str, Any] = {"input_tokens": 845, "output_tokens": 412}
THOUSANDFOLD: dict[str, Any] = {"input_tokens": 845_000, "output_tokens": 412_000}  # 1.24443


@pytest.fixture
def history() -> NaiveHistory:
    made = NaiveHistory([], NOW)
    made.publish("fireworks", START, {MODEL: PRICES})
    made.set_meter("tenth", Decimal(10))
    made.set_customer_meter("acme", "tenth")
    return made


def record(request_id: str, month: str = "2026-04", **fields: Any) -> bytes:
    """A managed record of acme on the 15th of a month."""
    stated = {"customer_id": "acme", "model": MODEL, "provider": "fireworks"}
    when = {"timestamp": f"{month}-15T12:00:00Z"}
    return json.dumps({"request_id": request_id, **stated, **when, **fields}).encode()


def correct(history: NaiveHistory, request_id: str, key: str, **quantities: int) -> str:
    return history.adjust("acme", request_id, "correction", quantities, key)


def void(history: NaiveHistory, request_id: str, key: str) -> str:
    return history.adjust("acme", request_id, "void", {}, key)


def figures(history: NaiveHistory) -> list[tuple[int, int, str, str, str]]:
    """Every row: requests, output tokens, cost, fee, spend."""
    sums = [row.sums() for row in history.rows]
    amounts = [[f"{each[name]:.12f}" for name in ("cost", "fee", "spend")] for each in sums]
    return [
        (each["requests"], each["output_tokens"], *texts)
        for each, texts in zip(sums, amounts, strict=True)
    ]


def test_the_worked_record_is_corrected_and_voided_as_by_hand(history: NaiveHistory) -> None:
    """845 in; 412 out, then 400: 1,257 and 1,245 tokens at 0.0000009, and a tenth of it."""
    assert history.add(record(WORKED, **USED)) == "accepted"
    assert history.spend("acme") == Decimal("0.001244430000")

    assert correct(history, WORKED, "fix", output_tokens=400) == "applied"
    assert history.spend("acme") == Decimal("0.001232550000")

    assert void(history, WORKED, "gone") == "applied"
    assert figures(history) == [
        (1, 412, "0.001131300000", "0.000113130000", "0.001244430000"),
        (-1, -412, "-0.001131300000", "-0.000113130000", "-0.001244430000"),
        (1, 400, "0.001120500000", "0.000112050000", "0.001232550000"),
        (-1, -400, "-0.001120500000", "-0.000112050000", "-0.001232550000"),
    ]
    assert history.spend("acme") == history.uninvoiced("acme") == 0


def test_under_the_callers_own_key_only_the_fee_moves(history: NaiveHistory) -> None:
    """The cost stays beside it as a memo, and is negated and stated anew like the rest."""
    history.add(record(WORKED, provider_key_type="unmanaged", **USED))
    correct(history, WORKED, "fix", output_tokens=400)

    assert figures(history) == [
        (1, 412, "0.001131300000", "0.000113130000", "0.000113130000"),
        (-1, -412, "-0.001131300000", "-0.000113130000", "-0.000113130000"),
        (1, 400, "0.001120500000", "0.000112050000", "0.000112050000"),
    ]


def test_a_resend_is_compared_with_the_first_statement(history: NaiveHistory) -> None:
    """Corrected or voided, the original stays a duplicate and the corrected one a conflict."""
    history.add(record("a", **USED))
    correct(history, "a", "fix", output_tokens=400)
    assert history.add(record("a", **USED)) == "duplicate"
    assert history.add(record("a", **USED | {"output_tokens": 400})) == "conflict"
    void(history, "a", "gone")
    assert history.add(record("a", **USED)) == "duplicate"
    assert history.spend("acme") == 0


def test_every_adjustment_has_one_answer(history: NaiveHistory) -> None:
    """In order, on one request of 845 (45 of them cached) and 412 tokens."""
    history.add(record("a", cached_input_tokens=45, **USED))
    history.add(record("b", **USED))
    history.add(record("seen", status="pending"))
    answers = [
        # id, kind, new quantities, key, answer, rows afterwards
        ("nobody", "void", {}, "k0", "unknown", 2),
        ("seen", "void", {}, "k0", "unmetered", 2),
        ("a", "correction", {}, "k0", "invalid", 2),
        ("a", "correction", {"input_tokens": 44}, "k0", "invalid", 2),
        ("a", "correction", {"output_tokens": -1}, "k0", "invalid", 2),
        ("a", "correction", {"tokens": 1}, "k0", "invalid", 2),
        ("a", "correction", {"output_tokens": 400}, "k0", "applied", 4),  # refusals used no key
        ("a", "correction", {"output_tokens": 400}, "k0", "replayed", 4),
        ("a", "correction", {"output_tokens": 401}, "k0", "reused", 4),
        ("b", "correction", {"output_tokens": 400}, "k0", "reused", 4),
        ("seen", "void", {}, "k0", "reused", 4),
        ("nobody", "void", {}, "k0", "unknown", 4),
        ("a", "correction", {"output_tokens": 400}, "k1", "unchanged", 4),
        ("a", "correction", {"output_tokens": 399}, "k1", "reused", 4),  # that key is used up
        ("a", "correction", {"input_tokens": 45}, "k2", "applied", 6),
        ("a", "void", {}, "k3", "applied", 7),
        ("a", "void", {}, "k3", "replayed", 7),
        ("a", "void", {}, "k4", "unchanged", 7),
        ("a", "correction", {"output_tokens": 400}, "k5", "voided", 7),
        ("a", "correction", {"output_tokens": 400}, "k0", "replayed", 7),
    ]
    for request_id, kind, quantities, key, answer, rows in answers:
        given = history.adjust("acme", request_id, kind, quantities, key)
        assert (given, len(history.rows)) == (answer, rows), (request_id, kind, quantities, key)


def test_keys_and_ids_belong_to_one_customer(history: NaiveHistory) -> None:
    """The same id and key of another customer are another request's."""
    history.add(record("a", **USED))
    history.add(record("a", customer_id="other", **USED))
    assert void(history, "a", "k") == "applied"
    assert history.adjust("other", "a", "void", {}, "k") == "applied"
    assert history.adjust("third", "a", "void", {}, "k") == "unknown"


def test_the_next_invoice_settles_a_correction(history: NaiveHistory) -> None:
    """Exact differences, rounded once an invoice."""
    history.add(record("april", "2026-04", **THOUSANDFOLD))
    assert history.run_invoices("2026-04") == {"acme": Decimal("1.24")}
    assert history.uninvoiced("acme") == 0  # 0.00443 was rounding, not credit

    correct(history, "april", "fix", output_tokens=400_000)  # 12,000 x 0.00000099 less
    assert history.uninvoiced("acme") == Decimal("-0.01188")
    assert history.run_invoices("2026-04") == {}  # one invoice a period

    history.add(record("may", "2026-05", **THOUSANDFOLD))
    assert history.uninvoiced("acme") == Decimal("1.23255")  # 1.24443 - 0.01188
    assert history.run_invoices("2026-05") == {"acme": Decimal("1.23")}
    assert history.spend("acme") == Decimal("2.47698")
    assert history.uninvoiced("acme") == 0


def test_a_credit_waits_until_a_total_is_above_zero(history: NaiveHistory) -> None:
    """April is billed and then voided; May is too small to take the credit, June is not."""
    history.add(record("april", "2026-04", **THOUSANDFOLD))
    history.run_invoices("2026-04")
    void(history, "april", "gone")

    history.add(record("may", "2026-05", output_tokens=100_000))  # 0.09 + 0.009
    assert history.uninvoiced("acme") == Decimal("-1.14543")  # 0.099 - 1.24443
    assert history.run_invoices("2026-05") == {}
    assert history.uninvoiced("acme") == Decimal("-1.14543")

    history.add(record("june", "2026-06", output_tokens=2_000_000))  # 1.80 + 0.18
    assert history.uninvoiced("acme") == Decimal("0.83457")  # 1.98 - 1.14543
    assert history.run_invoices("2026-06") == {"acme": Decimal("0.83")}
    assert history.uninvoiced("acme") == 0


def test_less_than_half_a_cent_waits_and_half_a_cent_is_billed(history: NaiveHistory) -> None:
    """A period without an invoice is still open for one."""
    history.publish("fireworks", START, {MODEL: {"input": "1.00"}})
    small: dict[str, Any] = {"customer_id": "b", "input_tokens": 4_000}
    history.add(record("x", **small))  # 0.004
    assert history.run_invoices("2026-04") == {}
    history.add(record("y", **small | {"input_tokens": 1_000}))  # 0.005
    assert history.run_invoices("2026-04") == {"b": Decimal("0.01")}


def test_late_usage_and_periods_out_of_order_are_billed_once(history: NaiveHistory) -> None:
    """A run takes every month up to its period, and no later one."""
    tokens = {"input_tokens": 1_000_000}  # 0.99 with the fee
    history.add(record("april", "2026-04", **tokens))
    history.add(record("may", "2026-05", **tokens))
    history.add(record("june", "2026-06", **tokens))
    assert history.run_invoices("2026-05") == {"acme": Decimal("1.98")}
    history.add(record("late", "2026-04", **tokens))
    assert history.run_invoices("2026-05") == {}
    assert history.run_invoices("2026-04") == {"acme": Decimal("0.99")}  # only the late one
    assert history.run_invoices("2026-06") == {"acme": Decimal("0.99")}
    assert history.uninvoiced("acme") == 0


def test_a_run_bills_the_customers_it_is_asked_for(history: NaiveHistory) -> None:
    """The others wait for a run of their own."""
    for customer in ("acme", "b"):
        history.add(record("a", customer_id=customer, input_tokens=1_000_000))
    assert history.run_invoices("2026-04", ["b", "nobody"]) == {"b": Decimal("0.90")}
    assert history.run_invoices("2026-04") == {"acme": Decimal("0.99")}


def test_the_last_published_of_equal_versions_is_in_force(history: NaiveHistory) -> None:
    """Each record of 1M input tokens costs the price of its version; b has no meter."""
    april, may = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    steps = [
        # published before, price, the month asked, cost
        (april, "1.00", "2026-04", "1.00"),
        (april, "2.00", "2026-04", "2.00"),  # as early, but later published
        (may, "3.00", "2026-04", "2.00"),  # not yet effective
        (START, "4.00", "2026-04", "2.00"),  # later published, but superseded by april's
        (START, "5.00", "2026-03", "5.00"),
        (may, "6.00", "2026-05", "6.00"),
    ]
    for number, (effective_from, price, month, cost) in enumerate(steps):
        history.publish("fireworks", effective_from, {MODEL: {"input": price}})
        customer = f"b{number}"
        history.add(record("a", month, customer_id=customer, input_tokens=1_000_000))
        assert history.spend(customer) == Decimal(cost), number
    assert history.spend("b0") == 1  # publishing moved nothing


def test_a_correction_keeps_its_rates_and_its_meter(history: NaiveHistory) -> None:
    """Whatever was published since; what is recorded afterwards has the new ones."""
    history.add(record("a", input_tokens=1_000_000))  # 0.90 + 10 %
    history.publish("fireworks", START, {MODEL: {"input": "5.00"}})
    history.set_meter("tenth", Decimal(20))
    correct(history, "a", "fix", input_tokens=2_000_000)
    assert history.spend("acme") == Decimal("1.98")  # 1.80 + 10 %
    history.add(record("b", input_tokens=1_000_000))
    assert history.spend("acme") == Decimal("7.98")  # and 5.00 + 20 %


def test_a_record_may_state_its_meter(history: NaiveHistory) -> None:
    """Else the customer's counts, else none."""
    history.set_meter("half", Decimal("0.5"))
    meters: list[dict[str, Any]] = [{}, {"meter_slug": "half"}, {"meter_slug": None}]
    for number, meter in enumerate(meters):
        history.add(record(f"acme-{number}", input_tokens=1_000_000, **meter))
        history.add(record(f"b-{number}", customer_id="b", input_tokens=1_000_000, **meter))
    assert [row.fee for row in history.rows] == [
        *(Decimal("0.09"), Decimal(0)),
        *(Decimal("0.0045"), Decimal("0.0045")),
        *(Decimal("0.09"), Decimal(0)),
    ]


def test_a_new_record_may_state_only_a_meter_that_exists(history: NaiveHistory) -> None:
    """What is recorded already is a duplicate or a conflict, whatever meter its resend states."""
    answers = [
        # id, status, meter, outcome
        ("a", "completed", "half", "rejected"),
        ("a", "pending", "half", "rejected"),
        ("a", "pending", "tenth", "accepted"),
        ("a", "pending", "half", "duplicate"),
        ("a", "completed", "half", "rejected"),
        ("a", "completed", "tenth", "accepted"),
        ("a", "completed", "half", "conflict"),
        ("a", "error", "half", "duplicate"),
    ]
    for request_id, status, meter, outcome in answers:
        raw = record(request_id, status=status, meter_slug=meter, **USED)
        assert history.add(raw) == outcome, (status, meter)
    history.set_meter("half", Decimal("0.5"))
    assert history.add(record("b", meter_slug="half", **USED)) == "accepted"


def test_an_endpoint_that_is_no_address_tells_no_provider(history: NaiveHistory) -> None:
    """The record is accepted, and rated by the one provider that lists its model."""
    endpoint = "POST https://[api.fireworks.ai/v1"
    raw = record("a", provider=None, endpoint=endpoint, input_tokens=1_000_000)
    assert history.add(raw) == "accepted"
    assert history.spend("acme") == Decimal("0.99")


def test_a_copy_goes_on_by_itself(history: NaiveHistory) -> None:
    """It knows all that was, and neither sees what comes to the other."""
    history.add(record("a", **THOUSANDFOLD))
    twin = history.copy()
    assert twin.add(record("a", **THOUSANDFOLD)) == "duplicate"
    assert void(twin, "a", "k") == "applied"
    twin.set_meter("tenth", Decimal(0))
    twin.publish("fireworks", START, {MODEL: {"input": "5.00"}})
    assert history.spend("acme") == Decimal("1.24443")
    assert twin.spend("acme") == 0

    history.add(record("b", **THOUSANDFOLD))
    assert void(history, "a", "k") == "applied"
    assert history.run_invoices("2026-04") == {"acme": Decimal("1.24")}
    assert twin.run_invoices("2026-04") == {}


def test_a_record_without_a_time_is_of_its_receipt(history: NaiveHistory) -> None:
    """And one that is more than a day ahead of the clock is refused."""
    history.set_clock(datetime(2026, 5, 3, tzinfo=UTC))
    history.add(record("a", timestamp=None, input_tokens=1))
    assert history.rows[0].group_value("day") == "2026-05-03"
    assert history.add(record("b", timestamp="2026-05-04T00:00:01Z")) == "rejected"


def test_an_unrated_request_is_rated_with_what_is_known_at_its_correction() -> None:
    """Its meter stays the one it was recorded under; an unchanged correction rates nothing."""
    history = NaiveHistory([], NOW)
    history.set_meter("tenth", Decimal(10))
    history.set_customer_meter("acme", "tenth")
    history.add(record("a", provider=None, input_tokens=1_000_000))
    history.set_meter("tenth", Decimal(20))
    history.publish("fireworks", START, {MODEL: PRICES})
    assert correct(history, "a", "k1", input_tokens=1_000_000) == "unchanged"
    assert history.spend("acme") == 0

    assert correct(history, "a", "k2", input_tokens=2_000_000) == "applied"
    assert history.spend("acme") == Decimal("1.98")  # 1.80 + 10 %
    assert [row.provider for row in history.rows] == [None, None, "fireworks"]


def test_a_quantity_without_a_price_makes_a_correction_unrated(history: NaiveHistory) -> None:
    """In the version it was rated with; corrected once more it takes what is known by then."""
    history.publish("fireworks", START, {MODEL: {"input": "1.00"}})
    history.add(record("a", input_tokens=1_000_000))  # 1.00 + 10 %
    history.publish("fireworks", START, {MODEL: {"input": "2.00", "output": "3.00"}})
    steps = [
        # new quantities, spend
        ({"output_tokens": 1_000_000}, "0"),
        ({"output_tokens": 2_000_000}, "8.80"),  # 2.00 + 6.00 + 10 %
        ({"output_tokens": 0}, "2.20"),  # the version stays
    ]
    for number, (quantities, spend) in enumerate(steps):
        assert correct(history, "a", f"k{number}", **quantities) == "applied"
        assert history.spend("acme") == Decimal(spend)


def test_what_has_not_completed_is_unmetered_until_it_does(history: NaiveHistory) -> None:
    """Pending and error count nothing; the completed statement takes their place."""
    assert history.add(record("a", status="pending")) == "accepted"
    assert history.add(record("b", status="error")) == "accepted"
    assert history.unmetered() == {("acme", "a"), ("acme", "b")}
    assert history.add(record("a", **USED)) == "accepted"
    assert history.add(record("a", status="error")) == "duplicate"
    assert history.unmetered() == {("acme", "b")}
    assert len(history.rows) == 1


def test_spend_rows_follow_corrections_and_leave_out_what_is_gone(history: NaiveHistory) -> None:
    """Both count at the request's own time."""
    history.add(record("april", "2026-04", **USED))
    history.add(record("may", "2026-05", cached_input_tokens=5, **USED))
    void(history, "april", "gone")
    correct(history, "may", "fix", output_tokens=400)
    tokens = {"input_tokens": 845, "cached_input_tokens": 5, "output_tokens": 400}
    money = {"cost": "0.0011205", "fee": "0.00011205", "spend": "0.00123255"}
    amounts = {name: Decimal(text) for name, text in money.items()}
    assert history.spend_rows(["month"], START, END) == [
        {"month": "2026-05", "requests": 1} | tokens | amounts
    ]


def test_shipped_tables_are_published_first() -> None:
    """Mixtral cost 0.90 until 12 May 2026 and 1.20 from then on; a later table may replace both."""
    model = "accounts/fireworks/models/mixtral-8x22b-instruct"
    history = NaiveHistory(read_tables(RATES), NOW)
    for month in ("2026-04", "2026-05"):
        history.add(record(month, month, model=model, output_tokens=1_000_000))
    changed = datetime(2026, 5, 12, tzinfo=UTC)
    history.publish("fireworks", changed, {model: {"output": "1.50"}})
    history.add(record("after", "2026-05", model=model, output_tokens=1_000_000))
    assert [row.cost for row in history.rows] == [Decimal(n) for n in ("0.90", "1.20", "1.50")]
