"""The exporter: spans to a collector, OTLP over HTTP. What it meets there stays here.

It sends from a thread of its own what a bounded queue holds, and drops what does not fit. OpenTelemetry's own
`OTEL_BSP_*` and `OTEL_EXPORTER_OTLP_*` hold as they are.
"""

import asyncio
import logging
from collections.abc import Sequence
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import ledger as product
from ledger.core.errors import SetupError
from ledger.logs import logger
from ledger.traces.recorder import Recorder

FLUSH_S = 2  # how long the end of the process waits for the last spans
# For each batch that fails they would log an address, and what the collector answered; of headers that they
# cannot read all that these say, which may be a key.
_SILENT = ("opentelemetry", "urllib3")

_LOG = logger(__name__)


class Exporting:
    """Spans on their way, until `end`."""

    def __init__(self) -> None:
        """Begin.

        Raises:
            SetupError: the environment describes a collector that cannot be.
        """
        for name in _SILENT:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            exporter = Told(OTLPSpanExporter())
            processor = BatchSpanProcessor(exporter)
        except (ValueError, RuntimeError) as error:
            raise SetupError(
                f"a variable of OTEL_EXPORTER_OTLP_... or OTEL_BSP_... cannot be: {error}"
            ) from None
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self.recorder = Recorder(self._provider.get_tracer("ledger", product.__version__))
        _LOG.info("tracing_started")

    async def end(self) -> None:
        """Send what is left, as far as two seconds suffice for it."""
        ending = Thread(target=self._provider.shutdown, name="ledger-last-spans", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, FLUSH_S)


class Told(SpanExporter):
    """An exporter of which the log tells when it begins to fail and when that is over, and no more."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans."""
        result = self._exporter.export(spans)
        fails = result is not SpanExportResult.SUCCESS
        if fails and not self._fails:
            _LOG.warning("spans_not_exported")
        elif self._fails and not fails:
            _LOG.info("spans_exported_again")
        self._fails = fails
        return result

    def shutdown(self) -> None:
        """Send nothing more."""
        self._exporter.shutdown()


def _resource() -> Resource:
    """Who the spans are of: us, unless the environment says otherwise."""
    ours = {"service.name": "usage-ledger", "service.version": product.__version__}
    return Resource.create(ours).merge(OTELResourceDetector().detect())
