"""What the writer counts: once a batch, whatever its size."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from ledger.metrics.tallies import Count, Spread, gauge, timestamp_s

OUTCOMES = ("accepted", "duplicate", "conflict", "rejected")
STAGES = ("plan", "write", "commit")
RETRIES = ("key_taken", "other_writer", "configuration_moved")
ALERTS = ("alert_raised", "unrated_found")
_RECORDS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class IntakeMetrics(Collector):
    """Records, and the batches that they are committed in."""

    def __init__(self) -> None:
        self.records = Count(
            "ledger_records_total",
            "Records by what became of them.",
            "outcome",
            at_first=_each(OUTCOMES),
        )
        self.unrated = Count("ledger_records_unrated_total", "Accepted without a price.")
        self.unmetered = Count("ledger_records_unmetered_total", "Accepted as pending or error.")
        self.alerts = Count(
            "ledger_alerts_total",
            "Alerts that records taken in have raised.",
            "kind",
            at_first=_each(ALERTS),
        )
        self.batch_records = Spread("ledger_batch_records", "Records in a batch.", _RECORDS)
        self.batch_seconds = Spread("ledger_batch_seconds", "Time of a batch.", _SECONDS)
        self.stage_seconds = Spread(
            "ledger_batch_stage_seconds",
            "Time of a batch by stage.",
            _SECONDS,
            "stage",
            at_first=_each(STAGES),
        )
        self.probed = Count(
            "ledger_batches_probed_total", "Batches whose keys were looked up first."
        )
        self.failed = Count("ledger_batches_failed_total", "Batches that were not committed.")
        self.retries = Count(
            "ledger_batch_retries_total",
            "Attempts at a batch that had to be repeated, by why.",
            "reason",
            at_first=_each(RETRIES),
        )
        self.last_batch_at: datetime | None = None

    def committed(
        self, outcomes: Mapping[str, int], stage_s: Mapping[str, float], *, is_probed: bool
    ) -> None:
        """Count a batch: how many records had each outcome, and the seconds that each stage took."""
        self.batch_records.observe(sum(outcomes.values()))
        for outcome, records in outcomes.items():
            self.records.count(outcome, by=records)
        self.batch_seconds.observe(sum(stage_s.values()))
        for stage, seconds in stage_s.items():
            self.stage_seconds.observe(seconds, stage)
        if is_probed:
            self.probed.count()

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        for each in (
            *(self.records, self.unrated, self.unmetered, self.alerts),
            *(self.batch_records, self.batch_seconds, self.stage_seconds),
            *(self.probed, self.retries, self.failed),
        ):
            yield from each.collect()
        yield gauge(
            "ledger_last_batch_timestamp_seconds",
            "When this process last wrote a batch.",
            timestamp_s(self.last_batch_at),
        )


def _each(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [(word,) for word in words]
