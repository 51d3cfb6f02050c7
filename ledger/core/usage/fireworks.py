"""Fireworks' usage: OpenAI's of a chat, completed from what stands beside the body of the answer.

Some integrations learn the cached tokens only from a header or, in a stream, from `perf_metrics`. Each
figure is taken from the first source that states it: body, `perf_metrics`, headers.
Source: the types of the package fireworks-ai 1.2.28.
"""

from typing import Annotated

import msgspec

from ledger.core.usage.details import Reading, does_not_add_up
from ledger.core.usage.openai import ChatUsage, read_chat
from ledger.core.usage.stated import Count

Source = tuple[str, bytes | msgspec.Raw]  # its name and its JSON
_PREFIX = "fireworks-"  # of headers; `perf_metrics` have the same names without it
_PROMPT, _CACHED = "prompt-tokens", "cached-prompt-tokens"
_FIGURES = frozenset({_PROMPT, _CACHED})
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
    sources = (("perf_metrics", perf_metrics), ("headers", headers))
    cached = usage.cached()
    notes: tuple[str, ...] = ()
    if usage.prompt_tokens is None:
        prompt, notes = _first("input_tokens", _PROMPT, sources)
        usage = msgspec.structs.replace(usage, prompt_tokens=prompt)
    if cached is None:
        cached, cached_notes = _first("cached_input_tokens", _CACHED, sources)
        notes += cached_notes
    stated, chat_notes = read_chat(usage, cached=cached)
    return stated, notes + chat_notes


def is_fireworks(perf_metrics: bytes | msgspec.Raw, headers: bytes | msgspec.Raw) -> bool:
    """Whether either source has a key by which Fireworks is known; one that is null is none."""
    return any(
        name.startswith(_PREFIX) or name in _FIGURES
        for raw in (perf_metrics, headers)
        for name in _keys(raw)
    )


def _keys(raw: bytes | msgspec.Raw) -> set[str]:
    """The keys of a source that may be anything, since nobody has said yet whose it is."""
    try:
        values = (_OBJECT.decode(raw) if raw else None) or {}
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return set()
    return {name.lower() for name, value in values.items() if bytes(value) != b"null"}


def _first(field: str, key: str, sources: tuple[Source, ...]) -> tuple[int | None, tuple[str, ...]]:
    """The figure of the first source that states it, and a note that says which."""
    for source, raw in sources:
        figure = _figure(source, raw, key)
        if figure is not None:
            return figure, (f"{field} from {source}",)
    return None, ()


def _figure(source: str, raw: bytes | msgspec.Raw, key: str) -> int | None:
    """One figure of a JSON object; names of headers may be written in capitals, so there may be two."""
    stated = [
        int(figure)
        for name, value in ((_OBJECT.decode(raw) if raw else None) or {}).items()
        if name.lower().removeprefix(_PREFIX) == key
        and (figure := _FIGURE.decode(value)) is not None
    ]
    if len(set(stated)) > 1:
        raise does_not_add_up(f"{source} state {key} as {stated[0]} and as {stated[-1]}")
    return stated[0] if stated else None
