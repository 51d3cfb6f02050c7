"""LiteLLM: prices per single token as floats, tiers and tiers of service in the names of fields."""

import json

import pytest

from pricing.imports import SourceError, import_rates
from tests.unit.pricing.imports.price_list_texts import body_of, left_out, wanted


def drafted(fields: str, mode: str = "chat") -> tuple[list[str], list[str]]:
    """Give the lines and the report of one model with these fields, which are written as JSON."""
    row = f'{{"litellm_provider": "acme", "mode": "{mode}", "max_tokens": 8, {fields}}}'
    result = import_rates("litellm", f'{{"sample_spec": {{}}, "acme/m": {row}}}', wanted())
    table = result.tables.get("acme")
    return ([] if table is None else body_of(table)), left_out(result)


def test_a_float_per_token_is_an_exact_price_per_million() -> None:
    """Its shortest decimal form is taken, whichever way it is written."""
    lines, reports = drafted(
        '"input_cost_per_token": 1.5e-07, "cache_read_input_token_cost": 0.0000000145,'
        '"output_cost_per_token": 6E-7, "input_cost_per_token_cache_hit": 1.45e-8,'
        '"input_dbu_cost_per_token": 0.3, "output_cost_per_reasoning_token": null'
    )
    assert lines == ['m: {input: "0.15", cached_input: "0.0145", output: "0.60"}']
    assert reports == []


def test_the_noise_of_a_float_is_no_price() -> None:
    """A sum that a float could not hold is told, and not rounded in silence."""
    lines, reports = drafted('"input_cost_per_token": 4.9299999999999994e-07')
    assert lines == []
    assert reports == [
        "m input_cost_per_token: 0.49299999999999994 is finer than a table can hold",
        "m model: has no price that a table can hold",
    ]


def test_tiers_and_tiers_of_service_are_in_the_names() -> None:
    """A name says for how long a cache entry lives, from how many tokens on, and for which calls."""
    lines, reports = drafted(
        '"input_cost_per_token": 3e-6, "input_cost_per_token_above_200k_tokens": 6e-6,'
        '"output_cost_per_token": 15e-6, "output_cost_per_token_above_200k_tokens": 22.5e-6,'
        '"cache_creation_input_token_cost_above_1hr": 6e-6,'
        '"cache_creation_input_token_cost_above_1hr_above_200k_tokens": 12e-6,'
        '"cache_creation_input_token_cost_above_12hr": 7e-6,'
        '"input_cost_per_token_batches": 1.5e-6, "output_cost_per_token_batches": 7.5e-6,'
        '"input_cost_per_token_above_200k_tokens_batches": 3e-6,'
        '"output_cost_per_token_above_200k_tokens_batches": 11.25e-6,'
        '"input_cost_per_token_priority": 4e-6, "output_cost_per_token_priority": 20e-6'
    )
    assert lines == [
        "m:",
        "  tiers:",
        '    - {start: 0, input: "3.00", output: "15.00", cache_write_1h: "6.00"}',
        '    - {start: 200001, input: "6.00", output: "22.50", cache_write_1h: "12.00"}',
        "  variants:",
        "    - when: {batch: true}",
        "      tiers:",
        '        - {start: 0, input: "1.50", output: "7.50"}',
        '        - {start: 200001, input: "3.00", output: "11.25"}',
    ]
    assert reports == [
        (
            "m cache_creation_input_token_cost_above_12hr: "
            "is charged beside tokens or instead of them, and is not counted"
        ),
        "m batch=true: states no cache_write_1h; such usage is unrated",
        "m service_tier=priority: states no tiers, though plain calls have some",
    ]


@pytest.mark.parametrize(
    ("mode", "fields", "price"),
    [
        (
            "audio_transcription",
            '"input_cost_per_second": 0.0001',
            '{price: "0.0001", per: second}',
        ),
        ("image_generation", '"output_cost_per_image": 0.04', '"0.04"'),
        ("rerank", '"input_cost_per_query": 0.002', '{price: "0.002", per: 1}'),
        ("audio_speech", '"input_cost_per_character": 1.5e-05', '"15.00"'),
        ("search", '"input_cost_per_request": 0.005', '"0.005"'),
    ],
)
def test_what_is_not_priced_by_the_token(mode: str, fields: str, price: str) -> None:
    """What a second, an image or a query means depends on the mode."""
    keys = {
        "audio_transcription": "audio_input",
        "image_generation": "image",
        "rerank": "rerank_search",
        "audio_speech": "input_characters",
        "search": "request",
    }
    assert drafted(fields, mode)[0] == [f"m: {{{keys[mode]}: {price}}}"]


def test_a_second_beside_tokens_is_the_same_charge_again() -> None:
    """Only the tokens stay."""
    lines, reports = drafted(
        '"input_cost_per_audio_token": 6e-6, "input_cost_per_second": 0.0001', "audio_transcription"
    )
    assert lines == ['m: {audio_input_tokens: "6.00"}']
    assert reports == [
        (
            "m input_cost_per_second: "
            "stands beside input_cost_per_audio_token, and only one of them is charged"
        )
    ]


