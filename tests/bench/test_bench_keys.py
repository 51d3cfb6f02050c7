"""What `bench keys` measures, at a size that takes a moment."""

import pytest

from ledger.bench.databases import BenchServer
from ledger.bench.keys import KEYS, Options, measure
from ledger.clock import SystemClock


@pytest.mark.long
async def test_every_key_holds_the_same_rows(server: BenchServer) -> None:
    """A table without a key has no index and is its own measure; lists have ten, or the bench fails."""
    options = Options(rows=20_000, customers=40, models=3, batch=500)
    points = await measure(server, options, SystemClock())
    assert [point.key for point in points] == list(KEYS)
    bare, id_first, customer_first, both = points
    assert (bare.ratio, bare.index_bytes_a_row) == (1.0, 0.0)
    assert 0 < id_first.index_bytes_a_row < both.index_bytes_a_row
    assert customer_first.index_bytes_a_row > 0
    assert {point.table_bytes_a_row for point in points} == {bare.table_bytes_a_row}
