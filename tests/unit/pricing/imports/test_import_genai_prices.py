"""genai-prices: its Python data is read without being run, for the prices of a day."""

from datetime import date
from typing import Any

import pytest

from pricing.imports import Imported, SourceError, import_rates
from pricing.imports.genai_ids import ids_of
from pricing.imports.python_literals import read_assigned
from tests.unit.pricing.imports.price_list_texts import body_of, left_out, loaded, wanted

DATA = """\
import datetime
from decimal import Decimal
from .types import *
__all__ = ('providers',)
providers: list[Provider] = [
    Provider(
        id='acme',
        name='Acme',
        models=[{models}],
    ),
]
"""
MODEL = """ModelInfo(id='small', match=ClauseEquals(equals='small'), prices={prices})"""


TIERS = ("default", "standard", "standard_only", "batch", "", "t" * 65, " t", "\ud800")


def imported(models: str, on: date = date(2026, 11, 20)) -> Imported:
    """Import models that are written as Python."""
    return import_rates("genai-prices", DATA.replace("{models}", models), wanted(on=on))


def small(prices: str, on: date = date(2026, 11, 20)) -> tuple[list[str], list[str]]:
    """Give the lines and the report of one model with these prices."""
    result = imported(MODEL.replace("{prices}", prices), on)
    table = result.tables.get("acme")
    return ([] if table is None else body_of(table)), left_out(result)


def test_every_price_that_we_have_a_word_for() -> None:
    """Per million tokens, per thousand calls, and per hour."""
    lines, reports = small(
        "ModelPrice(input_mtok=Decimal('1.74'), cache_read_mtok=Decimal('0.003625'), "
        "output_mtok=Decimal('3.48'), input_audio_hours=Decimal('0.36'), audio_hours=Decimal('0.36'), "
        "web_searches_kcount=Decimal('10'), cache_write_mtok=None)"
    )
    assert lines == [
        "small:",
        '  input: "1.74"',
        '  cached_input: "0.003625"',
        '  output: "3.48"',
        '  audio_input: {price: "0.36", per: hour}',
        '  web_search: {price: "10.00", per: 1K}',
    ]
    assert reports == []


def test_tiers_begin_with_the_first_token_beyond() -> None:
    """A price without tiers stands in each of them."""
    lines, _ = small(
        "ModelPrice(input_mtok=TieredPrices(base=Decimal('1'), tiers=[Tier(start=200000, "
        "price=Decimal('2')), Tier(start=500000, price=Decimal('3'))]), output_mtok=Decimal('9'))"
    )
    assert lines == [
        "small:",
        "  tiers:",
        '    - {start: 0, input: "1.00", output: "9.00"}',
        '    - {start: 200001, input: "2.00", output: "9.00"}',
        '    - {start: 500001, input: "3.00", output: "9.00"}',
    ]


DATED = (
    "[ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('1'))),"
    "ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2026, 3, 13)), "
    "prices=ModelPrice(input_mtok=Decimal('2')))]"
)


def test_the_prices_of_the_day_are_taken() -> None:
    """What counts later is told, with its day."""
    assert small(DATED) == (['small: {input: "2.00"}'], [])
    assert small(DATED, date(2026, 3, 13)) == (['small: {input: "2.00"}'], [])
    assert small(DATED, date(2026, 3, 12)) == (
        ['small: {input: "1.00"}'],
        ["small prices: others count from 2026-03-13; import again for that day"],
    )


def test_a_model_without_prices_yet_is_not_listed() -> None:
    """The source's first price is not taken for a day before it counts."""
    prices = DATED.replace("ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('1'))),", "")
    assert small(prices, date(2026, 3, 12)) == (
        [],
        [
            "small prices: others count from 2026-03-13; import again for that day",
            "small prices: none counts yet on this day",
        ],
    )


def test_prices_by_the_time_of_day_are_left_out() -> None:
    """A table cannot say them, and either of them would be wrong half of the time."""
    lines, reports = small(
        "[ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('1'))), ConditionalPrice("
        "constraint=TimeOfDateConstraint(start_time=datetime.time(0, 30, tzinfo=datetime.UTC), "
        "end_time=datetime.time(16, 30, tzinfo=datetime.UTC)), "
        "prices=ModelPrice(input_mtok=Decimal('2')))]"
    )
    assert lines == []
    assert reports == ["small prices: depend on the time of day, which a table cannot say"]


