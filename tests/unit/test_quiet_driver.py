"""A command that loses its database says so once, without the driver's traces."""

import subprocess
import sys

DRIVER_WARNS = (
    "import logging, ledger.cli.running; logging.getLogger('asyncpg.pool').warning('lost')"
)


def test_what_the_driver_tells_is_not_for_a_command() -> None:
    """Where a log was begun it goes there; else nobody has asked for it."""
    told = subprocess.run(
        [sys.executable, "-c", DRIVER_WARNS], capture_output=True, check=True, timeout=60
    )
    assert told.stderr == b""
