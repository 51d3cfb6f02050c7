"""Addresses are taken before anything else is begun, alone or with others."""

import pytest

from ledger.cli.serve import listen
from ledger.core.errors import SetupError


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    """Also by one who would have shared it."""
    with listen("127.0.0.1", 0) as first:
        first.listen()
        for is_shared in (False, True):
            with pytest.raises(SetupError, match="choose another address with --host and --port"):
                listen("127.0.0.1", first.getsockname()[1], is_shared=is_shared)


def test_servers_that_share_a_port_listen_beside_each_other() -> None:
    """And nobody else does."""
    with listen("127.0.0.1", 0, is_shared=True) as first:
        port = first.getsockname()[1]
        first.listen()
        with listen("127.0.0.1", port, is_shared=True) as second:
            second.listen()
            assert second.getsockname() == first.getsockname()
        with pytest.raises(SetupError):
            listen("127.0.0.1", port)