def test_web_searches_have_a_price_when_all_sizes_share_it() -> None:
    """Usage does not tell the size of the context."""
    tokens = '"input_cost_per_token": 1e-6, "search_context_cost_per_query": '
    lines, reports = drafted(tokens + '{"low": 0.01, "medium": 0.01}')
    assert lines == ['m: {input: "1.00", web_search: {price: "10.00", per: 1K}}']
    assert reports == []
    assert drafted(tokens + "0.01")[0] == lines
    for sizes in ('{"low": 0.01, "high": 0.02}', "{}"):
        lines, reports = drafted(tokens + sizes)
        assert lines == ['m: {input: "1.00"}']
        assert reports == [
            (
                "m search_context_cost_per_query: "
                "depends on the size of the context; such usage is unrated"
            )
        ]


@pytest.mark.parametrize(
    ("mode", "fields", "reason"),
    [
        ("chat", '"off_peak_pricing": {}', "off_peak_pricing: is a price that a table cannot hold"),
        ("chat", '"Cost": 1', None),
        ("chat", '"cost_per_Unit": 1', "cost_per_Unit: is a price that a table cannot hold"),
        (
            "chat",
            '"input_cost_per_video_token": 2e-6',
            (
                "input_cost_per_video_token: "
                "is not input_cost_per_token, and usage does not tell them apart"
            ),
        ),
        (
            "image_generation",
            '"output_cost_per_token": 1e-6',
            "input_cost_per_token: is a price per token of a model that makes images",
        ),
    ],
)
def test_a_model_that_would_be_priced_wrongly_is_left_out(
    mode: str, fields: str, reason: str | None
) -> None:
    """Another price decides what it costs, or the prices are not what they say."""
    lines, reports = drafted(f'"input_cost_per_token": 1e-6, {fields}', mode)
    assert reports == ([] if reason is None else [f"m {reason}"])
    assert bool(lines) == (reason is None)


def test_a_part_that_costs_the_same_needs_no_price() -> None:
    """For every kind of call by itself; 0 is not held against it."""
    lines, reports = drafted(
        '"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6,'
        '"input_cost_per_video_token": 1e-6, "output_cost_per_video_token": 0,'
        '"input_cost_per_token_batches": 5e-7, "output_cost_per_token_batches": 1e-6,'
        '"input_cost_per_video_token_batches": 5e-7'
    )
    assert lines[1:3] == ['  input: "1.00"', '  output: "2.00"']
    assert reports == []


def test_a_batch_without_the_charge_for_a_request_is_not_listed() -> None:
    """Such calls are then unrated, which shows; a charge that is lost would not."""
    lines, reports = drafted(
        '"input_cost_per_token": 1e-6, "output_cost_per_token": 5e-6,'
        '"input_cost_per_request": 0.005,'
        '"input_cost_per_token_batches": 5e-7, "output_cost_per_token_batches": 2.5e-6'
    )
    assert lines == ['m: {input: "1.00", output: "5.00", request: "0.005"}']
    assert reports == ["m batch=true: is not stated whole: request missing"]


def test_zero_is_told_unless_nothing_comes_out() -> None:
    """Many rows are 0 where nothing is known; an embedding has no output to price."""
    zero = "0 may mean free or unknown; write the price in if it is known to be free"
    fields = '"input_cost_per_token": 1e-8, "output_cost_per_token": 0.0'
    assert drafted(fields, "embedding") == (['m: {input: "0.01"}'], [])
    assert drafted(fields) == (['m: {input: "0.01"}'], [f"m output_cost_per_token: {zero}"])


def test_keys_are_ids_without_the_provider() -> None:
    """Two rows for one id must agree; a provider may go by several names."""
    rows = {
        "gemini/a": {"litellm_provider": "gemini", "input_cost_per_token": 1},
        "a": {"litellm_provider": "gemini", "input_cost_per_token": 1},
        "fireworks_ai/b": {"litellm_provider": "fireworks_ai", "input_cost_per_token": 1},
        "fireworks_ai/c": {"litellm_provider": "fireworks_ai", "input_cost_per_token": 1},
        "c": {"litellm_provider": "fireworks_ai-embedding-models", "input_cost_per_token": 2},
        "fireworks_ai/d/e": {
            "litellm_provider": "fireworks_ai-embedding-models",
            "input_cost_per_token": 3,
        },
        "rules": {"rules": []},
    }
    result = import_rates("litellm", json.dumps(rows), wanted("google", "fireworks"))
    assert {name: list(table.models) for name, table in result.tables.items()} == {
        "google": ["a"],
        "fireworks": ["b", "d/e"],
    }
    assert left_out(result) == ["c model: is listed twice with different prices"]
    assert list(import_rates("litellm", json.dumps(rows), wanted("gemini")).tables) == ["google"]


@pytest.mark.parametrize("text", ["[]", "{}", '{"m": 1}', '{"m": {"litellm_provider": null}}'])
def test_json_of_another_shape_is_refused(text: str) -> None:
    """The message says what was expected."""
    with pytest.raises(SourceError, match="expected an object of models, each with its"):
        import_rates("litellm", text, wanted())
