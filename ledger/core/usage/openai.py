"""OpenAI's usage objects, in the two forms that most providers took over.

Chat completions and embeddings state `prompt_tokens`; responses, images, transcriptions and realtime
sessions state `input_tokens`. In both the details are subsets of a whole, rejected predictions too.
Source: the types of the package openai 3.51.0.
"""

from decimal import Decimal
from typing import Literal, TypeVar

import msgspec

from ledger.core.usage.details import (
    InputDetails,
    OutputDetails,
    Reading,
    does_not_add_up,
    take_apart,
)
from ledger.core.usage.stated import Count, StatedUsage, micros
from ledger.core.usage.words import Word


class ChatUsage(msgspec.Struct):
    """Usage of chat completions and embeddings.

    `cached_tokens` beside the wholes is where some providers of this shape state the cached ones;
    `service_tier` is Mistral's.
    """

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    cached_tokens: Count | None = None
    service_tier: Word | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None

    def cached(self, also: int | None = None) -> int | None:
        """The cached tokens, wherever they are stated; `also` is one more place.

        Raises:
            FaultyField: two places state different figures.
        """
        inside = self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None
        counts = dict.fromkeys((inside, self.cached_tokens, also))
        counts.pop(None, None)
        if len(counts) > 1:
            raise does_not_add_up(
                f"cached tokens are stated as {' and as '.join(map(str, counts))}"
            )
        return next(iter(counts), None)


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


_Value = TypeVar("_Value")
_NO_INPUT_DETAILS = InputDetails()
_NO_OUTPUT_DETAILS = OutputDetails()
_NOTE_XAI = "reasoning_tokens count as a part of output_tokens: no total_tokens tells otherwise"


def read_chat(usage: ChatUsage, provider: str | None = None, cached: int | None = None) -> Reading:
    """Read a chat usage object; `cached` is what it, or a source beside it, states under another name.

    Pictures in a prompt are priced as text there: their tokens are not told apart.

    Raises:
        FaultyField: figures that do not add up.
    """
    inputs = msgspec.structs.replace(
        usage.prompt_tokens_details or _NO_INPUT_DETAILS, cached_tokens=usage.cached(cached)
    )
    outputs = usage.completion_tokens_details or _NO_OUTPUT_DETAILS
    output_tokens, notes = _chat_output(usage, outputs.reasoning_tokens, provider)
    stated, part_notes = take_apart(
        usage.prompt_tokens, inputs, output_tokens, outputs, are_images_apart=False
    )
    return stated, notes + part_notes


def read_responses(usage: ResponsesUsage) -> Reading:
    """Read a usage object of the responses, image, transcription or realtime interface.

    Raises:
        FaultyField: figures that do not add up.
    """
    _check_total(usage.total_tokens, usage.input_tokens, usage.output_tokens)
    inputs = _agreed("input_tokens_details", usage.input_tokens_details, usage.input_token_details)
    outputs = _agreed(
        "output_tokens_details", usage.output_tokens_details, usage.output_token_details
    )
    return take_apart(
        usage.input_tokens,
        inputs or _NO_INPUT_DETAILS,
        usage.output_tokens,
        outputs or _NO_OUTPUT_DETAILS,
        are_images_apart=True,
    )


def read_duration(usage: DurationUsage) -> StatedUsage:
    """Read the usage object of a transcription that is billed by the length of its audio.

    Raises:
        FaultyField: the seconds cannot be kept exactly.
    """
    return StatedUsage(input_seconds=micros("usage", usage.seconds))


def _agreed(name: str, one: _Value | None, other: _Value | None) -> _Value | None:
    """What is stated under `tokens_details`, `token_details` or both; figure by figure it must agree."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, msgspec.Struct):
        fields = {
            field: _agreed(f"{name}.{field}", getattr(one, field), getattr(other, field))
            for field in one.__struct_fields__
        }
        return type(one)(**fields)
    if one != other:
        other_name = name.replace("tokens", "token", 1)
        raise does_not_add_up(f"{name} {one} and {other_name} {other} are one and differ")
    return one


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
