"""What `bench scale` measures, at a size that takes a moment."""

import pytest

from ledger.bench.databases import BenchServer
from ledger.bench.report import in_order
from ledger.bench.scale import Options, measure
from ledger.clock import SystemClock


def test_sizes_come_in_order() -> None:
    """From the smallest on, each once, whatever order they are asked for in."""
    assert in_order((2000, 0, 2000, 10)) == [0, 10, 2000]


@pytest.mark.long
async def test_sizes_are_compared_with_the_smallest(server: BenchServer) -> None:
    """Here the only one, once more in the end; the bench compares all that is recorded with the rows."""
    options = Options(
        events=(2000,),
        days=30,
        customers=5,
        models=3,
        records=400,
        seconds=30,
        batch=100,
        form="json",
        connections=2,
    )
    stored, again = await measure(server, options, SystemClock())
    assert [(point.events, point.records) for point in (stored, again)] == [(2000, 400)] * 2
    assert stored.of_smallest == 1
    assert abs(again.of_smallest - again.records_per_s / stored.records_per_s) < 0.01
    assert stored.copy_per_s == again.copy_per_s
