"""Every unit says how it is stored, priced and spelled."""

from pricing.quantities import Costs, Quantities
from pricing.units import UNIT_BY_RATE_KEY, Unit


def test_units_read_as_one_table() -> None:
    """The value is the field name of records; the rest is how a rate table prices it."""
    rows = [(u.value, u.rate_key, u.scale, u.per_default, u.divides) for u in Unit]
    assert rows == [
        ("input_tokens", "input", 1, "1M", True),
        ("cached_input_tokens", "cached_input", 1, "1M", True),
        ("output_tokens", "output", 1, "1M", True),
        ("input_seconds", "audio_input", 1_000_000, None, False),
        ("output_seconds", "audio_output", 1_000_000, None, False),
        ("input_characters", "input_characters", 1, "1M", True),
        ("output_characters", "output_characters", 1, "1M", True),
        ("images", "image", 1, "1", True),
        ("gpu_seconds", "gpu", 1_000_000, None, False),
        ("cache_write_tokens", "cache_write", 1, "1M", True),
        ("cache_write_1h_tokens", "cache_write_1h", 1, "1M", True),
        ("reasoning_tokens", "reasoning", 1, "1M", True),
        ("audio_input_tokens", "audio_input_tokens", 1, "1M", True),
        ("cached_audio_input_tokens", "cached_audio_input_tokens", 1, "1M", True),
        ("audio_output_tokens", "audio_output_tokens", 1, "1M", True),
        ("image_input_tokens", "image_input_tokens", 1, "1M", True),
        ("image_output_tokens", "image_output_tokens", 1, "1M", True),
        ("image_steps", "image_step", 1, "1", True),
        ("web_searches", "web_search", 1, "1K", True),
        ("rerank_searches", "rerank_search", 1, "1K", True),
        ("training_tokens", "training", 1, "1M", True),
        ("billable_requests", "request", 1, "1", True),
    ]


def test_a_unit_is_its_field_name() -> None:
    """A unit can stand wherever the name of its field can."""
    quantities: dict[str, int] = {Unit.IMAGES: 1}
    assert quantities["images"] == 1
    assert Unit("images") is UNIT_BY_RATE_KEY["image"]


def test_a_default_is_one_of_the_allowed_words() -> None:
    """Leaving `per` out never means something that could not be written."""
    assert all(u.per_default is None or u.per_default in u.per_counts for u in Unit)


def test_the_total_is_the_sum_of_the_parts() -> None:
    """Costs add up with and without other units."""
    assert Costs(1, 2, 3).total_pico == 6
    assert Costs(1, 2, 3, {"images": 4, "gpu_seconds": 5}).total_pico == 15


def test_nothing_used_is_the_default() -> None:
    """An event states only what it used."""
    assert Quantities() == Quantities(0, 0, 0, None)
