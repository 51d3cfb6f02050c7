"""What `bench storage` measures, at a size that takes a moment."""

from ledger.bench.databases import BenchServer
from ledger.bench.storage import KINDS, Options, measure
from ledger.clock import SystemClock


async def test_words_and_rollups_are_counted_where_they_lie(server: BenchServer) -> None:
    """Records without metadata have no words; ids that are opaque stand in the rows of events."""
    options = Options(records=900, days=30, customers=5, models=3)
    points = await measure(server, options, SystemClock())
    rows = {(point.kind, point.table): point.rows for point in points}
    assert [rows[kind, "usage_event"] for kind in KINDS] == [900, 900, 900]
    assert rows["plain", "event_text"] == rows["opaque ids", "event_text"] == 0
    assert rows["with 5 pairs of metadata", "event_text"] == 900
    assert all(0 < rows[kind, "rollup_hour"] <= 900 for kind in KINDS)
    wide = {point.kind: point.row_bytes for point in points if point.table == "usage_event"}
    assert wide["plain"] < wide["opaque ids"]
