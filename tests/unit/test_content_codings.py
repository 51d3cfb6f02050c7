"""Which coding an answer is sent in."""

import pytest

from ledger.api.content_codings import choose_coding

OFFERED = ("zstd", "gzip")


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("GZip ; Q=0.3", "gzip"),
        ("gzip, zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=0.9, zstd;q=0.8", "gzip"),
        ("br, deflate", "identity"),
        ("*", "zstd"),
        ("*;q=0.5, zstd;q=0", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity, gzip", "gzip"),
        ("identity;q=0.5, gzip;q=0.6", "gzip"),
        ("identity;q=0", "identity"),
        ("*;q=0", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=-1", "identity"),
        ("gzip;q=nan", "identity"),
        ("gzip;q=", "identity"),
        ("gzip;level=9", "identity"),
        (";;,,=;q", "identity"),
        ("gzip;q=x, zstd;q=0.1", "zstd"),
    ],
)
def test_the_reader_s_weights_decide(accepted: str, chosen: str) -> None:
    """The heaviest of what is offered; what is refused, unknown or unreadable is not sent."""
    assert choose_coding(accepted, OFFERED) == chosen
