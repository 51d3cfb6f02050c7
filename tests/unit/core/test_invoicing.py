"""What an invoice says, given what is due."""

from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.instants import parse_month
from ledger.core.invoice_bodies import invoice_body, lines_text
from ledger.core.invoicing import (
    DueLine,
    draft_head,
    draft_invoice,
    draft_lines,
    due_fees,
    finalise,
    in_order,
    invoice_document,
    invoice_head,
    number_text,
)
from pricing import minor_to_pico

OCTOBER = parse_month("2026-10")
ISSUED_AT = datetime(2026, 11, 2, 3, 0, 0, 500, tzinfo=UTC)
CENT_PICO = 10**10
NOTHING = DueLine("fireworks", "llama", "managed", date(2026, 10, 1), 0, 0, 0, 0, 0, 0, 0)


def due(exact_pico: int, *, requests: int = 1) -> DueLine:
    """A line of which only the money matters."""
    return msgspec.structs.replace(NOTHING, requests=requests, exact_pico=exact_pico)


@pytest.mark.parametrize(
    ("exact_cents", "total_cents", "line_cents"),
    [
        ((100.0,), 100, [100]),
        ((0.4, 0.4, 0.4), 1, [1, 0, 0]),  # the earlier line first among equals
        ((33.3, 33.3, 33.4), 100, [33, 33, 34]),
        ((0.5,), 1, [1]),  # half a cent goes up
        ((0.49,), 0, [0]),
        ((10.0, -3.0), 7, [10, -3]),  # a correction
        ((1.0, -3.0), -2, [1, -3]),
        ((), 0, []),
    ],
)
def test_lines_share_the_rounded_total(
    exact_cents: tuple[float, ...], total_cents: int, line_cents: list[int]
) -> None:
    """The sum is rounded once, half up; the line amounts add up to it."""
    lines, total_minor, rounding_pico = draft_lines(
        [due(round(cents * CENT_PICO)) for cents in exact_cents], 2
    )
    assert total_minor == total_cents
    assert [line.amount_minor for line in lines] == line_cents
    assert rounding_pico == total_cents * CENT_PICO - round(sum(exact_cents) * CENT_PICO)


@given(st.lists(st.integers(-(10**16), 10**16), max_size=30), st.sampled_from([0, 2, 3]))
def test_nothing_is_lost_between_lines_and_total(exact_pico: list[int], places: int) -> None:
    """Amounts sum to the total, total minus rounding is the exact sum, rounding is half a unit at most."""
    lines, total_minor, rounding_pico = draft_lines([due(each) for each in exact_pico], places)
    assert sum(line.amount_minor for line in lines) == total_minor
    assert minor_to_pico(total_minor, places) - rounding_pico == sum(exact_pico)
    assert 2 * abs(rounding_pico) <= minor_to_pico(1, places)


@pytest.mark.parametrize(
    "figure",
    ["requests", "input_tokens", "cached_input_tokens", "output_tokens", "cost_pico", "fee_pico"],
)
def test_a_line_stands_as_long_as_one_figure_is_not_zero(figure: str) -> None:
    """Only what is empty in every figure is left out."""
    line = msgspec.structs.replace(NOTHING, **{figure: -1})
    lines, _, _ = draft_lines([NOTHING, line, NOTHING], 2)
    assert [each.due for each in lines] == [line]


