"""What the process knows by itself, for /metrics: true also while the database is away."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.metrics.tallies import gauge
from ledger.services.intake.intake import Intake
from ledger.services.intake.writer import MAX_WAITING_RECORDS
from ledger.store.database import Database
from ledger.store.migrations import newest_migration


class ProcessState(Collector):
    """The writer and its queue, the connections, and whether the database is there."""

    def __init__(self, version: str, database: Database, intake: Intake) -> None:
        self._build = {"version": version, "schema": newest_migration()}
        self._database = database
        self._intake = intake

    def collect(self) -> Iterator[Metric]:
        """All of it, as it is now."""
        yield InfoMetricFamily("ledger_build", "What runs, and the schema it is for.", self._build)
        yield from self._of_the_writer()
        yield from self._of_the_database()
        yield from self._of_the_pool()

    def _of_the_writer(self) -> Iterator[Metric]:
        writer, room = self._intake.writer, self._intake.bytes_in_flight
        yield gauge(
            "ledger_writer_lane_held", "Whether the writer holds a lane.", writer.holds_lane
        )
        yield gauge("ledger_queue_records", "Records that wait.", writer.waiting_records)
        yield gauge("ledger_queue_records_limit", "How many may.", MAX_WAITING_RECORDS)
        yield gauge("ledger_queue_submissions", "Calls that wait.", writer.waiting_submissions)
        yield gauge("ledger_body_bytes", "Bodies in memory, decoded.", room.held_bytes)
        yield gauge("ledger_body_bytes_limit", "How much they may take.", room.most_bytes)

    def _of_the_database(self) -> Iterator[Metric]:
        presence = self._database.presence
        offset = presence.clock_offset
        yield gauge(
            "ledger_database_up", "Whether the database answers.", presence.why_away is None
        )
        yield gauge(
            "ledger_clock_offset_seconds",
            "By how much the database's clock is ahead of ours.",
            None if offset is None else offset.ahead_s,
        )
        errors = CounterMetricFamily(
            "ledger_database_errors_total", "Errors of the database, by kind.", labels=["kind"]
        )
        for kind, count in self._database.failures.items():
            errors.add_metric((kind,), count)
        yield errors

    def _of_the_pool(self) -> Iterator[Metric]:
        turns, streams = self._database.turns, self._database.streams
        yield gauge("ledger_pool_connections", "Connections of the pool in use.", turns.in_use)
        yield gauge("ledger_pool_connections_limit", "How many there may be.", turns.most)
        yield gauge("ledger_pool_waiting", "Calls that wait for one.", turns.waiting)
        yield gauge("ledger_streams", "Exports on their way.", streams.most - streams.free)
        yield gauge("ledger_streams_limit", "How many there may be.", streams.most)
