"""What `bench scale` measures, at a size that takes a moment."""

from ledger.bench.databases import BenchServer
from ledger.bench.scale import Options, measure
from ledger.clock import SystemClock


async def test_sizes_are_compared_with_the_smallest(server: BenchServer) -> None:
    """From the smallest on, whatever order they are asked for in, and with that once more in the end."""
    options = Options(
        events=(2000, 0),
        days=30,
        customers=5,
        models=3,
        records=400,
        seconds=30,
        batch=100,
        form="ndjson",
        connections=2,
    )
    empty, stored, again = await measure(server, options, SystemClock())
    assert [point.events for point in (empty, stored, again)] == [0, 2000, 0]
    assert (empty.records, stored.records) == (400, 400)
    assert empty.of_smallest == 1
    assert abs(stored.of_smallest - stored.records_per_s / empty.records_per_s) < 0.01
    assert stored.copy_per_s == empty.copy_per_s
