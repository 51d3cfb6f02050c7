"""Lava's list of services: prices per the type that they state, by modality too."""

import pytest

from pricing.imports import SourceError, import_rates
from tests.unit.pricing.imports.price_list_texts import body_of, left_out, wanted


def drafted(pricing: str, beside: str = '"object": "model"') -> tuple[list[str], list[str]]:
    """Give the lines and the report of one service, whose pricing is written as JSON."""
    service = f'{{"id": "m", "provider": "acme", "pricing": {pricing}, {beside}}}'
    result = import_rates("lava-services", f'{{"object": "list", "data": [{service}]}}', wanted())
    table = result.tables.get("acme")
    return ([] if table is None else body_of(table)), left_out(result)


def test_prices_per_million_tokens() -> None:
    """Text prices repeat the others; audio and image have their own."""
    lines, reports = drafted(
        '{"type": "tokens_1m", "input": 1.74, "output": 3.48, "cache_input_read": 0.145,'
        '"cache_input_write": null, "cost_per_request": 0, "text": {"input": 1.74, "output": null},'
        '"audio": {"input": 2, "output": 4}, "image": {"input": 3}}'
    )
    assert lines == [
        "m:",
        '  input: "1.74"',
        '  cached_input: "0.145"',
        '  output: "3.48"',
        '  audio_input_tokens: "2.00"',
        '  audio_output_tokens: "4.00"',
        '  image_input_tokens: "3.00"',
    ]
    assert reports == []


@pytest.mark.parametrize(
    ("pricing", "line"),
    [
        ('{"type": "minutes", "input": 0.0009}', 'audio_input: {price: "0.0009", per: minute}'),
        ('{"type": "characters_1m", "input": 15}', 'input_characters: "15.00"'),
        ('{"type": "requests", "cost_per_request": 0.005}', 'request: "0.005"'),
    ],
)
def test_prices_per_something_else(pricing: str, line: str) -> None:
    """Each type has its unit."""
    assert drafted(pricing) == ([f"m: {{{line}}}"], [])


@pytest.mark.parametrize(
    ("pricing", "report"),
    [
        ("null", "pricing: is not stated"),
        ('{"input": 1}', "pricing.type: None is no unit that a table knows"),
        ('{"type": ["x"], "input": 1}', "pricing.type: ['x'] is no unit that a table knows"),
        (
            '{"type": "credits", "input": 1}',
            "pricing.type: 'credits' is no unit that a table knows",
        ),
        ('{"type": "requests", "input": 1}', "pricing.input: is a price that a table cannot hold"),
        (
            '{"type": "tokens_1m", "video": {}}',
            "pricing.video: is a price that a table cannot hold",
        ),
        ('{"type": "tokens_1m", "text": 1}', "pricing.text: is a price that a table cannot hold"),
        (
            '{"type": "tokens_1m", "audio": {"cached": 1}}',
            "pricing.audio.cached: is a price that a table cannot hold",
        ),
        (
            '{"type": "tokens_1m", "input": 1, "text": {"input": 2}}',
            "pricing.text.input: states input a second time with another price",
        ),
    ],
)
def test_a_model_that_would_be_priced_wrongly_is_left_out(pricing: str, report: str) -> None:
    """Each with the field that is to blame."""
    assert drafted(pricing) == ([], [f"m {report}"])


def test_services_that_are_no_models_are_left_out() -> None:
    """Records state models, and services go by other names."""
    pricing = '{"type": "requests", "cost_per_request": 1}'
    assert drafted(pricing, '"object": "service", "service_type": "search"') == (
        [],
        ["m model: is a service and no model"],
    )
    assert drafted(pricing, '"service_type": "model"')[0] == ['m: {request: "1.00"}']


def test_only_what_is_wanted_is_taken() -> None:
    """The list holds many providers."""
    pricing = '"pricing": {"type": "tokens_1m", "input": 1}'
    text = (
        f'{{"data": [{{"id": "m", "provider": "xai", {pricing}}},'
        f'{{"id": "n", "provider": "other", {pricing}}}]}}'
    )
    result = import_rates("lava-services", text, wanted("xai"))
    assert {name: list(table.models) for name, table in result.tables.items()} == {"xai": ["m"]}


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"data": []}', '{"data": [1]}', '{"data": [{"id": "m"}]}', '{"data": 1}']
)
def test_json_of_another_shape_is_refused(text: str) -> None:
    """The message says what was expected."""
    with pytest.raises(SourceError, match="a list of services"):
        import_rates("lava-services", text, wanted())
