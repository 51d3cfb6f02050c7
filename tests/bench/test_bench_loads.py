"""What `bench limits` and `bench pressure` measure, at sizes that take a moment."""

import pytest

from ledger.bench import limits, pressure
from ledger.bench.databases import BenchServer
from ledger.clock import SystemClock


@pytest.mark.long
async def test_every_question_is_answered_beside_intake(server: BenchServer) -> None:
    """As many answers as were due, and the bench compares the records beside with the rows."""
    options = limits.Options(
        checks=("spend",),
        per_s=50,
        intake=(400,),
        seconds=0.4,
        batch=20,
        events=500,
        customers=5,
        models=3,
    )
    points = await limits.measure(server, options, SystemClock())
    assert [(point.check, point.intake_per_s > 0) for point in points] == [("spend", True)]
    assert {(point.answered, point.refused) for point in points} == {(20, 0)}


@pytest.mark.long
async def test_what_is_accepted_under_pressure_is_recorded(server: BenchServer) -> None:
    """The bench itself compares; every request is accepted, told that there is no room, or failed."""
    options = pressure.Options(
        seconds=0.3,
        peak_records=2000,
        shares=(0.5, 2.0),
        batch=100,
        customers=5,
        models=3,
        connections=2,
        open_connections=10,
    )
    peak, half, twice = await pressure.measure(server, options, SystemClock())
    assert peak.load == "peak"
    assert peak.accepted == 100 * peak.requests > 0
    assert (half.full, half.failed) == (0, 0)
    assert half.accepted == 100 * half.requests
    assert twice.failed == 0
    assert twice.accepted == 100 * (twice.requests - twice.full)
    assert twice.peak_mib_before <= twice.peak_mib_after
