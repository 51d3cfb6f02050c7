"""The arithmetic of an explanation: the text says what pricing does, to the last digit."""

from datetime import UTC, date, datetime
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.explanation import (
    price_words,
    quantity_text,
    table_for,
    unrated_reason,
    work_out,
)
from ledger.core.rows import Dimension
from ledger.core.settlement import IssuedInvoice, issued_before, settled_by, share_out
from pricing import (
    Meter,
    MeterTier,
    PublishedTable,
    Quantities,
    Rate,
    RateBook,
    RateSet,
    RateTable,
    fee_pico,
    flat_rates,
    load_rate_table,
    percentage_meter,
    rate,
)

NINETY = Rate(900_000_000_000, 1_000_000)
PER_MINUTE = Rate(200_000_000_000, 60_000_000)
LLAMA = RateSet({"input_tokens": NINETY, "output_tokens": NINETY})
WHISPER = RateSet({"input_seconds": PER_MINUTE, "images": Rate(40_000_000_000, 1)})
TEN = percentage_meter("standard", 1, "10")
AT = datetime(2026, 10, 16, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)


def table(version: str, models: dict[str, RateSet]) -> RateTable:
    listed = {model: flat_rates(rates) for model, rates in models.items()}
    return RateTable("fireworks", version, datetime(2026, 1, 1, tzinfo=UTC), "USD", "", listed)


BOOK = RateBook(
    [
        PublishedTable(1, table("old", {"llama": LLAMA, "whisper": WHISPER})),
        PublishedTable(2, table("new", {"llama": LLAMA})),
    ]
)


def dimension(
    provider: str | None = "fireworks",
    model: str | None = "llama",
    tier: str | None = None,
    *,
    is_batch: bool = False,
) -> Dimension:
    return Dimension(provider, model, "managed", tier, is_batch, None, None)


def test_the_worked_record() -> None:
    """845 and 412 tokens at 0.90 per million, and 10 % of it."""
    work = work_out(Quantities(845, 0, 412), LLAMA, TEN)

    assert work is not None
    assert [(step.unit, step.arithmetic, step.exact, step.amount_pico) for step in work.steps] == [
        ("input_tokens", "845 x 0.90 / 1,000,000", None, 760_500_000),
        ("output_tokens", "412 x 0.90 / 1,000,000", None, 370_800_000),
    ]
    assert work.cost_pico == 1_131_300_000
    assert work.fee.arithmetic == "0.001131300000 x 10 / 100"
    assert (work.fee.exact, work.fee.amount_pico) == (None, 113_130_000)


def test_cached_input_without_a_price_is_priced_as_input() -> None:
    """The step says whose price it is."""
    work = work_out(Quantities(645, 200), LLAMA, None)

    assert work is not None
    _, cached = work.steps
    assert (cached.unit, cached.priced_as, cached.amount_pico) == (
        "cached_input_tokens",
        "input_tokens",
        180_000_000,
    )


def test_rounding_shows_what_was_rounded() -> None:
    """An amount that goes on for ever ends in dots; one that ends is shown whole."""
    meter = percentage_meter("odd", 1, "0.000001")
    work = work_out(Quantities(other={"input_seconds": 10_000_000}), WHISPER, meter)

    assert work is not None
    (step,) = work.steps
    assert (step.quantity, step.price, step.per) == ("10", "0.20", "minute")
    assert (step.arithmetic, step.amount_pico) == ("10 x 0.20 / 60", 33_333_333_333)
    assert step.exact == "0.033333333333333333333333..."
    assert work.fee.exact == "0.00000000033333333333"
    assert work.fee.amount_pico == 333


