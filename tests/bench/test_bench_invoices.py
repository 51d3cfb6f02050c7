"""What `bench invoices` measures, at a size that takes a moment."""

import pytest

from ledger.bench.databases import BenchServer
from ledger.bench.invoices import Options, measure
from ledger.clock import SystemClock


@pytest.mark.long
async def test_every_customer_has_an_invoice_with_a_line_for_each_model(
    server: BenchServer,
) -> None:
    """The bench itself compares the lines with those that the floor wrote."""
    options = Options(customers=(30,), models=4, events_a_line=2)
    (point,) = await measure(server, options, SystemClock())
    assert (point.events, point.issued, point.lines) == (240, 30, 120)
    assert point.peak_mib > 20
