"""OpenAI's usage objects, in the two forms that most providers took over.

Chat completions and embeddings state `prompt_tokens`; responses, images, transcriptions and realtime
sessions state `input_tokens`. In both the details are subsets of a whole, rejected predictions too.
Source: the types of the package openai 3.51.0.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from ledger.core.usage.stated import Count, FaultyField, StatedUsage, micros


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


class ChatUsage(msgspec.Struct):
    """Usage of chat completions and embeddings.

    `cached_tokens` beside the wholes is where some providers of this shape state the cached ones.
    """

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    cached_tokens: Count | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None

    def cached(self, also: int | None = None) -> int | None:
        """The cached tokens, wherever they are stated; `also` is one more place.

        Raises:
            FaultyField: two places state different figures.
        """
        inside = self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None
        counts = [count for count in (inside, self.cached_tokens, also) if count is not None]
        if len(set(counts)) > 1:
            raise does_not_add_up(f"cached tokens are stated as {counts[0]} and as {counts[-1]}")
        return counts[0] if counts else None


class ResponsesUsage(msgspec.Struct):
    """Usage of responses and images; realtime sessions and transcriptions say `token_details`."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    total_tokens: Count | None = None
    input_tokens_details: InputDetails | None = None
    input_token_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
    output_token_details: OutputDetails | None = None


class DurationUsage(msgspec.Struct):
    """Usage of a transcription that is billed by the length of its audio."""

    type: Literal["duration"]
    seconds: Decimal


Reading = tuple[StatedUsage, tuple[str, ...]]
_NO_INPUT_DETAILS = InputDetails()
_NO_OUTPUT_DETAILS = OutputDetails()
_NOTE_12H = "cache_write_tokens: {} of them are kept for 12 hours, which has no unit of its own"
_NOTE_KINDS = "cached and written tokens count as text: how many are audio or image is not stated"
_NOTE_XAI = "reasoning_tokens count as a part of output_tokens: no total_tokens tells otherwise"


def read_chat(usage: ChatUsage, provider: str | None = None, cached: int | None = None) -> Reading:
    """Read a chat usage object; `cached` is what it, or a source beside it, states under another name.

    Raises:
        FaultyField: figures that do not add up.
    """
    inputs = msgspec.structs.replace(
        usage.prompt_tokens_details or _NO_INPUT_DETAILS, cached_tokens=usage.cached(cached)
    )
    outputs = usage.completion_tokens_details or _NO_OUTPUT_DETAILS
    output_tokens, notes = _chat_output(usage, outputs.reasoning_tokens, provider)
    stated, part_notes = _with_parts(usage.prompt_tokens, inputs, output_tokens, outputs)
    return stated, notes + part_notes


def read_responses(usage: ResponsesUsage) -> Reading:
    """Read a usage object of the responses, image, transcription or realtime interface.

    Raises:
        FaultyField: figures that do not add up.
    """
    _check_total(usage.total_tokens, usage.input_tokens, usage.output_tokens)
    return _with_parts(
        usage.input_tokens,
        usage.input_tokens_details or usage.input_token_details or _NO_INPUT_DETAILS,
        usage.output_tokens,
        usage.output_tokens_details or usage.output_token_details or _NO_OUTPUT_DETAILS,
    )


def read_duration(usage: DurationUsage) -> StatedUsage:
    """Read the usage object of a transcription that is billed by the length of its audio.

    Raises:
        FaultyField: the seconds cannot be kept exactly.
    """
    return StatedUsage(input_seconds=micros("usage", usage.seconds))


def does_not_add_up(detail: str) -> FaultyField:
    """Give the refusal of figures that contradict each other; `detail` names them."""
    return FaultyField("usage", "usage_does_not_add_up", detail)


def _chat_output(
    usage: ChatUsage, reasoning: int | None, provider: str | None
) -> tuple[int | None, tuple[str, ...]]:
    """All output tokens of a chat.

    xAI states the reasoning beside `completion_tokens`, everybody else within. Its `total_tokens` proves
    which it is; without one the common reading is taken, and noted. Source: docs.x.ai, "Consumption and
    rate limits".
    """
    if provider == "xai" and reasoning:
        beside = (usage.completion_tokens or 0) + reasoning
        if usage.total_tokens is None:
            return usage.completion_tokens, (_NOTE_XAI,)
        if usage.total_tokens == (usage.prompt_tokens or 0) + beside:
            return beside, ()
    _check_total(usage.total_tokens, usage.prompt_tokens, usage.completion_tokens)
    return usage.completion_tokens, ()


def _check_total(total: int | None, input_tokens: int | None, output_tokens: int | None) -> None:
    if total is not None and total != (input_tokens or 0) + (output_tokens or 0):
        raise does_not_add_up(
            f"total_tokens {total} are not input {input_tokens} + output {output_tokens}"
        )


def _with_parts(
    input_tokens: int | None,
    inputs: InputDetails,
    output_tokens: int | None,
    outputs: OutputDetails,
) -> Reading:
    """Take the subsets apart, so that none overlaps another."""
    _check_kinds("input", input_tokens, inputs)
    _check_kinds("output", output_tokens, outputs)
    written, write_notes = _written(inputs)
    stated = StatedUsage(
        input_tokens=input_tokens,
        cached_input_tokens=inputs.cached_tokens,
        cache_write_tokens=written,
        audio_input_tokens=inputs.audio_tokens,
        image_input_tokens=inputs.image_tokens,
        output_tokens=output_tokens,
        reasoning_tokens=outputs.reasoning_tokens,
        audio_output_tokens=outputs.audio_tokens,
        image_output_tokens=outputs.image_tokens,
    )
    if inputs.cached_tokens_details is not None:
        return _cached_apart(stated, inputs.cached_tokens_details), write_notes
    if not ((inputs.cached_tokens or written) and (inputs.audio_tokens or inputs.image_tokens)):
        return stated, write_notes
    return _image_beside_cached(stated), (*write_notes, _NOTE_KINDS)


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


def _cached_apart(stated: StatedUsage, cached: CachedDetails) -> StatedUsage:
    """Take the cached audio and image tokens out of all cached, all audio and all image tokens."""
    text, audio, image = cached.text_tokens or 0, cached.audio_tokens or 0, cached.image_tokens or 0
    for name, count, whole in (
        ("cached", text + audio + image, stated.cached_input_tokens or 0),
        ("audio", audio, stated.audio_input_tokens or 0),
        ("image", image, stated.image_input_tokens or 0),
    ):
        if count > whole:
            raise does_not_add_up(f"cached_tokens_details tell {count} of {whole} {name} tokens")
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
