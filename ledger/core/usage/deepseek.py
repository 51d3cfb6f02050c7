"""DeepSeek's usage object: OpenAI's of a chat, with the prompt split into cache hits and misses.

A miss is input at the full price and no cache write: DeepSeek charges nothing for writing.
Source: api-docs.deepseek.com, "Context caching".
"""

from ledger.core.usage.details import Reading, does_not_add_up
from ledger.core.usage.openai import ChatUsage, read_chat
from ledger.core.usage.stated import Count


class DeepSeekUsage(ChatUsage):
    """Usage of a chat, where prompt = hits + misses."""

    prompt_cache_hit_tokens: Count | None = None
    prompt_cache_miss_tokens: Count | None = None


def read_deepseek(usage: DeepSeekUsage) -> Reading:
    """Read a usage object of DeepSeek.

    Raises:
        FaultyField: figures that do not add up.
    """
    hits, misses = usage.prompt_cache_hit_tokens, usage.prompt_cache_miss_tokens
    if misses is not None and (hits or 0) + misses != (usage.prompt_tokens or 0):
        raise does_not_add_up(
            f"prompt_cache_hit_tokens {hits} + prompt_cache_miss_tokens {misses}"
            f" are not prompt_tokens {usage.prompt_tokens}"
        )
    return read_chat(usage, cached=hits)
