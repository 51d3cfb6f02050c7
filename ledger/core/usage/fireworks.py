"""Fireworks' usage: OpenAI's of a chat, completed from what stands beside the body of the answer.

Some integrations learn the cached tokens only from a header or, in a stream, from `perf_metrics`. Each
figure is taken from the first source that states it: body, `perf_metrics`, headers.
Source: the types of the package fireworks-ai 1.2.28.
"""

from typing import Annotated

import msgspec

from ledger.core.usage.openai import ChatUsage, Reading, read_chat
from ledger.core.usage.stated import Count

Source = tuple[str, str, bytes | msgspec.Raw]  # its name, the prefix of its keys, its JSON
_Digits = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,13}\Z")]
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)
_FIGURE = msgspec.json.Decoder(Count | _Digits | None)


def read_fireworks(
    usage: ChatUsage, perf_metrics: bytes | msgspec.Raw, headers: bytes | msgspec.Raw
) -> Reading:
    """Read the usage of Fireworks; a figure that the body does not state is noted with its source.

    Args:
        usage: The `usage` of the body.
        perf_metrics: The JSON object of that name, its figures numbers or strings; may be empty.
        headers: The headers of the answer, a JSON object of strings; may be empty.

    Raises:
        FaultyField: figures that do not add up.
        MsgspecError: a source that is needed is no JSON object, or its figure no count.
    """
    sources = (("perf_metrics", "", perf_metrics), ("headers", "fireworks-", headers))
    cached = usage.cached()
    notes: tuple[str, ...] = ()
    if usage.prompt_tokens is None:
        prompt, notes = _first("input_tokens", "prompt-tokens", sources)
        usage = msgspec.structs.replace(usage, prompt_tokens=prompt)
    if cached is None:
        cached, cached_notes = _first("cached_input_tokens", "cached-prompt-tokens", sources)
        notes += cached_notes
    stated, chat_notes = read_chat(usage, cached=cached)
    return stated, notes + chat_notes


def _first(field: str, key: str, sources: tuple[Source, ...]) -> tuple[int | None, tuple[str, ...]]:
    """The figure of the first source that states it, and a note that says which."""
    for source, prefix, raw in sources:
        figure = _figure(raw, prefix + key)
        if figure is not None:
            return figure, (f"{field} from {source}",)
    return None, ()


def _figure(raw: bytes | msgspec.Raw, key: str) -> int | None:
    """One figure of a JSON object; names of headers may be written in capitals."""
    for name, value in ((_OBJECT.decode(raw) if raw else None) or {}).items():
        if name.lower() == key:
            figure = _FIGURE.decode(value)
            return int(figure) if isinstance(figure, str) else figure
    return None