def test_what_has_no_divisor_shows_none() -> None:
    """Images are priced one by one; seconds keep their decimals."""
    work = work_out(Quantities(other={"images": 3, "input_seconds": 12_345_678}), WHISPER, None)

    assert work is not None
    assert [step.arithmetic for step in work.steps] == ["3 x 0.04", "12.345678 x 0.20 / 60"]
    assert work.fee.arithmetic == "no meter, no fee"
    free = work_out(Quantities(1), LLAMA, Meter("free", 1, "none"))
    assert free is not None
    assert (free.fee.arithmetic, free.fee.amount_pico) == ("the meter charges nothing", 0)


@pytest.mark.parametrize(
    ("unit", "quantities", "arithmetic", "exact", "amount_pico"),
    [
        ("tokens_1m", Quantities(1_000, 200, 34), "1,234 x 0.10 / 1,000,000", None, 123_400_000),
        (
            "tokens_1m",
            Quantities(1, 0, 1, {"reasoning_tokens": 5}),
            "7 x 0.10 / 1,000,000",
            None,
            700_000,
        ),
        (
            "minutes",
            Quantities(other={"input_seconds": 10_500_000}),
            "10.5 x 0.10 / 60",
            None,
            17_500_000_000,
        ),
        (
            "minutes",
            Quantities(other={"input_seconds": 10_000_000}),
            "10 x 0.10 / 60",
            "0.016666666666666666666666...",
            16_666_666_667,
        ),
        ("requests", Quantities(7), "1 x 0.10", None, 100_000_000_000),
        ("characters_1m", Quantities(7), "0 x 0.10 / 1,000,000", None, 0),
    ],
)
def test_a_fixed_fee_shows_what_the_meter_counts(
    unit: str, quantities: Quantities, arithmetic: str, exact: str | None, amount_pico: int
) -> None:
    """In what its rate is for; what does not divide is rounded once."""
    rates = RateSet({**LLAMA.rates, **WHISPER.rates})
    work = work_out(quantities, rates, Meter("m", 1, "fixed", unit=unit, rate="0.10"))
    assert work is not None
    assert (work.fee.arithmetic, work.fee.exact) == (arithmetic, exact)
    assert work.fee.amount_pico == amount_pico


def test_a_tiered_meter_charges_no_request_by_itself() -> None:
    """Its fee is that of a month, and the words say so."""
    tiers = (MeterTier(0, "5.00"), MeterTier(1000, "3.00"))
    meter = Meter("m", 1, "graduated", unit="tokens_1m", period="month", tiers=tiers)
    work = work_out(Quantities(5_000), LLAMA, meter)
    assert work is not None
    assert (work.fee.amount_pico, work.fee.exact) == (0, None)
    assert "tiers" in work.fee.arithmetic


def test_what_nothing_prices_has_no_arithmetic() -> None:
    """A quantity without a price, and an amount out of range."""
    assert work_out(Quantities(other={"images": 1}), LLAMA, None) is None
    assert work_out(Quantities(10**18), LLAMA, None) is None


@given(
    seconds=st.integers(0, 10**12),
    price=st.integers(0, 10**13),
    percentage=st.decimals(0, 1000, places=6),
)
def test_the_text_says_what_pricing_does(seconds: int, price: int, percentage: Decimal) -> None:
    """Whoever types the arithmetic into a calculator gets the amount, up to its rounding."""
    rates = RateSet({"input_seconds": Rate(price, 60_000_000)})
    meter = percentage_meter("any", 1, format(percentage, "f"))
    quantities = Quantities(other={"input_seconds": seconds} if seconds else None)
    work, costs = work_out(quantities, rates, meter), rate(quantities, rates)

    assert work is not None
    assert costs is not None
    assert (work.cost_pico, work.fee.amount_pico) == (
        costs.total_pico,
        fee_pico(meter, costs.total_pico),
    )
    for how, exact, amount_pico in [
        *((step.arithmetic, step.exact, step.amount_pico) for step in work.steps),
        (work.fee.arithmetic, work.fee.exact, work.fee.amount_pico),
    ]:
        with localcontext(prec=80):
            amount = Decimal(amount_pico).scaleb(-12)
            worked = typed_in(how)
            assert abs(worked - amount) <= Decimal("5e-13")
            assert (exact is None) == (worked == amount)
            if exact is not None:
                assert abs(Decimal(exact.rstrip(".")) - worked) < Decimal("1e-24")


