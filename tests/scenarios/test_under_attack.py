"""A real server under attack, and one whose database goes away: short runs of the soaks."""

from datetime import UTC, datetime

import pytest

from ledger.bench import door, outage
from ledger.bench.silent import WORDY

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEAK_MIB = 400
SLOWEST_S = 8  # a little more than two, where nobody else uses the processor


@pytest.mark.long
async def test_attacks_cost_little_and_good_records_are_taken() -> None:
    """Bombs, long streams, clients that drip or never read: flat memory, clear answers, nothing lost."""
    result = await door.measure(
        door.Options(connections=300, silent=12, seconds=3, stream_mib=80), NOW
    )

    assert result.peak_mib < PEAK_MIB
    assert result.dripping_at_once == 300
    assert result.silent_at_once == 12
    assert result.good_records > 0
    # What the compressed stream repeats is recorded once.
    assert result.recorded == result.good_records + door.DISTINCT + WORDY
    assert {name: set(statuses) for name, statuses in result.answers.items()} == {
        "bomb of zeros, zstd": {200},  # one line that is too long, which is a reject
        "bomb of blank lines, zstd": {200},
        "bomb of zeros, gzip": {200},
        "bomb as an array": {413},
        "array of zeros": {413},
        "stream on the wire": {413},
        "stream, compressed": {200},
    }


@pytest.mark.long
async def test_an_outage_loses_and_doubles_nothing() -> None:
    """Stopped, then hung, under load: what was answered is there, what was refused can be sent again."""
    for each in await outage.measure(seconds=1, away_s=3, now=NOW):
        assert each.answered > 0
        assert each.refused > 0
        assert each.other_answers == each.health_failures == 0
        assert each.slowest_answer_s < SLOWEST_S
        assert each.resent_duplicates == each.answered
        assert each.resent_accepted <= each.refused  # some may have been committed before the end
        assert each.events == each.answered + each.refused
        assert each.is_verified