VARIANTS = """ModelInfo(
    id='small', match=ClauseEquals(equals='small'),
    prices=ModelPrice(input_mtok=Decimal('2'), cache_read_mtok=Decimal('1'), output_mtok=Decimal('8')),
    price_variants=[
        PriceVariant(when={'service_tier': 'default'}, prices=ModelPrice(), constraint=None),
        PriceVariant(when={'service_tier': 'priority'}, prices=ModelPrice(input_mtok=Decimal('4'),
            cache_read_mtok=Decimal('2'), output_mtok=Decimal('16'))),
        PriceVariant(when={'speed': 'fast'}, prices=ModelPrice(input_mtok=Decimal('5'),
            cache_read_mtok=Decimal('2'), output_mtok=Decimal('20'))),
        PriceVariant(when={'route': 'eu'}, prices=ModelPrice(input_mtok=Decimal('5'))),
        PriceVariant(when={'service_tier': 'default'}, prices=ModelPrice(input_mtok=Decimal('9'))),
        PriceVariant(when={'processing': 'batch', 'speed': 'fast'}, prices=ModelPrice()),
        PriceVariant(when={'service_tier': 'flex'}, prices=ModelPrice(input_video_mtok=Decimal('1'))),
        PriceVariant(when={'processing': 'batch'}, prices=ModelPrice(input_mtok=Decimal('1.5')),
            constraint=StartDateConstraint(start_date=datetime.date(2027, 1, 1))),
        PriceVariant(when={'processing': 'batch'}, prices=ModelPrice(output_mtok=Decimal('4')),
            constraint=StartDateConstraint(start_date=datetime.date(2026, 10, 14))),
        PriceVariant(when={'processing': 'batch'}, prices=ModelPrice(input_mtok=Decimal('1'),
            output_mtok=Decimal('5'))),
    ],
)"""


def test_variants_replace_single_prices() -> None:
    """The first that counts and states one holds; what none states is that of plain calls."""
    result = imported(VARIANTS)
    assert body_of(result.tables["acme"]) == [
        "small:",
        '  input: "2.00"',
        '  cached_input: "1.00"',
        '  output: "8.00"',
        "  variants:",
        '    - {when: {batch: true}, input: "1.00", cached_input: "1.00", output: "4.00"}',
        '    - {when: {service_tier: fast}, input: "5.00", cached_input: "2.00", output: "20.00"}',
        '    - {when: {service_tier: priority}, input: "4.00", cached_input: "2.00", output: "16.00"}',
    ]
    unsaid = "depends on what a record does not state"
    assert left_out(result) == [
        f"small variant {{'route': 'eu'}}: {unsaid}",
        (
            "small variant {'service_tier': 'default'}: "
            "is for a service tier that a table cannot name"
        ),
        f"small variant {{'processing': 'batch', 'speed': 'fast'}}: {unsaid}",
        (
            "small service_tier=flex input_video_mtok: "
            "is not input_mtok, and usage does not tell them apart"
        ),
    ]


@pytest.mark.parametrize("key", ["service_tier", "speed"])
@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_that_no_table_can_name_is_told(key: str, tier: str) -> None:
    """The model keeps its other prices, and its draft loads."""
    result = imported(
        "ModelInfo(id='m', match=ClauseEquals(equals='m'), prices=ModelPrice(input_mtok=Decimal('1')), "
        f"price_variants=[PriceVariant(when={{{key!r}: {tier!r}}}, "
        "prices=ModelPrice(input_mtok=Decimal('2')))])"
    )
    assert body_of(result.tables["acme"]) == ['m: {input: "1.00"}']
    assert [entry.reason for entry in result.left_out] == [
        "is for a service tier that a table cannot name"
    ]


@pytest.mark.parametrize(
    ("prices", "reports"),
    [
        ("ModelPrice()", ["model: has no price that a table can hold"]),
        (
            "ModelPrice(input_mtok=Decimal('1'), output_video_mtok=Decimal('2'))",
            ["output_video_mtok: is not output_mtok, and usage does not tell them apart"],
        ),
        (
            "ModelPrice(audio_hours=Decimal('3'))",
            ["audio_hours: is not input_audio_hours, and usage does not tell them apart"],
        ),
        (
            "ModelPrice(input_document_kpages=Decimal('1'))",
            ["input_document_kpages: is a price that a table cannot hold"],
        ),
        ("[]", ["prices: none counts yet on this day"]),
    ],
)
def test_a_model_that_would_be_priced_wrongly_is_left_out(prices: str, reports: list[str]) -> None:
    """Each with the field that is to blame."""
    assert small(prices) == ([], [f"small {report}" for report in reports])


