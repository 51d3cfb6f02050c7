"""Spans: what was done, how long it took, and within what. Made only while somebody records them.

As with the log, whoever works tells; nothing is handed on for it. Without a recorder each of these is a look
at one name. An attribute is a count or a name of ours, never what somebody sent.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:  # OpenTelemetry is loaded where there is a collector
    from opentelemetry.trace import Span, SpanContext

    from ledger.traces.recorder import Recorder

_P = ParamSpec("_P")
_T = TypeVar("_T")
_NOTHING: AbstractContextManager[None] = nullcontext()

_recorder: "Recorder | None" = None


@contextmanager
def recorded_by(recorder: "Recorder") -> Iterator[None]:
    """Have the spans of this process recorded for as long as the block runs."""
    global _recorder  # noqa: PLW0603 - one log, one recorder, both of the process
    _recorder = recorder
    try:
        yield
    finally:
        _recorder = None


def recorder() -> "Recorder | None":
    """Who records; None where nobody does."""
    return _recorder


def span(
    name: str,
    attributes: Mapping[str, str | int] | None = None,
    links: Iterable["SpanContext | None"] = (),
) -> AbstractContextManager["Span | None"]:
    """A block as a span, within the one that its caller works in. It is None where nobody records.

    `links` are spans that it has to do with and is no part of.
    """
    return _NOTHING if _recorder is None else _recorder.span(name, attributes, links)


def traced(
    name: str,
) -> Callable[[Callable[_P, Coroutine[Any, Any, _T]]], Callable[_P, Coroutine[Any, Any, _T]]]:
    """A coroutine function each of whose calls is a span."""

    def decorate(
        work: Callable[_P, Coroutine[Any, Any, _T]],
    ) -> Callable[_P, Coroutine[Any, Any, _T]]:
        @wraps(work)
        def called(*args: _P.args, **kwargs: _P.kwargs) -> Coroutine[Any, Any, _T]:
            working = work(*args, **kwargs)
            return working if _recorder is None else _within(name, working)

        return called

    return decorate


def here() -> "SpanContext | None":
    """The span that the caller works in, to link another one to."""
    return None if _recorder is None else _recorder.here()


def count(attribute: str) -> None:
    """Add 1 to an attribute of the span that the caller works in."""
    if _recorder is not None:
        _recorder.count(attribute)


async def _within(name: str, working: Coroutine[Any, Any, _T]) -> _T:
    with span(name):
        return await working
