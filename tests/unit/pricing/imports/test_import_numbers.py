"""Numbers of a source become prices exactly, or are refused with the reason."""

import time
from decimal import Decimal

import pytest

from pricing.imports.drafts import Price, SourceError
from pricing.imports.exact_json import read_json
from pricing.imports.numbers import NoPrice, ZeroPrice, number_of, plain, price_of
from pricing.imports.provider_names import our_name


@pytest.mark.parametrize(
    ("text", "per_million"),
    [
        ("1.5e-07", "0.15"),
        ("1.74E-06", "1.74"),
        ("3e-08", "0.03"),
        ("0.0000012", "1.20"),
        ("5.625e-07", "0.5625"),
        ("1e-12", "0.000001"),
        ("2", "2000000.00"),
    ],
)
def test_the_text_of_a_number_per_token_is_its_price_per_million(
    text: str, per_million: str
) -> None:
    """No float is in between: what stands in the file is moved by six places."""
    assert plain(price_of(read_json(text), "input", places=6).amount) == per_million


def test_a_price_keeps_what_it_is_for() -> None:
    """The word for `per` goes along, also where the price may be finer because seconds are rounded."""
    assert price_of("0.0009", "audio_input", per="minute") == Price(Decimal("0.0009"), "minute")
    assert price_of(10, "web_search", per="1K") == Price(Decimal(10), "1K")
    assert price_of("0.000000000001", "image") == Price(Decimal("0.000000000001"))


@pytest.mark.parametrize("value", [0, Decimal("0.0"), Decimal("-0.0"), "0"])
def test_zero_is_no_price(value: object) -> None:
    """A list that says 0 has not said that the model is free."""
    with pytest.raises(ZeroPrice, match="free or unknown"):
        price_of(value, "input")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "is no number"),
        (True, "is no number"),
        ([1], "is no number"),
        ("1e3", "is no number"),
        ("1" * 21, "is no number"),
        (-1, "is negative or too large"),
        (Decimal("-0.1"), "is negative or too large"),
        (10**20, "is negative or too large"),
        (Decimal("Infinity"), "is negative or too large"),
        (Decimal("NaN"), "is negative or too large"),
        (Decimal("1." + "3" * 20), "has more than 20 digits"),
        (Decimal("1e-30"), "has more than 20 digits"),
        (Decimal("0.1234567"), "0.1234567 is finer than a table can hold"),
        (Decimal("1e13"), "10000000000000.00 is larger than a table can hold"),
        (Decimal("1e18"), "1000000000000000000.00 is larger than a table can hold"),
    ],
)
def test_what_no_table_could_hold_is_refused(value: object, reason: str) -> None:
    """Each refusal names its reason."""
    with pytest.raises(NoPrice, match=f"^{reason}"):
        price_of(value, "input")


def test_what_is_far_too_large_is_not_divided() -> None:
    """A remainder of it would have more digits than numbers here are worked out with."""
    with pytest.raises(NoPrice, match="is larger than a table can hold"):
        price_of(Decimal("1e18"), "input", places=6)


def test_whole_numbers_and_decimal_texts_are_numbers() -> None:
    """Sources write prices as one or the other."""
    assert number_of(3) == number_of("3.00") == Decimal(3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not readable as JSON"),
        ("[NaN]", "NaN is no number"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' stands twice"),
        ("[" * 200_000, "nested too deeply"),
        ("1e" + "9" * 30, "not readable as JSON"),
        ("1" * 5_000, "not readable as JSON"),
    ],
)
def test_json_that_could_be_misread_is_refused(text: str, problem: str) -> None:
    """Hostile and broken files end in words, not in a crash or in a guess."""
    with pytest.raises(SourceError, match=problem):
        read_json(text)


def test_a_repeated_key_is_found_in_one_walk() -> None:
    """However many there are: looking through all of them for each takes more than half a minute."""
    names = ", ".join(f'"{number}": 1' for number in range(60_000))
    began = time.process_time()
    with pytest.raises(SourceError, match="the key '59999' stands twice"):
        read_json(f'{{{names}, "59999": 2}}')
    assert time.process_time() - began < 5


def test_providers_go_by_our_names() -> None:
    """Known ones as records have them, others in the letters that a table allows."""
    names = ("fireworks_ai", "gemini", "x-ai", "Some One/2", "..")
    assert [our_name(name) for name in names] == ["fireworks", "google", "xai", "some-one-2", "-"]
    assert our_name("") == "-"
