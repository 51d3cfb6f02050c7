"""A rate file is read exactly, or every problem is shown with its line."""

from datetime import UTC, datetime

import pytest

from pricing.files.rate_files import RateFileError, load_rate_table
from pricing.model_rates import STANDARD
from pricing.prices import Rate
from pricing.rate_table import RateTable

HEAD = """\
provider: fireworks
version: "2026-05-12"
effective_from: 2026-05-12T00:00:00Z
currency: USD
source: a price list
"""
GOOD = HEAD + 'models:\n  small: {input: "1.74", output: "3.48"}\n'


def load(text: str, currency: str = "USD") -> RateTable:
    """Load text under a short name."""
    return load_rate_table(text, "f.yaml", currency=currency)


def problems_of(text: str, currency: str = "USD") -> list[str]:
    """Give every problem of a text as `line: message`."""
    with pytest.raises(RateFileError) as caught:
        load(text, currency)
    problems = caught.value.problems
    assert str(caught.value) == "\n".join(str(problem) for problem in problems)
    assert all(str(each) == f"f.yaml:{each.line}: {each.message}" for each in problems)
    return [f"{problem.line}: {problem.message}" for problem in problems]


def rates_of(prices: str) -> dict[str, Rate]:
    """Load a table with one model and give its rates."""
    return (
        load(f"{HEAD}models:\n  small: {prices}\n")
        .models["small"]
        .combinations[STANDARD][0]
        .rates.rates
    )


def problem_of(prices: str) -> str:
    """Load a table with one model and give the only problem, without the model's name."""
    [problem] = problems_of(f"{HEAD}models:\n  small: {prices}\n")
    assert problem.startswith("7: ")
    return problem.removeprefix("7: 'small' ")


def test_a_good_file_becomes_a_table() -> None:
    """Prices keep the quantity for which they are stated."""
    table = load(GOOD)
    assert (table.provider, table.version, table.currency) == ("fireworks", "2026-05-12", "USD")
    assert table.effective_from == datetime(2026, 5, 12, tzinfo=UTC)
    assert table.effective_from.tzinfo is UTC
    assert table.source == "a price list"
    assert table.models["small"].combinations[STANDARD][0].rates.rates == {
        "input_tokens": Rate(1_740_000_000_000, 1_000_000),
        "output_tokens": Rate(3_480_000_000_000, 1_000_000),
    }


@pytest.mark.parametrize(
    ("prices", "rates"),
    [
        ("{cached_input: '0.5'}", {"cached_input_tokens": Rate(500_000_000_000, 1_000_000)}),
        (
            '{output: {price: "0.001", per: 1K}}',
            {"output_tokens": Rate(1_000_000_000, 1_000)},
        ),
        ('{input: {price: "0.1", per: "1"}}', {"input_tokens": Rate(100_000_000_000, 1)}),
        ('{input: {price: "2"}}', {"input_tokens": Rate(2_000_000_000_000, 1_000_000)}),
        ('{image: "0.04"}', {"images": Rate(40_000_000_000, 1)}),
        (
            '{audio_input: {price: "0.20", per: minute}}',
            {"input_seconds": Rate(200_000_000_000, 60_000_000)},
        ),
        (
            '{audio_output: {price: "0.000000000001", per: second}}',
            {"output_seconds": Rate(1, 1_000_000)},
        ),
        ('{gpu: {price: "8", per: hour}}', {"gpu_seconds": Rate(8 * 10**12, 3_600_000_000)}),
        ('{input: "0"}', {"input_tokens": Rate(0, 1_000_000)}),
        ('{input: "0.000001"}', {"input_tokens": Rate(1_000_000, 1_000_000)}),
        ('{input: "1000000000"}', {"input_tokens": Rate(10**21, 1_000_000)}),
    ],
)
def test_every_kind_of_price_is_read(prices: str, rates: dict[str, Rate]) -> None:
    """Short and long form, each unit and word, from the finest price to the largest."""
    assert rates_of(prices) == rates