def typed_in(arithmetic: str) -> Decimal:
    """What a calculator makes of `845 x 0.90 / 1,000,000`."""
    product, _, divisor = arithmetic.replace(",", "").partition(" / ")
    left, right = product.split(" x ")
    return Decimal(left) * Decimal(right) / Decimal(divisor or 1)


@pytest.mark.parametrize(
    ("unit", "quantity", "text"),
    [
        ("input_tokens", 1_234_567, "1,234,567"),
        ("output_tokens", -412, "-412"),
        ("gpu_seconds", 1_500_000, "1.5"),
        ("input_seconds", -60_000_000, "-60"),
    ],
)
def test_quantities_are_in_natural_units(unit: str, quantity: int, text: str) -> None:
    """Microseconds are read as seconds."""
    assert quantity_text(unit, quantity) == text


def test_prices_read_as_in_their_file() -> None:
    """With the words of rate tables; a divisor without a word is a number."""
    assert price_words(LLAMA) == "input 0.90 per 1M, output 0.90 per 1M"
    assert price_words(WHISPER) == "audio_input 0.20 per minute, image 0.04 per 1"
    assert price_words(RateSet({"images": Rate(1_234_500_000_000, 7)})) == "image 1.2345 per 7"


@pytest.mark.parametrize(
    ("asked", "quantities", "reason"),
    [
        (dimension(model=None), Quantities(1), "it names no model"),
        (
            dimension(provider=None),
            Quantities(1),
            "no provider is stated, and when it came no single provider's table in force listed the model",
        ),
        (
            dimension(provider="other"),
            Quantities(1),
            "no rate table of other is in force at that time",
        ),
        (
            dimension(is_batch=True),
            Quantities(1),
            "the rate table fireworks new has no prices of the model for batch calls",
        ),
        (
            dimension(tier="flex"),
            Quantities(1),
            "the rate table fireworks new has no prices of the model for service tier flex",
        ),
        (
            dimension(model="whisper"),
            Quantities(1),
            "the rate table fireworks new does not list the model",
        ),
        (
            dimension(),
            Quantities(1, other={"gpu_seconds": 1, "images": 2}),
            "the rate table fireworks new has no price of the model for gpu_seconds, images",
        ),
        (
            dimension(tier="default"),
            Quantities(1),
            "no price was known when it came; the rate table fireworks new has one now",
        ),
    ],
)
def test_why_there_is_no_price(asked: Dimension, quantities: Quantities, reason: str) -> None:
    """The first thing that is missing is told."""
    known = table_for(BOOK, asked.provider, AT, None)
    assert unrated_reason(asked, quantities, known) == reason


def test_reasoning_and_cached_audio_name_whose_price_counts() -> None:
    """Each step says what it is priced as."""
    speech = RateSet({**LLAMA.rates, "audio_input_tokens": Rate(2 * 10**12, 10**6)})
    other = {"reasoning_tokens": 3, "cached_audio_input_tokens": 5}
    work = work_out(Quantities(other=other), speech, None)

    assert work is not None
    assert [(step.unit, step.priced_as, step.arithmetic) for step in work.steps] == [
        ("cached_audio_input_tokens", "audio_input_tokens", "5 x 2.00 / 1,000,000"),
        ("reasoning_tokens", "output_tokens", "3 x 0.90 / 1,000,000"),
    ]
    assert work.cost_pico == 5 * 2_000_000 + 3 * 900_000


