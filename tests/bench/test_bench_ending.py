"""A bench that is told to end takes its servers and folders with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.servers import data_folder, memory_folder

ROOT = Path(__file__).parents[2]


def test_a_bench_that_is_told_to_end_leaves_nothing() -> None:
    """Told while it measures: neither its database nor its folder are there afterwards."""
    with data_folder(memory_folder()) as parent:
        with subprocess.Popen(
            [sys.executable, "-m", "ledger.bench", "intake", "--batch", "1", "--records", "5000"],
            env={**os.environ, "TMPDIR": str(parent), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as bench:
            assert bench.stderr is not None
            assert b"PostgreSQL" in bench.stderr.readline()
            (folder,) = parent.iterdir()
            database = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
            bench.send_signal(signal.SIGTERM)
            assert bench.wait(timeout=60) == 3
        assert list(parent.iterdir()) == []
        ended_by = time.monotonic() + 10  # its last file goes a little before it does
        while _runs(database) and time.monotonic() < ended_by:
            time.sleep(0.01)
        assert not _runs(database)


def _runs(process_id: int) -> bool:
    """Whether a process is at work; one that has ended may wait for its parent, whoever that is."""
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
