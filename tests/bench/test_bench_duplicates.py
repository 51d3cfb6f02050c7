"""What `bench duplicates` measures, at a size that takes a moment."""

import pytest

from ledger.bench.databases import BenchServer
from ledger.bench.duplicates import Options, measure
from ledger.bench.streams import STREAMS
from ledger.clock import SystemClock


def test_half_of_a_stream_was_sent_before() -> None:
    """Streams are of one length, and what is sent again was sent before."""
    batches = [[b"%d %d" % (batch, line) for line in range(4)] for batch in range(32)]
    for name, stream in STREAMS.items():
        lines = [line for batch in stream(batches) for line in batch]
        assert len(lines) == 128
        assert len(set(lines)) == (128 if name == "clean" else 64)


@pytest.mark.long
async def test_duplicates_are_as_many_as_were_sent_again(server: BenchServer) -> None:
    """The bench itself compares what is accepted with the rows."""
    options = Options(
        records=640,
        seconds=30,
        batch=20,
        form="ndjson",
        streams=("clean", "half are retries, in every batch"),
        connections=2,
        customers=5,
        models=3,
    )
    points = await measure(server, options, SystemClock())
    shares = [(point.way, point.accepted, point.duplicates) for point in points]
    assert shares == [
        ("http", 640, 0),
        ("http", 0, 640),
        ("http", 320, 320),
        ("ingest", 640, 0),
        ("ingest", 0, 640),
    ]
    assert points[0].of_clean == points[3].of_clean == 1
