"""What `bench intake` measures, at a size that takes a moment."""

import pytest

from ledger.bench.databases import BenchServer
from ledger.bench.intake import Options, measure
from ledger.clock import SystemClock


@pytest.mark.long
async def test_every_answered_record_is_recorded(server: BenchServer) -> None:
    """Over two servers on one database: the bench itself compares answers and rows."""
    options = Options(
        records=600,
        seconds=30,
        batches=(100,),
        customers=(5,),
        models=3,
        form="ndjson",
        connections=4,
        single_connections=1,
        servers=2,
    )
    (point,) = await measure(server, options, SystemClock())
    assert (point.records, point.form, point.servers) == (600, "ndjson", 2)
    assert 0 < point.p50_ms <= point.p99_ms
    assert point.server_cpu_share > 0
    assert point.server_peak_mib > 20