def test_digits_that_a_float_would_lose_are_kept() -> None:
    """A price of 19 significant digits arrives whole."""
    prices = '{gpu: {price: "1234567.890123456789", per: hour}}'
    assert rates_of(prices)["gpu_seconds"].price_pico == 1_234_567_890_123_456_789


@pytest.mark.parametrize(
    ("prices", "problem"),
    [
        ("{input: 1.74}", "input: the price '1.74' must be quoted"),
        ("{input: .nan}", "input: the price '.nan' must be quoted"),
        ("{input: }", "input: the price '' must be quoted"),
        ("{input: {price: 2}}", "input: the price '2' must be quoted"),
        ('{input: ["1"]}', "input: a price must be a quoted text"),
        ('{input: "NaN"}', "input: 'NaN' is not a plain decimal"),
        ('{input: "Infinity"}', "input: 'Infinity' is not a plain decimal"),
        ('{input: "1e-7"}', "input: '1e-7' is not a plain decimal"),
        ('{input: "1,74"}', "input: '1,74' is not a plain decimal"),
        ('{input: ""}', "input: '' is not a plain decimal"),
        ('{input: "-1"}', "input: the price '-1' is negative"),
        ('{input: "-0"}', "input: the price '-0' is negative"),
        ('{input: "0.0000001"}', "input: 0.0000001 per 1M is finer than an amount can hold"),
        ('{image: "0.0000000000001"}', "image: '0.0000000000001' has more than 12 decimal places"),
        (
            '{gpu: {price: "0.0000000000001", per: hour}}',
            "gpu: '0.0000000000001' has more than 12 decimal places",
        ),
        (
            '{input: {price: "0.0000000015", per: 1K}}',
            "input: 0.0000000015 per 1K is finer than an amount can hold",
        ),
        ('{input: "' + "1" * 41 + '"}', "input: an amount has at most 40 characters"),
        ('{image: "9223373"}', "image: 9223373 per 1 is more for one than an amount can hold"),
        (
            '{gpu: {price: "33204139333", per: hour}}',
            "gpu: 33204139333 per hour is more for one than an amount can hold",
        ),
        ('{gpu: "1"}', 'gpu: say what the price is for, such as {price: "0.20", per: second}'),
        ('{gpu: {price: "1"}}', "gpu: the key per is missing; it is one of second, minute, hour"),
        ('{gpu: {price: "1", per: 1M}}', "gpu: per '1M' is not one of second, minute, hour"),
        ('{input: {price: "1", per: [1]}}', "input: must be text, not a list or a mapping"),
        ("{input: {per: 1M}}", "input: the key price is missing"),
        ('{input: {price: "1", unit: 1M}}', "input: unknown key 'unit'; known are price, per"),
        ('{input: {price: "1", price: "2"}}', "input: the key 'price' stands twice"),
    ],
)
def test_a_price_that_is_not_exact_is_refused(prices: str, problem: str) -> None:
    """Each problem of a price names the model, the kind and the rule."""
    assert problem_of(prices).startswith(problem)


@pytest.mark.parametrize("prices", ["{}", "", "free", '["1"]'])
def test_a_model_without_any_price_is_refused(prices: str) -> None:
    """A model that nobody priced is left out of a table, not listed bare."""
    [problem] = problems_of(f"{HEAD}models:\n  small: {prices}\n")
    assert problem.startswith("7: 'small': has no price")


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ('""', "the model id '' is not 1 to 255 characters without NUL"),
        ('"a\\0b"', "the model id 'a\\x00b' is not 1 to 255"),
        ("m" * 256, f"the model id '{'m' * 80}...' is not 1 to 255"),
        ("[a]", "models: a key must be text"),
    ],
)
def test_a_model_id_is_text_that_a_record_could_hold(model: str, problem: str) -> None:
    """Empty, over-long and unprintable ids could never match a record."""
    [found] = problems_of(f'{HEAD}models:\n  {model}: {{input: "1"}}\n')
    assert found.startswith(f"7: {problem}")