def test_charges_beside_the_tokens_are_told() -> None:
    """What is charged for tokens is right without them."""
    lines, reports = small(
        "ModelPrice(input_mtok=Decimal('1'), storage_searches_kcount=Decimal('2.5'))"
    )
    assert lines == ['small: {input: "1.00"}']
    assert reports == [
        "small storage_searches_kcount: is charged beside the tokens, and is not counted"
    ]


def test_whisper_at_groq_is_left_out() -> None:
    """Its least charge is not in the data."""
    text = DATA.replace("'acme'", "'groq'").replace(
        "{models}",
        "ModelInfo(id='whisper-large-v3', match=ClauseEquals(equals='whisper-large-v3'), "
        "prices=ModelPrice(input_audio_hours=Decimal('0.111')))",
    )
    result = import_rates("genai-prices", text, wanted("groq"))
    assert result.tables == {}
    assert left_out(result) == [
        "whisper-large-v3 model: bills ten seconds at least, which a table cannot say"
    ]


@pytest.mark.parametrize(
    ("model", "match", "exact", "patterns", "unread"),
    [
        ("m", {"equals": "m"}, ["m"], [], []),
        ("short", {"equals": "accounts/a/m"}, ["accounts/a/m"], [], []),
        ("m", {"or": [{"equals": "n"}, {"equals": "m"}]}, ["m", "n"], [], []),
        ("m-4", {"starts_with": "m-4"}, ["m-4"], ["m-4-20*"], []),
        ("m-4-latest", {"starts_with": "m-4"}, ["m-4-latest"], ["m-4-20*"], []),
        ("m", {"starts_with": "m-"}, ["m"], ["m-20*"], []),
        ("m-4", {"starts_with": "m-4-2025"}, ["m-4"], ["m-4-2025*"], []),
        ("t", {"starts_with": "ft:m"}, ["t"], ["ft:m*"], []),
        ("m", {"ends_with": "m"}, ["m"], [], []),
        ("m", {"contains": "m"}, ["m"], ["m-20*"], []),
        ("m", {"or": [{"equals": "m"}, {"regex": r"^m-\d{8}$"}]}, ["m"], ["m-20*"], []),
        ("m.1", {"regex": r"^m\.1-\d{4}-\d{2}-\d{2}$"}, ["m.1"], ["m.1-20*"], []),
        ("m", {"regex": r"^m-\d"}, ["m"], [], [r"^m-\d"]),
        ("m", {"and": [{"starts_with": "m"}, {"regex": "x"}]}, ["m"], [], ["x"]),
        ("m", {"contains": "part"}, ["m"], ["part-20*"], []),
        ("m", {"or": ["x"], "odd": 1, "like": "m%"}, ["m"], [], ["m%"]),
    ],
)
def test_ids_are_those_that_rules_name(
    model: str, match: dict[str, Any], exact: list[str], patterns: list[str], unread: list[str]
) -> None:
    """Of what goes on behind a stem only dates are taken, and words of the customer."""
    ids = ids_of(model, match)
    assert (list(ids.exact), list(ids.patterns)) == (exact, patterns)
    assert list(ids.unread) == unread


def test_an_id_belongs_to_the_first_model_that_claims_it() -> None:
    """As the source finds models; what is left without an id is told."""
    price = "prices=ModelPrice(input_mtok=Decimal('{}'))"
    result = imported(
        "ModelInfo(id='m-1', match=ClauseOr(or_=[ClauseStartsWith(starts_with='m-1'), "
        f"ClauseEquals(equals='one'), ClauseRegex(regex='x+')]), {price.format(1)}), "
        f"ModelInfo(id='m-1-mini', match=ClauseEquals(equals='m-1-mini'), {price.format(2)}), "
        f"ModelInfo(id='n', match=ClauseEquals(equals='n'), {price.format(3)})"
    )
    assert body_of(result.tables["acme"]) == [
        'm-1: {input: "1.00"}',
        'n: {input: "3.00"}',
        "aliases:",
        "one: m-1",
        "fallback:",
        '"m-1-20*": m-1',
    ]
    assert left_out(result) == [
        "m-1 match: ids by the rule x+ are not listed",
        "m-1-mini match: its ids are those of a model before it",
    ]


