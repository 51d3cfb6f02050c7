"""All that one application counts, in a registry of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.registry import Collector

from ledger.metrics.http import HttpMetrics
from ledger.metrics.intake import IntakeMetrics
from ledger.metrics.tallies import Count


class Metrics:
    """The instruments, and the registry that shows them; two applications share none of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.intake = IntakeMetrics()
        self.http = HttpMetrics()
        self.job_runs = Count(
            "ledger_job_runs_total",
            "Runs of jobs in this process, by how they ended.",
            *("name", "outcome"),
        )
        for collector in (self.intake, self.http, self.job_runs):
            self.registry.register(collector)
        for of_the_process in (ProcessCollector, PlatformCollector, GCCollector):
            of_the_process(registry=self.registry)

    @contextmanager
    def showing(self, *collectors: Collector) -> Iterator[None]:
        """A block in which something is shown as well."""
        for collector in collectors:
            self.registry.register(collector)
        try:
            yield
        finally:
            for collector in collectors:
                self.registry.unregister(collector)
