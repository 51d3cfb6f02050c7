"""How far the database's clock is from ours, as one question tells it."""

from datetime import timedelta

import pytest

from ledger.store.clock_offset import clock_offset
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("took_s", "database_s", "ahead_s", "at_least_s"),
    [
        (0, 0, 0, 0),
        (2, 1, 0, 0),  # in the middle of the round trip
        (2, 0, -1, 0),  # anywhere in it is no difference that is known of
        (2, 2, 1, 0),
        (2, 62, 61, 60),
        (2, -61, -62, 61),
        (0, 0.5, 0.5, 0.5),
    ],
)
def test_the_round_trip_is_allowed_for(
    took_s: float, database_s: float, ahead_s: float, at_least_s: float
) -> None:
    """What is known is how far apart they are at least."""
    at = [NOW + timedelta(seconds=seconds) for seconds in (0, took_s, database_s)]
    offset = clock_offset(*at)
    assert (offset.ahead_s, offset.at_least_s) == (ahead_s, at_least_s)
