"""Whether traces are collected, as the environment of OpenTelemetry says it."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from ledger.traces.spans import recorded_by

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


@asynccontextmanager
async def collected_traces() -> AsyncIterator[None]:
    """Send spans to the collector that the environment names, while the block runs; none are made without.

    Raises:
        SetupError: the environment describes a collector that cannot be.
    """
    if not is_wanted(os.environ):
        yield
        return
    # Only here, as it takes a tenth of a second and 20 MiB.
    from ledger.traces.exporter import Exporting  # noqa: PLC0415

    exporting = Exporting()
    try:
        with recorded_by(exporting.recorder):
            yield
    finally:
        await exporting.end()


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether there is a collector, and nothing says that it is to get nothing."""
    is_disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    is_elsewhere = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    has_endpoint = any(environment.get(name, "").strip() for name in _ENDPOINTS)
    return has_endpoint and not (is_disabled or is_elsewhere)
