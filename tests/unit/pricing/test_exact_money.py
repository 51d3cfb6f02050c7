"""Amounts are integers of 1e-12, read, written, rounded and shared without a float."""

import pytest

from pricing.money import (
    AMOUNT_PICO_MAX,
    PICO_PER_UNIT,
    AmountOutOfRange,
    check_amount,
    currency_places,
    divide_half_even,
    format_amount,
    format_minor,
    minor_to_pico,
    parse_amount,
    round_to_minor_half_up,
    share_by_largest_remainder,
)


@pytest.mark.parametrize(
    ("text", "amount_pico"),
    [
        ("100.00", 100 * PICO_PER_UNIT),
        ("-0.5", -PICO_PER_UNIT // 2),
        ("0.000000000001", 1),
        ("-0.000000000001", -1),
        ("-0", 0),
        ("12345678901234567890", 12345678901234567890 * PICO_PER_UNIT),
    ],
)
def test_plain_decimal_text_is_read_exactly(text: str, amount_pico: int) -> None:
    """Plain decimal text is read to the last digit, however wide."""
    assert parse_amount(text) == amount_pico


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+1",
        "1e3",
        "1E-7",
        "NaN",
        "inf",
        ".5",
        "5.",
        "1_000",
        "1,5",
        " 1",
        "1\n",
        "٣",
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    """An exponent, a sign, a blank or a digit of another script is never guessed at."""
    with pytest.raises(ValueError, match="not a plain decimal"):
        parse_amount(text)


def test_a_thirteenth_place_is_refused_and_not_rounded() -> None:
    """Text finer than an amount is refused, even where the digit is zero."""
    with pytest.raises(ValueError, match="finer than an amount can hold"):
        parse_amount("0.0000000000000")


def test_text_of_any_length_is_not_read() -> None:
    """Forty characters are read; one more is refused before anything is computed."""
    assert parse_amount("0" * 39 + "7") == 7 * PICO_PER_UNIT
    with pytest.raises(ValueError, match="at most 40 characters"):
        parse_amount("0" * 40 + "7")


@pytest.mark.parametrize(
    ("amount_pico", "text"),
    [
        (1_131_300_000, "0.001131300000"),
        (-1, "-0.000000000001"),
        (0, "0.000000000000"),
        (5 * PICO_PER_UNIT, "5.000000000000"),
        (AMOUNT_PICO_MAX, "9223372.036854775807"),
    ],
)
def test_amounts_are_written_with_twelve_places(amount_pico: int, text: str) -> None:
    """An amount always shows all its places, so that columns of amounts line up."""
    assert format_amount(amount_pico) == text


def test_an_amount_fits_a_signed_64_bit_integer() -> None:
    """The largest amounts of both signs pass unchanged; one pico more is named and refused."""
    assert check_amount(AMOUNT_PICO_MAX) == AMOUNT_PICO_MAX
    assert check_amount(-AMOUNT_PICO_MAX) == -AMOUNT_PICO_MAX
    for beyond in (AMOUNT_PICO_MAX + 1, -AMOUNT_PICO_MAX - 1):
        with pytest.raises(AmountOutOfRange, match=r"9223372\.036854775808 is beyond"):
            check_amount(beyond)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (1, 2, 0),
        (3, 2, 2),
        (5, 2, 2),
        (-1, 2, 0),
        (-3, 2, -2),
        (-5, 2, -2),
        (7, 4, 2),
        (5, 4, 1),
        (-7, 4, -2),
        (12, 4, 3),
        (2, 3, 1),
    ],
)
def test_an_exact_half_goes_to_the_even_neighbour(
    numerator: int, denominator: int, rounded: int
) -> None:
    """Halves go to the even side for both signs; everything else to the nearest."""
    assert divide_half_even(numerator, denominator) == rounded


@pytest.mark.parametrize("denominator", [0, -1])
def test_only_a_positive_denominator_divides(denominator: int) -> None:
    """A price for nothing, or for less, is a mistake of the caller."""
    with pytest.raises(ValueError, match="not positive"):
        divide_half_even(1, denominator)


@pytest.mark.parametrize(
    ("amount", "places", "rounded"),
    [
        ("1.244430000000", 2, "1.24"),
        ("0.004", 2, "0.00"),
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "-0.01"),
        ("-0.004999999999", 2, "0.00"),
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("1.2345", 3, "1.235"),
        ("0.000000000001", 12, "0.000000000001"),
    ],
)
def test_an_invoice_total_rounds_half_away_from_zero(
    amount: str, places: int, rounded: str
) -> None:
    """What a customer pays is rounded as an invoice reader expects, for every minor unit."""
    assert format_minor(round_to_minor_half_up(parse_amount(amount), places), places) == rounded


@pytest.mark.parametrize(
    ("amount_minor", "places", "text"),
    [
        (124, 2, "1.24"),
        (-5, 2, "-0.05"),
        (5, 0, "5"),
        (-5, 0, "-5"),
        (0, 2, "0.00"),
        (7, 3, "0.007"),
    ],
)
def test_minor_units_are_written_with_the_places_of_their_currency(
    amount_minor: int, places: int, text: str
) -> None:
    """Cents become a decimal with two places, yen stay whole."""
    assert format_minor(amount_minor, places) == text


def test_minor_units_become_pico_exactly() -> None:
    """One cent is 10^10 pico, one yen is 10^12."""
    assert minor_to_pico(-124, 2) == parse_amount("-1.24")
    assert minor_to_pico(5, 0) == parse_amount("5")


@pytest.mark.parametrize("places", [-1, 13])
def test_a_minor_unit_is_never_finer_than_an_amount(places: int) -> None:
    """There is nothing between two pico."""
    with pytest.raises(ValueError, match="outside 0 to 12"):
        minor_to_pico(1, places)


@pytest.mark.parametrize(
    ("lines", "total_minor", "shares"),
    [
        (["0.333", "0.333", "0.334"], 100, [33, 33, 34]),
        (["0.005", "0.005"], 1, [1, 0]),
        (["0.004", "0.004", "0.004"], 1, [1, 0, 0]),
        (["1.249", "-0.004"], 125, [125, 0]),
        (["-0.333", "-0.333", "-0.334"], -100, [-33, -33, -34]),
        (["2.00", "0.006"], 201, [200, 1]),
        (["0.10", "0.10"], 25, [13, 12]),
        (["0.10", "0.10"], 15, [8, 7]),
        ([], 0, []),
    ],
)
def test_line_amounts_share_the_total_by_largest_remainder(
    lines: list[str], total_minor: int, shares: list[int]
) -> None:
    """What rounding down leaves goes to the lines that lost most, the earlier line first."""
    exact_pico = [parse_amount(line) for line in lines]
    assert share_by_largest_remainder(exact_pico, total_minor, 2) == shares


def test_a_total_without_lines_is_refused() -> None:
    """Money is never dropped because there is no line to put it on."""
    with pytest.raises(ValueError, match="no line to go to"):
        share_by_largest_remainder([], 1, 2)


def test_currencies_have_the_places_of_iso_4217() -> None:
    """The yen has no minor unit, the dinar three places, and everything else two."""
    places = {code: currency_places(code) for code in ("JPY", "XPF", "KWD", "TND", "USD", "EUR")}
    assert places == {"JPY": 0, "XPF": 0, "KWD": 3, "TND": 3, "USD": 2, "EUR": 2}