def test_why_a_name_or_a_combination_has_no_price() -> None:
    """A pattern may find the model whose prices are then missing."""
    text = (
        'provider: fireworks\nversion: "v"\neffective_from: 2026-01-01T00:00:00Z\ncurrency: USD\n'
        "models:\n  llama:\n    tiers:\n"
        '      - {start: 0, input: "1", output: "1"}\n      - {start: 10, input: "2"}\n'
        'aliases: {newest: llama}\nfallback: {"llama-*": llama}\n'
    )
    known = PublishedTable(1, load_rate_table(text, "f.yaml"))
    for model in ("llama", "newest", "llama-3"):
        asked = dimension(model=model)
        assert unrated_reason(asked, Quantities(9, 0, 1), known).startswith(
            "no price was known when"
        )
        assert unrated_reason(asked, Quantities(10, 0, 1), known).endswith(
            "model for output_tokens"
        )
        us = asked._replace(region="us", accelerator="h100")
        assert unrated_reason(us, Quantities(1), known).endswith(
            "no prices of the model for region us, accelerator h100"
        )
    assert unrated_reason(dimension(model="x"), Quantities(1), known).endswith("not list the model")


def test_a_replacement_asks_the_table_of_what_it_replaces() -> None:
    """And not the one in force."""
    assert table_for(BOOK, "fireworks", AT, 1) == BOOK.published(1)
    assert table_for(BOOK, "fireworks", AT, None) == BOOK.published(2)


def issued(number: int, month: int, cut: dict[int, int] | None) -> IssuedInvoice:
    """Invoice `number`, for a month, issued at noon of the day of its number."""
    return IssuedInvoice(
        f"INV-{number:06d}", date(2026, month, 1), cut, datetime(2026, 12, number, 12, tzinfo=UTC)
    )


def test_a_row_belongs_to_the_first_invoice_that_saw_it() -> None:
    """Of its month or a later one, in the order of issue, lane by lane."""
    september, late, october = (
        issued(1, 9, {1: 9}),
        issued(2, 11, {1: 5}),
        issued(3, 10, {1: 7, 2: 3}),
    )
    invoices = [september, late, october]

    def found(lane: int, batch: int) -> IssuedInvoice | None:
        invoice, is_certain = settled_by(invoices, OCTOBER, (lane, batch), AT)
        assert is_certain
        return invoice

    assert [found(1, 5), found(1, 6), found(1, 8)] == [late, october, None]
    assert [found(2, 3), found(2, 4), found(3, 1)] == [october, None, None]
    assert issued_before(invoices, october.number, OCTOBER) == late
    assert issued_before(invoices, late.number, OCTOBER) is None


def test_without_a_cut_only_the_clock_tells() -> None:
    """And what the clock tells is not certain."""
    old, new = issued(1, 10, None), issued(2, 11, {1: 9})
    before, after = datetime(2026, 12, 1, 11, tzinfo=UTC), datetime(2026, 12, 1, 13, tzinfo=UTC)

    assert settled_by([old, new], OCTOBER, (1, 2), before) == (old, False)
    assert settled_by([old, new], OCTOBER, (1, 2), after) == (new, True)


def test_a_total_is_shared_by_largest_remainder() -> None:
    """0.005 + 0.006 + 0.004 is 0.02: two lines get a cent, the first of them the one that lost most."""
    sharing = share_out([5_000_000_000, 6_000_000_000, 4_000_000_000], 2)

    assert (sharing.total_minor, sharing.rounding_pico) == (2, 5_000_000_000)
    assert [share.floor_minor for share in sharing.shares] == [0, 0, 0]
    assert [share.extra_minor for share in sharing.shares] == [1, 1, 0]
    assert [share.amount_minor for share in sharing.shares] == [1, 1, 0]
    assert sharing.lacking_minor == 2


def test_negative_lines_are_rounded_towards_minus_infinity() -> None:
    """So that every remainder is positive."""
    sharing = share_out([-11_880_000, 24_888_600_000], 2)

    assert [share.floor_minor for share in sharing.shares] == [-1, 2]
    assert [share.remainder_pico for share in sharing.shares] == [9_988_120_000, 4_888_600_000]
    assert [share.amount_minor for share in sharing.shares] == [0, 2]