@pytest.mark.parametrize(
    ("lines", "fate"),
    [
        ([due(CENT_PICO)], "billed"),
        ([due(CENT_PICO // 4)], "waits"),
        ([due(-CENT_PICO)], "waits"),  # owed to the customer
        ([due(0)], "waits"),  # unrated: it may get a price yet
        ([NOTHING], "settled"),  # all of it is billed already
        ([], "settled"),
    ],
)
def test_what_becomes_an_invoice_and_what_waits(lines: list[DueLine], fate: str) -> None:
    """A total above zero is billed; anything else that is there waits; nothing is settled."""
    draft = draft_invoice(1, "acme", OCTOBER, "USD", lines, "1-7")
    assert draft.is_billable == (fate == "billed")
    assert draft.is_settled == (fate != "waits")


def test_numbers_follow_the_order_of_drafts() -> None:
    """The last number taken belongs to the last draft, and none is left out."""
    drafts = [
        draft_invoice(customer, f"c{customer}", OCTOBER, "USD", [due(CENT_PICO)], "1-7")
        for customer in (1, 2, 3)
    ]
    invoices = finalise(drafts, 42, ISSUED_AT)
    assert [(invoice.number, invoice.content) for invoice in invoices] == [
        ("INV-000040", drafts[0]),
        ("INV-000041", drafts[1]),
        ("INV-000042", drafts[2]),
    ]
    assert number_text("INV", 1_000_000) == "INV-1000000"


def test_the_document_is_the_one_of_the_interface() -> None:
    """Invoice money has the currency's places, exact figures twelve; period ends are exclusive."""
    september = DueLine(
        None, None, "byok", date(2026, 9, 1), 2, 20, 5, 3, 7 * CENT_PICO, CENT_PICO, CENT_PICO
    )
    october = DueLine(
        "fireworks", "llama", "managed", date(2026, 10, 1), 1000, 845_000, 0, 412_000,
        1_131_300_000_000, 113_130_000_000, 1_244_430_000_000,
    )  # fmt: skip
    draft = draft_invoice(7, "acme", OCTOBER, "USD", [september, october], "1-7")
    (invoice,) = finalise([draft], 1, ISSUED_AT)
    assert invoice_document(invoice) == {
        "number": "INV-000001",
        "customer_id": "acme",
        "status": "finalised",
        "period_start": "2026-10-01",
        "period_end": "2026-11-01",
        "issued_at": "2026-11-02T03:00:00.000500Z",
        "currency": "USD",
        "lines": [
            {
                "provider": None,
                "model": None,
                "key_type": "byok",
                "period_start": "2026-09-01",
                "period_end": "2026-10-01",
                "requests": 2,
                "input_tokens": 20,
                "cached_input_tokens": 5,
                "output_tokens": 3,
                "cost": "0.070000000000",
                "fee": "0.010000000000",
                "exact": "0.010000000000",
                "amount": "0.01",
            },
            {
                "provider": "fireworks",
                "model": "llama",
                "key_type": "managed",
                "period_start": "2026-10-01",
                "period_end": "2026-11-01",
                "requests": 1000,
                "input_tokens": 845_000,
                "cached_input_tokens": 0,
                "output_tokens": 412_000,
                "cost": "1.131300000000",
                "fee": "0.113130000000",
                "exact": "1.244430000000",
                "amount": "1.24",
            },
        ],
        "subtotal": "1.25",
        "tax": "0.00",
        "total": "1.25",
        "rounding": "-0.004430000000",
        "cut": "1-7",
    }


def test_heads_tell_drafts_from_invoices() -> None:
    """A draft has no number; in yen there are no places."""
    draft = draft_invoice(1, "acme", OCTOBER, "JPY", [due(12 * 10**12)], "1-7")
    (invoice,) = finalise([draft], 9, ISSUED_AT)
    shared = {
        "customer_id": "acme",
        "period_start": "2026-10-01",
        "period_end": "2026-11-01",
        "currency": "JPY",
        "total": "12",
    }
    assert draft_head(draft) == {"number": None, "status": "draft"} | shared
    assert invoice_head(invoice) == {"number": "INV-000009", "status": "finalised"} | shared


def test_tiered_fees_are_due_less_what_was_billed_of_them() -> None:
    """By customer, meter and month; what is no longer owed is taken back, settled is no line."""
    october, november = date(2026, 10, 1), date(2026, 11, 1)
    fees = {
        (7, "pro", november): 4,
        (7, "pro", october): 9,
        (8, "pro", october): 3,
        (7, "a", october): 2,
    }
    billed = {(7, "pro", october): 5, (8, "pro", october): 3, (9, "old", october): 6}
    lines = due_fees(fees, billed)
    assert [
        (customer, line.meter, line.month, line.fee_pico, line.exact_pico)
        for customer, several in lines.items()
        for line in several
    ] == [
        (7, "a", october, 2, 2),
        (7, "pro", october, 4, 4),
        (7, "pro", november, 4, 4),
        (9, "old", october, -6, -6),
    ]
    assert {(line.provider, line.model, line.key_type, line.cost_pico) for line in lines[7]} == {
        (None, None, None, 0)
    }


def test_fees_stand_last_in_their_month() -> None:
    """Usage keeps its order; a line of a fee names its meter, an ordinary one has no such key."""
    october, november = date(2026, 10, 1), date(2026, 11, 1)
    usage = [
        msgspec.structs.replace(due(1), month=october, model="z"),
        msgspec.structs.replace(due(1), month=october, model="a"),
        msgspec.structs.replace(due(1), month=november),
    ]
    fees = due_fees({(7, "pro", november): 1, (7, "pro", october): 1, (7, "a", october): 1}, {})[7]
    lines = in_order(usage, fees)
    assert [(line.month, line.model, line.meter) for line in lines] == [
        (october, "z", None),
        (october, "a", None),
        (october, None, "a"),
        (october, None, "pro"),
        (november, "llama", None),
        (november, None, "pro"),
    ]
    [invoice] = finalise([draft_invoice(7, "acme", OCTOBER, "USD", lines, None)], 1, ISSUED_AT)
    shown = invoice_document(invoice)["lines"]
    assert [line.get("meter", "none") for line in shown[:3]] == ["none", "none", "a"]
    assert shown[2] | {"amount": None} == {
        "provider": None, "model": None, "key_type": None, "meter": "a", "period_start": "2026-10-01",
        "period_end": "2026-11-01", "requests": 0, "input_tokens": 0, "cached_input_tokens": 0,
        "output_tokens": 0, "cost": "0.000000000000", "fee": "0.000000000001", "exact": "0.000000000001",
        "amount": None,
    }  # fmt: skip


WORDS = st.none() | st.text(max_size=6)
FIGURES = st.integers(-(10**30), 10**30)
MONTHS = st.dates(date(2020, 1, 1), date(2100, 12, 1)).map(lambda day: day.replace(day=1))
LINES = st.builds(
    DueLine,
    *(WORDS, WORDS, WORDS, MONTHS),
    *[st.integers(-(2**63), 2**64 - 1)] * 4,
    *[FIGURES] * 3,
    meter=WORDS,
)


@given(st.lists(LINES, max_size=4), st.sampled_from(["USD", "JPY", "KWD"]), WORDS)
def test_the_fact_says_what_the_document_says(
    lines: list[DueLine], currency: str, cut: str | None
) -> None:
    """Byte for byte what encoding the document gives, keys sorted: digests are made over it."""
    draft = draft_invoice(7, 'a"c\n\u00e9', OCTOBER, currency, lines, cut)
    (invoice,) = finalise([draft], 1, ISSUED_AT)
    document = invoice_document(invoice)
    assert bytes(invoice_body(invoice, lines_text(draft))) == msgspec.json.encode(
        document, order="sorted"
    )
