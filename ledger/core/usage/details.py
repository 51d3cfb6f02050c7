"""The details of OpenAI's usage objects: subsets of a whole that may overlap, taken apart.

Source: the types of the package openai 3.51.0.
"""

import msgspec

from ledger.core.usage.stated import Count, FaultyField, StatedUsage


class CachedDetails(msgspec.Struct):
    """Cached tokens by kind, as realtime sessions tell them."""

    text_tokens: Count | None = None
    audio_tokens: Count | None = None
    image_tokens: Count | None = None


class CacheWriteDetails(msgspec.Struct):
    """Tokens written to the cache, by how long they are kept there."""

    ttl_30m_tokens: Count | None = None
    ttl_12h_tokens: Count | None = None


class InputDetails(msgspec.Struct):
    """Subsets of the input. Text, audio and image exclude one another; cached ones are of any kind."""

    cached_tokens: Count | None = None
    cached_tokens_details: CachedDetails | None = None
    cache_write_tokens: Count | None = None
    cache_write_tokens_details: CacheWriteDetails | None = None
    text_tokens: Count | None = None
    audio_tokens: Count | None = None
    image_tokens: Count | None = None


class OutputDetails(msgspec.Struct):
    """Subsets of the output. Rejected predictions are billed as output and need no name here."""

    reasoning_tokens: Count | None = None
    text_tokens: Count | None = None
    audio_tokens: Count | None = None
    image_tokens: Count | None = None


Reading = tuple[StatedUsage, tuple[str, ...]]  # with what is to be noted about it
_NO_CACHED_DETAILS = CachedDetails()
_NOTE_12H = "cache_write_tokens: {} of them are kept for 12 hours, which has no unit of its own"
_NOTE_KINDS = "cached and written tokens count as text: how many are audio or image is not stated"


def take_apart(
    input_tokens: int | None,
    inputs: InputDetails,
    output_tokens: int | None,
    outputs: OutputDetails,
    *,
    are_images_apart: bool,
) -> Reading:
    """Take the subsets apart, so that none overlaps another.

    Args:
        input_tokens: The whole of the input.
        inputs: Its subsets.
        output_tokens: The whole of the output.
        outputs: Its subsets.
        are_images_apart: Whether pictures in the input have a price of their own; else they stay in it.

    Raises:
        FaultyField: figures that do not add up.
    """
    _check_kinds("input", input_tokens, inputs)
    _check_kinds("output", output_tokens, outputs)
    written, write_notes = _written(inputs)
    stated = StatedUsage(
        input_tokens=input_tokens,
        cached_input_tokens=inputs.cached_tokens,
        cache_write_tokens=written,
        audio_input_tokens=inputs.audio_tokens,
        image_input_tokens=inputs.image_tokens if are_images_apart else None,
        output_tokens=output_tokens,
        reasoning_tokens=outputs.reasoning_tokens,
        audio_output_tokens=outputs.audio_tokens,
        image_output_tokens=outputs.image_tokens,
    )
    cached = inputs.cached_tokens_details or _NO_CACHED_DETAILS
    if cached != _NO_CACHED_DETAILS:
        _check_cached(inputs, cached)
        return _cached_apart(stated, cached), write_notes
    has_kinds = stated.audio_input_tokens or stated.image_input_tokens
    if not ((inputs.cached_tokens or written) and has_kinds):
        return stated, write_notes
    return _image_beside_cached(stated), (*write_notes, _NOTE_KINDS)


def does_not_add_up(detail: str) -> FaultyField:
    """Give the refusal of figures that contradict each other; `detail` names them."""
    return FaultyField("usage", "usage_does_not_add_up", detail)


def _check_kinds(side: str, whole: int | None, details: InputDetails | OutputDetails) -> None:
    text, audio, image = details.text_tokens, details.audio_tokens, details.image_tokens
    if (text or 0) + (audio or 0) + (image or 0) > (whole or 0):
        raise does_not_add_up(f"text {text} + audio {audio} + image {image} exceed {side} {whole}")


def _written(inputs: InputDetails) -> tuple[int | None, tuple[str, ...]]:
    """The tokens written to the cache, those that are kept longer included."""
    written, details = inputs.cache_write_tokens, inputs.cache_write_tokens_details
    if details is None:
        return written, ()
    short, long = details.ttl_30m_tokens or 0, details.ttl_12h_tokens or 0
    if written is None:
        written = short + long
    if short + long > written:
        raise does_not_add_up(f"ttl_30m {short} + ttl_12h {long} exceed cache_write {written}")
    return written, (_NOTE_12H.format(long),) if long else ()


def _check_cached(inputs: InputDetails, cached: CachedDetails) -> None:
    """Cached kinds are all that is cached, and no more than there is of their kind."""
    text, audio, image = cached.text_tokens, cached.audio_tokens, cached.image_tokens
    told = (text or 0) + (audio or 0) + (image or 0)
    if told != (inputs.cached_tokens or 0):
        raise does_not_add_up(
            f"cached_tokens_details tell {told} of {inputs.cached_tokens} cached tokens"
        )
    for name, count, whole in (
        ("audio", audio, inputs.audio_tokens),
        ("image", image, inputs.image_tokens),
    ):
        if (count or 0) > (whole or 0):
            raise does_not_add_up(f"cached_tokens_details tell {count} of {whole} {name} tokens")


def _cached_apart(stated: StatedUsage, cached: CachedDetails) -> StatedUsage:
    """Take the cached audio and image tokens out of all cached, all audio and all image tokens."""
    audio, image = cached.audio_tokens or 0, cached.image_tokens or 0
    return msgspec.structs.replace(
        stated,
        cached_input_tokens=stated.cached_input_tokens and stated.cached_input_tokens - audio,
        cached_audio_input_tokens=cached.audio_tokens,
        audio_input_tokens=stated.audio_input_tokens and stated.audio_input_tokens - audio,
        image_input_tokens=stated.image_input_tokens and stated.image_input_tokens - image,
    )


def _image_beside_cached(stated: StatedUsage) -> StatedUsage:
    """Count image tokens only as far as they fit beside the cached, written and audio tokens.

    A picture is often cached along with the text around it: both counts are right then, and together
    more than the input. The price of audio is too far from that of text for this; if it does not fit,
    the usage is refused.
    """
    cached, written = stated.cached_input_tokens or 0, stated.cache_write_tokens or 0
    room = (stated.input_tokens or 0) - cached - written - (stated.audio_input_tokens or 0)
    image = stated.image_input_tokens and min(stated.image_input_tokens, max(room, 0))
    return msgspec.structs.replace(stated, image_input_tokens=image)
