"""What `bench storage` measures, at a size that takes a moment."""

import msgspec
import pytest

from ledger.bench.databases import BenchServer
from ledger.bench.storage import KINDS, Options, measure
from ledger.clock import SystemClock
from ledger.core.request_ids import request_key, time_of

RECORD = b'{"request_id":"req_01K7QJT2YSVV0YR2NPK4Z2GRXQ","customer_id":"c","input_tokens":1}'


def test_kinds_differ_in_what_they_are_named_for() -> None:
    """Ids without a time that are as distinct as the records, pairs of text, and nothing else."""
    plain, worded, opaque = (msgspec.json.decode(change(RECORD)) for change in KINDS.values())
    assert {key: worded[key] for key in plain} == plain
    assert len(worded["metadata"]) == 5
    assert time_of(request_key(opaque["request_id"])) is None
    assert len(opaque["request_id"]) == 36
    assert KINDS["opaque"](RECORD) != KINDS["opaque"](RECORD.replace(b"RXQ", b"RXR"))


@pytest.mark.long
async def test_words_and_rollups_are_counted_where_they_lie(server: BenchServer) -> None:
    """A row of words for every record that has any, and a rollup row for an hour that has a record."""
    options = Options(kinds=("metadata",), records=900, days=30, customers=5, models=3)
    points = await measure(server, options, SystemClock())
    rows = {point.table: point.rows for point in points}
    assert rows["usage_event"] == rows["event_text"] == 900
    assert 0 < rows["rollup_hour"] <= 900
    assert all(point.row_bytes < point.table_bytes_a_row for point in points)
