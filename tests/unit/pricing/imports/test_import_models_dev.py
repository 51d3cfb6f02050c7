"""models.dev: prices per million, tiers by size, modes that a request asks for."""

import pytest

from pricing.imports import SourceError, import_rates
from tests.unit.pricing.imports.price_list_texts import body_of, left_out, wanted


def drafted(entry: str) -> tuple[list[str], list[str]]:
    """Give the lines and the report of one model, whose entry is written as JSON."""
    text = f'{{"acme": {{"id": "acme", "models": {{"m": {{{entry}}}}}}}}}'
    result = import_rates("models.dev", text, wanted())
    table = result.tables.get("acme")
    return ([] if table is None else body_of(table)), left_out(result)


def test_every_price() -> None:
    """Reasoning that costs what output does needs no price of its own."""
    lines, reports = drafted(
        '"cost": {"input": 3, "output": 15.00, "cache_read": 0.3, "cache_write": 3.75,'
        '"reasoning": 15, "input_audio": 1.5, "output_audio": 10}'
    )
    assert lines == [
        "m:",
        '  input: "3.00"',
        '  cached_input: "0.30"',
        '  output: "15.00"',
        '  cache_write: "3.75"',
        '  audio_input_tokens: "1.50"',
        '  audio_output_tokens: "10.00"',
    ]
    assert reports == []
    assert drafted('"cost": {"output": 1, "reasoning": 2}')[0] == [
        'm: {output: "1.00", reasoning: "2.00"}'
    ]


def test_tiers_count_and_their_shadow_does_not() -> None:
    """`context_over_200k` repeats a tier, even one with a higher bound."""
    shadow = '"context_over_200k": {"input": 2, "output": 6}'
    lines, _ = drafted(
        f'"cost": {{"input": 1, "output": 5, {shadow}, "tiers": ['
        '{"input": 2, "output": 6, "tier": {"type": "context", "size": 272000}}]}'
    )
    assert lines[2:] == [
        '    - {start: 0, input: "1.00", output: "5.00"}',
        '    - {start: 272001, input: "2.00", output: "6.00"}',
    ]
    lines, _ = drafted(f'"cost": {{"input": 1, "output": 5, "tiers": [], {shadow}}}')
    assert lines[3] == '    - {start: 200001, input: "2.00", output: "6.00"}'


@pytest.mark.parametrize(
    ("cost", "report"),
    [
        ('"tiers": [{"input": 2, "tier": {"size": 9, "type": "output"}}]', "tiers: have a bound"),
        ('"tiers": [{"input": 2, "tier": {"size": -1}}]', "tiers: have a bound"),
        ('"tiers": [{"input": 2, "tier": {"size": 1.5}}]', "tiers: have a bound"),
        ('"tiers": [{"input": 2}]', "tiers: have a bound"),
        ('"tiers": [2]', "tiers: have a bound"),
        ('"tiers": {"a": 1}', "tiers: are of an unknown shape"),
        ('"context_over_200k": 3', "tiers: are of an unknown shape"),
        ('"image": 3', "image: is a price that a table cannot hold"),
    ],
)
def test_a_model_that_would_be_priced_wrongly_is_left_out(cost: str, report: str) -> None:
    """What is not understood might change what a call costs."""
    lines, reports = drafted(f'"cost": {{"input": 1, {cost}}}')
    assert lines == []
    assert [line.startswith(f"m {report}") for line in reports] == [True]


def test_modes_that_a_request_asks_for_are_variants() -> None:
    """By its tier or its speed; others are told."""
    lines, reports = drafted(
        '"cost": {"input": 1, "output": 5}, "experimental": {"modes": {'
        '"fast": {"cost": {"input": 2, "output": 10}, "provider": {"body": {"speed": "fast"}}},'
        '"prio": {"cost": {"input": 3, "output": 15},'
        ' "provider": {"body": {"service_tier": "priority"}}},'
        '"odd": {"cost": {"input": 3, "output": 15}, "provider": {"headers": {"x": "y"}}},'
        '"same": {"provider": {"body": {"speed": "slow"}}}}}'
    )
    assert lines[3:] == [
        "  variants:",
        '    - {when: {service_tier: fast}, input: "2.00", output: "10.00"}',
        '    - {when: {service_tier: priority}, input: "3.00", output: "15.00"}',
    ]
    assert reports == ["m mode odd: depends on what a record does not state"]


@pytest.mark.parametrize("key", ["service_tier", "speed"])
@pytest.mark.parametrize(
    "tier", ["default", "standard", "batch", "", "t" * 65, "t" * 256, " t", "a\\u0000"]
)
def test_a_tier_that_no_table_can_name_is_told(key: str, tier: str) -> None:
    """The model keeps its plain prices, and its draft loads."""
    lines, reports = drafted(
        '"cost": {"input": 1}, "experimental": {"modes": {"x": {"cost": {"input": 2},'
        f' "provider": {{"body": {{"{key}": "{tier}"}}}}}}}}}}'
    )
    assert lines == ['m: {input: "1.00"}']
    assert reports == ["m mode x: is for a service tier that a table cannot name"]


def test_cached_input_at_0_is_not_billed_as_input() -> None:
    """The list says neither that it is free nor that it is unknown, so the model is left out."""
    lines, reports = drafted('"cost": {"input": 1, "output": 2, "cache_read": 0}')
    assert lines == []
    assert reports == [
        (
            "m cache_read: 0 may mean free or unknown; write the price in if it is known to be free; "
            "left out, it would bill as input"
        )
    ]


def test_a_model_without_cost_is_told() -> None:
    """It is not free."""
    assert drafted('"name": "M"') == ([], ["m cost: is not stated"])


def test_providers_by_our_names() -> None:
    """What is not wanted is not looked at."""
    model = '{"models": {"m": {"cost": {"input": 1}}}}'
    text = f'{{"fireworks-ai": {model}, "other": {model}}}'
    assert list(import_rates("models.dev", text, wanted("fireworks")).tables) == ["fireworks"]


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"a": 1}', '{"a": {}}', '{"a": {"models": {"m": 1}}}']
)
def test_json_of_another_shape_is_refused(text: str) -> None:
    """The message says what was expected."""
    with pytest.raises(SourceError, match="expected an object of providers"):
        import_rates("models.dev", text, wanted())
