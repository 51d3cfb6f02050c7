"""Which shape a usage object has; what is none, or no count, is refused."""

import json
from typing import Any

import msgspec
import pytest

from ledger.core.usage.shapes import ReadUsage, read_usage
from ledger.core.usage.stated import FaultyField, StatedUsage

PROVIDERS = (None, "openai", "anthropic", "google", "mistral", "deepseek", "fireworks", "xai", "x")


def refused(raw: bytes, provider: str | None = None) -> tuple[str | None, str, str]:
    """Field, code and detail of the refusal."""
    with pytest.raises(FaultyField) as faulty:
        read_usage(raw, provider)
    error = faulty.value.error
    return error.field, error.code, error.detail


@pytest.mark.parametrize(
    ("usage", "shape"),
    [
        ({"promptTokenCount": 5}, "gemini"),
        ({"prompt_token_count": 5}, "gemini"),
        ({"prompt_tokens": 5, "prompt_cache_hit_tokens": 0}, "deepseek"),
        ({"prompt_tokens": 5, "num_cached_tokens": 0}, "mistral"),
        ({"input_tokens": 5, "cache_read_input_tokens": 0}, "anthropic"),
        ({"input_tokens": 5, "cache_creation_input_tokens": 0}, "anthropic"),
        ({"output_tokens": 5, "service_tier": "standard"}, "anthropic"),
        ([{"input_tokens": 5}, {"output_tokens": 5}], "anthropic"),
        ({"input_tokens": 5, "input_tokens_details": {}}, "openai_responses"),
        ({"input_tokens": 5, "input_token_details": {}}, "openai_responses"),
        ({"input_tokens": 5, "total_tokens": 5}, "openai_responses"),
        ({"type": "duration", "seconds": 5}, "openai_responses"),
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_plain_keys_decide(usage: object, shape: str, provider: str | None) -> None:
    """Whoever is stated to have answered: endpoints speak each other's languages."""
    assert read_usage(json.dumps(usage).encode(), provider).shape == shape


@pytest.mark.parametrize(
    ("provider", "chat", "plain"),
    [
        (None, "openai_chat", "openai_responses"),
        ("openai", "openai_chat", "openai_responses"),
        ("anthropic", "openai_chat", "anthropic"),
        ("google", "openai_chat", "openai_responses"),
        ("xai", "openai_chat", "openai_responses"),
        ("mistral", "mistral", "openai_responses"),
        ("deepseek", "deepseek", "openai_responses"),
        ("fireworks", "fireworks", "openai_responses"),
    ],
)
def test_the_provider_decides_where_keys_do_not(
    provider: str | None, chat: str, plain: str
) -> None:
    """Both readings of plain input and output come to the same quantities."""
    prompt = read_usage(b'{"prompt_tokens": 5, "completion_tokens": 2}', provider)
    plainly = read_usage(b'{"input_tokens": 5, "output_tokens": 2}', provider)

    assert (prompt.shape, plainly.shape) == (chat, plain)
    assert prompt.stated == plainly.stated == StatedUsage(input_tokens=5, output_tokens=2)


@pytest.mark.parametrize("provider", [None, "openai", "anthropic"])
@pytest.mark.parametrize("raw", [b"", b"null", b"{}", b'{"prompt_tokens": null}', b"[]", b"[null]"])
def test_nothing_states_nothing(raw: bytes, provider: str | None) -> None:
    """A stream that broke off has a usage of null; no provider makes figures of that."""
    assert read_usage(raw, provider) == ReadUsage(StatedUsage(), "")
    assert read_usage(msgspec.Raw(raw), provider) == ReadUsage(StatedUsage(), "")


def test_an_empty_stream_states_nothing_of_fireworks_either() -> None:
    """Arrays are Anthropic's."""
    assert read_usage(b"[]", "fireworks") == ReadUsage(StatedUsage(), "")


@pytest.mark.parametrize(
    "usage",
    [
        5,
        "none",
        True,
        [5],
        {"total_tokens": 5},
        {"tokens": 5},
        {"seconds": 5},
        {"cache_read_input_tokens": 5},
        {"billed_units": {"search_units": 1}},
        [{"prompt_tokens": 5}],
        [{"input_tokens": 5, "total_tokens": 5}],
        {"input_tokens": 5, "cache_read_input_tokens": 3, "input_tokens_details": {}},
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_unknown_shape_is_refused(usage: object, provider: str | None) -> None:
    """Also one that could be two, of which one counts the cache within the input and one beside it."""
    field, code, _ = refused(json.dumps(usage).encode(), provider)

    assert (field, code) == ("usage", "unknown_usage_shape")


def test_a_total_is_never_priced_beside_its_parts() -> None:
    """It overlaps them: stated or not, the quantities are the same."""
    for parts, total in (
        ({"prompt_tokens": 5, "completion_tokens": 2}, "total_tokens"),
        ({"input_tokens": 5, "output_tokens": 2}, "total_tokens"),
        ({"promptTokenCount": 5, "candidatesTokenCount": 2}, "totalTokenCount"),
    ):
        alone = read_usage(json.dumps(parts).encode(), "openai").stated
        beside = read_usage(json.dumps(parts | {total: 7}).encode(), "openai").stated

        assert alone == beside == StatedUsage(input_tokens=5, output_tokens=2)


CHAT = {"prompt_tokens": 10000, "completion_tokens": 10, "total_tokens": 10010}
RESPONSES = {"input_tokens": 100, "output_tokens": 5}
ANTHROPIC = {"input_tokens": 5, "cache_read_input_tokens": 3}


@pytest.mark.parametrize(
    ("usage", "some", "others"),
    [
        (
            CHAT | {"cache_creation_input_tokens": 9000},
            "completion_tokens, prompt_tokens, total_tokens",
            "cache_creation_input_tokens",
        ),
        (
            CHAT | {"cache_read_input_tokens": 9000, "cache_creation_input_tokens": 0},
            "completion_tokens, prompt_tokens, total_tokens",
            "cache_read_input_tokens",
        ),
        (
            CHAT | {"cache_creation": {"ephemeral_1h_input_tokens": 9}, "iterations": [{}, [1]]},
            "completion_tokens, prompt_tokens, total_tokens",
            "cache_creation, iterations",
        ),
        (
            CHAT | {"cachedContentTokenCount": 5, "thoughts_token_count": 4},
            "completion_tokens, prompt_tokens, total_tokens",
            "cachedContentTokenCount, thoughts_token_count",
        ),
        (
            {"prompt_tokens": 0, "input_tokens": 5, "input_tokens_details": {"cached_tokens": 2}},
            "prompt_tokens",
            "input_tokens, input_tokens_details",
        ),
        (
            {"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "num_cached_tokens": 4},
            "prompt_cache_hit_tokens, prompt_tokens",
            "num_cached_tokens",
        ),
        (
            {"promptTokenCount": 10, "prompt_tokens": 99, "completion_tokens": 5},
            "promptTokenCount",
            "completion_tokens, prompt_tokens",
        ),
        (
            {"prompt_token_count": 10, "cache_read_input_tokens": 4},
            "prompt_token_count",
            "cache_read_input_tokens",
        ),
        (RESPONSES | {"cached_tokens": 40}, "input_tokens, output_tokens", "cached_tokens"),
        (
            ANTHROPIC | {"prompt_cache_hit_tokens": 3},
            "cache_read_input_tokens, input_tokens",
            "prompt_cache_hit_tokens",
        ),
        (
            ANTHROPIC | {"input_tokens_details": {"cached_tokens": 0}},
            "cache_read_input_tokens",
            "input_tokens_details",
        ),
        (
            [{"input_tokens": 5, "cached_tokens": 0}, {"output_tokens": 1}, {"cached_tokens": 4}],
            "input_tokens, output_tokens",
            "cached_tokens",
        ),
        (
            {"type": "duration", "seconds": 5, "cache_read_input_tokens": 3},
            "seconds, type",
            "cache_read_input_tokens",
        ),
    ],
)
@pytest.mark.parametrize("provider", [None, "openai", "anthropic", "google", "x"])
def test_keys_of_two_shapes_are_refused(
    usage: object, some: str, others: str, provider: str | None
) -> None:
    """What lies within what is open then, so no part is dropped; the keys of both are named."""
    told = f"has keys of two shapes: {some} and {others}"

    assert refused(json.dumps(usage).encode(), provider) == ("usage", "unknown_usage_shape", told)


@pytest.mark.parametrize(
    "filled_up",
    [
        {"cache_read_input_tokens": 0, "cache_creation_input_tokens": None},
        {"cache_creation": {}, "server_tool_use": {"web_search_requests": 0}, "iterations": []},
        {"input_tokens": 0, "output_tokens": 0, "input_tokens_details": {"cached_tokens": 0}},
        {"thoughtsTokenCount": 0, "cacheTokensDetails": [{"tokenCount": 0}], "speed": ""},
    ],
)
def test_names_of_others_that_say_nothing_are_ignored(filled_up: dict[str, Any]) -> None:
    """Gateways fill up what they pass on with zeros."""
    assert read_usage(json.dumps(CHAT | filled_up).encode(), None) == read_usage(
        json.dumps(CHAT).encode(), None
    )


WORDS = (
    {"prompt_tokens": 5, "num_cached_tokens": 0, "service_tier": "{}"},
    {"prompt_tokens": 5, "service_tier": "{}"},
    ANTHROPIC | {"service_tier": "{}"},
    ANTHROPIC | {"speed": "{}"},
    ANTHROPIC | {"inference_geo": "{}"},
    {"promptTokenCount": 5, "serviceTier": "{}"},
    {"promptTokenCount": 5, "traffic_type": "{}"},
)


@pytest.mark.parametrize("usage", WORDS)
def test_words_are_no_longer_than_those_of_a_record(usage: dict[str, Any]) -> None:
    """They become dimensions of the price, and these have at most 64 characters."""
    raw = json.dumps(usage)

    assert read_usage(raw.replace("{}", "x" * 64).encode(), None).shape
    assert refused(raw.replace("{}", "x" * 65).encode())[:2] == ("usage", "invalid_usage")


WHOLES = (
    ("prompt_tokens", "openai"),
    ("prompt_tokens", "fireworks"),
    ("prompt_tokens", "mistral"),
    ("prompt_tokens", "deepseek"),
    ("input_tokens", "openai"),
    ("input_tokens", "anthropic"),
    ("promptTokenCount", "google"),
)


@pytest.mark.parametrize(("name", "provider"), WHOLES)
@pytest.mark.parametrize("count", [1.0, 1.5, 1e3, True, "5", [5], {}, 10**12 + 1, 10**30])
def test_what_is_no_count_is_refused(name: str, provider: str, count: Any) -> None:
    """Counts are JSON integers up to 10^12, in every shape."""
    assert refused(json.dumps({name: count}).encode(), provider)[:2] == ("usage", "invalid_usage")


@pytest.mark.parametrize(("name", "provider"), WHOLES)
@pytest.mark.parametrize("count", [-1, -(10**30)])
def test_a_negative_count_does_not_add_up(name: str, provider: str, count: int) -> None:
    """No whole has such a part."""
    field, code, _ = refused(json.dumps({name: count}).encode(), provider)

    assert (field, code) == ("usage", "usage_does_not_add_up")


@pytest.mark.parametrize(("name", "provider"), WHOLES)
def test_counts_reach_up_to_a_million_million(name: str, provider: str) -> None:
    """Both ends are counts."""
    for count in (0, 10**12):
        usage = read_usage(json.dumps({name: count}).encode(), provider)
        assert usage.stated == StatedUsage(input_tokens=count)


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b'{"prompt_tokens": 5} 6',
        b'{"prompt_tokens": NaN}',
        b'{"prompt_tokens": 5, "prompt_tokens_details": "\xff"}',
        b'{"prompt_tokens": 5, "prompt_tokens_details": [1]}',
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_cannot_be_read_is_refused(raw: bytes) -> None:
    """Whatever is wrong with it, the field is named."""
    assert refused(raw)[:2] == ("usage", "invalid_usage")


@pytest.mark.parametrize(
    ("usage", "provider"),
    [
        ({"prompt_tokens": 5, "queue_time": 0.01, "cost": {"total": 1.5}}, "openai"),
        ({"input_tokens": 5, "output_tokens_details": {"other": []}, "total_tokens": 5}, "openai"),
        ({"input_tokens": 5, "fallback_credit": {"type": "none"}}, "anthropic"),
        ({"promptTokenCount": 5, "somethingElse": [{"aB": 1.5}]}, "google"),
        ({"prompt_tokens": 5, "input_tokens": 0, "output_tokens": 0}, "openai"),
    ],
)
def test_other_keys_are_ignored(usage: object, provider: str) -> None:
    """Providers add some at any time."""
    assert read_usage(json.dumps(usage).encode(), provider).stated == StatedUsage(input_tokens=5)
