"""What `bench spend` asks, at a size that takes a moment."""

import pytest

from ledger.bench.databases import BenchServer
from ledger.bench.spend import Options, measure
from ledger.clock import SystemClock


@pytest.mark.long
async def test_questions_are_about_all_that_was_filled_in(server: BenchServer) -> None:
    """A year of all counts every event, a year of one customer that one's share of them."""
    options = Options(events=(3650,), days=365, customers=5, models=4, requests=3, seconds=30)
    points = await measure(server, options, SystemClock())
    counted = {point.question: point.counted for point in points}
    assert counted["a year by day of all"] == 3650
    assert counted["a year by day of one customer"] == 3650 // 5
    assert counted["a month by model of all"] == 3650 * 30 // 365
    assert {point.rows for point in points} == {1, 4, 365}
    assert all(point.of_smallest == 1 for point in points)
    assert all(point.asked == 3 for point in points)
