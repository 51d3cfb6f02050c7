"""The recorder: spans as OpenTelemetry makes them, less what it would tell of errors."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

MOST_LINKS = 32
_PARENT = "traceparent"
_propagator = TraceContextTextMapPropagator()


class Recorder:
    """Makes spans of a tracer's. An error is told by its type; what it says may hold values."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Mapping[str, str | int] | None = None,
        links: Iterable[SpanContext | None] = (),
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        context: Context | None = None,
    ) -> Iterator[Span]:
        """A block as a span: within `context`, or within the one that its caller works in."""
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=kind,
            attributes=attributes,
            links=_links(links),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                kind_of_error = type(error)
                span.set_attribute(
                    "error.type", f"{kind_of_error.__module__}.{kind_of_error.__qualname__}"
                )
                self.fail(span)
                raise

    def request(self, method: str, parent: str | None) -> AbstractContextManager[Span]:
        """The span of a request of others, within the `traceparent` that they state."""
        attributes = {"http.request.method": method}
        context = continued(parent)
        return self.span(method, attributes, kind=SpanKind.SERVER, context=context)

    def fail(self, span: Span) -> None:
        """Mark a span as one that went wrong by our fault."""
        span.set_status(Status(StatusCode.ERROR))

    def here(self) -> SpanContext | None:
        """The span that the caller works in, if it is recorded."""
        context = get_current_span().get_span_context()
        return context if context.is_valid and context.trace_flags.sampled else None

    def count(self, attribute: str) -> None:
        """Add 1 to an attribute of the span that the caller works in."""
        span = get_current_span()
        if isinstance(span, ReadableSpan):
            before = (span.attributes or {}).get(attribute, 0)
            span.set_attribute(attribute, before + 1 if isinstance(before, int) else 1)


def continued(parent: str | None) -> Context:
    """What a W3C `traceparent` says a span is within; nothing, where it says nothing that can be read.

    `tracestate` and `baggage` are texts of the sender and are not read.
    """
    carrier = {} if parent is None else {_PARENT: parent}
    return _propagator.extract(carrier, context=Context())


def _links(to: Iterable[SpanContext | None]) -> list[Link]:
    """Each span once, the first of them, so that a batch of many requests stays small."""
    distinct = {each.span_id: each for each in to if each is not None}
    return [Link(each) for each in list(distinct.values())[:MOST_LINKS]]