def test_a_model_id_may_have_255_characters() -> None:
    """The longest id that a record can state can be priced."""
    assert "m" * 255 in load(f'{HEAD}models:\n  {"m" * 255}: {{input: "1"}}\n').models


@pytest.mark.parametrize("models", ["{}", "", "[a]", "small"])
def test_a_table_without_models_is_refused(models: str) -> None:
    """A table that prices nothing would make everything unrated."""
    [problem] = problems_of(f"{HEAD}models: {models}\n")
    assert problem == "6: models: must be a mapping with at least one model"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("fireworks", "Fireworks", "1: provider: 'Fireworks' is not 1 to 100 of a-z 0-9 . _ -"),
        ("fireworks", "f" * 101, "1: provider: 'ffff"),
        ("fireworks", "", "1: provider: must not be empty"),
        ("fireworks", "[a]", "1: provider: must be text, not a list or a mapping"),
        ('"2026-05-12"', '"a b"', "2: version: 'a b' is not 1 to 100 printable characters"),
        ('"2026-05-12"', '""', "2: version: '' is not 1 to 100"),
        ('"2026-05-12"', '"a\\tb"', "2: version: 'a\\tb' is not 1 to 100"),
        ('"2026-05-12"', "v" * 101, "2: version: 'vvvv"),
        ("2026-05-12T00:00:00Z", "2026-05-12", "3: effective_from: '2026-05-12' is not a date"),
        ("00:00:00Z", "00:00:00", "3: effective_from: '2026-05-12T00:00:00' is not a date"),
        ("2026-05-12T", "2026-13-12T", "3: effective_from: '2026-13-12T00:00:00Z' is not on the"),
        (
            "2026-05-12T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "3: effective_from: '0001-01-01T00:00:00+14:00' is not on the calendar",
        ),
        ("USD", "EUR", "4: currency: 'EUR' is not USD, the ledger's currency"),
        ("a price list", '" "', "5: source: must not be empty"),
        ("currency: USD\n", "", "1: rate table: the key currency is missing"),
        ("models:", "model:", "1: rate table: the key models is missing"),
        ("source:", "sauce:", "5: rate table: unknown key 'sauce'; known are provider, version"),
        ("source: a price list", "provider: twice", "5: rate table: the key 'provider' stands"),
        ("{input:", "{inputs:", "7: 'small': unknown key 'inputs'; known are input, cached_input,"),
        ("{input:", "{output:", "7: 'small': the key 'output' stands twice, first on line 7"),
        ("  small", '  small: {input: "1"}\n  small', "8: models: the key 'small' stands twice"),
        ("a price list", "a: b", "5: not readable as YAML: mapping values"),
        ("a price list", "a\x07b", "5: not readable as YAML: control characters"),
        ("a price list", "ü\x07b", "5: not readable as YAML: control characters"),
        ("a price list", "a\ud800b", "5: not readable as UTF-8 text"),
        ("a price list", '"\\ud800"', "5: not readable as YAML: found invalid Unicode"),
        ("a price list", "&a list", "5: the anchor 'a' is refused"),
        ("a price list", "*a", "5: the alias 'a' is refused"),
        ("a price list", "!!str list", "5: the tag 'tag:yaml.org,2002:str' is refused"),
        ("a price list", "[" * 20 + "]" * 20, "5: nested deeper than 10 levels"),
        ("models:", "---\nmodels:", "6: a second document begins"),
    ],
)
def test_each_problem_is_shown_with_its_line(old: str, new: str, problem: str) -> None:
    """One change to a good file makes a problem that says what is wrong and where."""
    assert old in GOOD
    assert any(each.startswith(problem) for each in problems_of(GOOD.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1: the file is empty"),
        ("# only a comment\n", "1: the file is empty"),
        ("---\n", "1: a rate table must be a mapping that begins with the provider"),
        ("- a\n", "1: a rate table must be a mapping that begins with the provider"),
        ("x" * (4 * 1024 * 1024 + 1), "1: the file has 4194305 bytes; at most 4194304 are read"),
        ("a: 1\n---\n---\n---\n", "2: a second document begins; one file is one rate table"),
        ("a: b: c\n", "1: not readable as YAML: mapping values are not allowed in this context"),
        ("[" * 1_000_000, "1: nested deeper than 10 levels"),
    ],
)
def test_text_that_is_no_table_is_refused_at_once(text: str, problem: str) -> None:
    """Nothing is looked for in a text that is not one YAML mapping."""
    assert problems_of(text) == [problem]


