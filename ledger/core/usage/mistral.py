"""Mistral's usage object: OpenAI's of a chat, and the seconds of audio in the prompt.

Source: the types of the package mistralai 3.7.0, and docs.mistral.ai, "Prompt caching".
"""

from decimal import Decimal

import msgspec

from ledger.core.usage.details import Reading
from ledger.core.usage.openai import ChatUsage, read_chat
from ledger.core.usage.stated import Count, micros


class MistralUsage(ChatUsage):
    """Usage of a chat; cached tokens stand in the details or in `num_cached_tokens`."""

    num_cached_tokens: Count | None = None
    prompt_audio_seconds: Decimal | None = None


def read_mistral(usage: MistralUsage) -> Reading:
    """Read a usage object of Mistral.

    Raises:
        FaultyField: figures that do not add up, or seconds that cannot be kept exactly.
    """
    stated, notes = read_chat(usage, cached=usage.num_cached_tokens)
    seconds = micros("usage", usage.prompt_audio_seconds)
    return msgspec.structs.replace(stated, input_seconds=seconds), notes