def test_a_model_that_is_listed_twice_has_no_further_ids() -> None:
    """Neither of two different listings stays."""
    one = "ModelInfo(id='m', match=ClauseOr(or_=[ClauseEquals(equals='m'), ClauseEquals(equals='n')]), "
    price = "prices=ModelPrice(input_mtok=Decimal('{}'))), "
    result = imported(one + price.format(1) + one + price.format(2))
    assert result.tables == {}


def test_the_same_data_as_json() -> None:
    """The repository's data.json has the shape of what the package writes as Python."""
    text = """[{"id": "x-ai", "models": [
        {"id": "m", "match": {"or": [{"equals": "m"}]}, "prices": [
            {"prices": {"input_mtok": 1.25}},
            {"constraint": {"start_date": "2026-01-01"},
             "prices": {"input_mtok": {"base": 2, "tiers": [{"start": 9, "price": 3.10}]}}}]},
        {"id": "odd", "match": {"equals": "odd"}, "prices": {"input_mtok": [1]}},
        {"id": "new", "match": {"equals": "new"}, "prices": [
            {"constraint": {"weekday": 1}, "prices": {"input_mtok": 1}}]}
    ]}]"""
    result = import_rates("genai-prices", text, wanted("xai"))
    assert body_of(result.tables["xai"]) == [
        "m:",
        "  tiers:",
        '    - {start: 0, input: "2.00"}',
        '    - {start: 10, input: "3.10"}',
    ]
    assert loaded("xai", result.tables["xai"]).provider == "xai"
    assert [line.split(": ")[:2] for line in left_out(result)] == [
        ["odd model", "is of an unknown shape"],
        ["new model", "is of an unknown shape"],
    ]


def test_only_what_is_wanted_is_taken() -> None:
    """By our name or the source's."""
    text = '[{"id": "a", "models": []}, {"id": "b", "models": []}]'
    assert import_rates("genai-prices", text, wanted("a")).tables == {}
    with pytest.raises(SourceError, match="has no provider c"):
        import_rates("genai-prices", text, wanted("c"))


@pytest.mark.parametrize("text", ["[]", "{}", '[{"id": 1}]', '[{"id": "a", "models": 1}]'])
def test_json_of_another_shape_is_refused(text: str) -> None:
    """The message says what was expected."""
    with pytest.raises(SourceError, match="expected a list of providers with models"):
        import_rates("genai-prices", text, wanted())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("providers = [", "not readable as Python data"),
        ("other = 1", "assigns nothing to providers"),
        ("other: int = 1\nother = 2", "assigns nothing to providers"),
        ("providers = os.environ", "line 1: os.environ is no data"),
        ("providers = 1 + 1", "is no data"),
        ("providers = 1.5", "is no data"),
        ("providers = {**x}", "is no data"),
        ("providers = {1: 2}", "a key must be text"),
        ("providers = [Decimal('x')]", "'x' is no number"),
        ("providers = [datetime.date(2026, 13, 1)]", "not readable as Python data"),
        ("providers = " + "[" * 5_000, "not readable as Python data"),
        ("#" * (16 * 1024 * 1024 + 1), "more than 16777216 characters"),
    ],
)
def test_python_that_is_no_data_is_refused(text: str, problem: str) -> None:
    """Nothing of it is run, whatever it says."""
    with pytest.raises(SourceError) as caught:
        read_assigned(text, "providers")
    assert problem in str(caught.value)


def test_python_data_is_read_as_it_stands() -> None:
    """Keyword arguments make a mapping, others a list."""
    text = "x = {'a': [1, None, True], 'b': T(or_=2), 'c': f(1), 'd': datetime.UTC, 'e': f(1, k=2), 'f': f()}"
    assert read_assigned(text, "x") == {
        "a": [1, None, True],
        "b": {"or": 2},
        "c": [1],
        "d": "UTC",
        "e": [1],
        "f": {},
    }