def test_all_problems_of_a_file_are_shown_together() -> None:
    """Whoever mends a file sees in one go what there is to mend, from top to bottom."""
    text = """\
version: "a b"
provider: Fireworks
effective_from: today
models:
  one: {input: 1, output: "-1"}
  two: {}
  three: {gpu: {per: day, price: "x"}, colour: "1"}
"""
    found = problems_of(text)
    assert [each.split(": ")[0] for each in found] == ["1", "1", "2", "3", "5", "5", "6", "7", "7"]
    # With no word known for `per`, the price is not looked into.
    assert "per 'day' is not one of second, minute, hour" in "\n".join(found)


def test_an_alias_bomb_is_refused_without_being_expanded() -> None:
    """Nine levels of nine references each would be 387 million values."""
    lines = ["a0: &a0 x"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert len(problems_of("\n".join(lines))) == 10 + 9 * 9


def test_the_source_may_be_left_out() -> None:
    """Prices without a word on their source can still be counted with."""
    assert load(GOOD.replace("source: a price list\n", "")).source == ""


def test_a_ledger_in_another_currency_takes_tables_in_that_currency() -> None:
    """The currency is the ledger's choice, and a table must agree with it."""
    euro = GOOD.replace("USD", "EUR")
    assert load(euro, currency="EUR").currency == "EUR"
    assert problems_of(GOOD, currency="EUR") == [
        "4: currency: 'USD' is not EUR, the ledger's currency"
    ]


def test_an_offset_is_turned_into_utc() -> None:
    """The instant counts, not the clock that wrote it."""
    table = load(GOOD.replace("2026-05-12T00:00:00Z", "2026-05-12 02:00:00.000001+02:00"))
    assert table.effective_from == datetime(2026, 5, 12, microsecond=1, tzinfo=UTC)


def test_a_file_may_use_every_form_at_once() -> None:
    """Tiers, other combinations, aliases and a last resort, from the head to the last line."""
    table = load(
        GOOD
        + """\
  large:
    tiers:
      - {start: 0, end: 200001, input: "1.25", output: "10"}
      - {start: 200001, input: "2.50", output: "15"}
    variants:
      - {when: {batch: true}, input: "0.625", output: "5"}
aliases: {largest: large}
fallback: {"small-*": small}
"""
    )
    assert list(table.models) == ["small", "large"]
    assert [tier.start for tier in table.models["large"].combinations[STANDARD]] == [0, 200_001]
    assert (table.aliases, table.fallback) == ({"largest": "large"}, {"small-*": "small"})


def test_an_anchor_bomb_in_the_prices_is_refused_without_being_expanded() -> None:
    """Anchors, aliases and merge keys have no place in a price list, tiers and variants included."""
    found = problems_of(
        GOOD
        + """\
  a: &a {input: "1"}
  b: {variants: [*a, *a, *a]}
  c: {tiers: [{<<: *a}]}
"""
    )
    assert [each.split(":")[0] for each in found] == ["8", "9", "9", "9", "10"]
    assert all("is refused; write the value out" in each for each in found)


def test_a_price_of_forty_digits_is_refused_on_its_line() -> None:
    """No amount could hold it, whatever it is for."""
    text = (
        GOOD
        + '  large:\n    variants:\n      - when: {batch: true}\n        input: "'
        + "9" * 40
        + '"\n'
    )
    [found] = problems_of(text)
    assert found.startswith("11: 'large' variants input: " + "9" * 40 + " per 1M is more for one")
