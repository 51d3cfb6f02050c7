"""Where and how a program is started must not matter, or be told in words."""

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from ledger.settings import read_settings

ROOT = Path(__file__).parents[2]
SPEND = "-m ledger spend --from 2026-10-01 --to 2026-11-01"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in an environment of nothing but what is given."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_file_is_an_empty_one(database_url: str, closed: str) -> None:
    """As some supervisors start programs. What is printed reaches nobody, the database least."""
    done = shell(
        f"{sys.executable} {SPEND} {closed}",
        PYTHONPATH=str(ROOT),
        LEDGER_DATABASE_URL=database_url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (">&- " not in f" {closed} ".replace("2>&-", ""))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_full_disk_is_told_in_a_line(database_url: str, form: str) -> None:
    """Nobody takes half a result for a whole one."""
    done = shell(
        f"{sys.executable} {SPEND} {form} >/dev/full",
        PYTHONPATH=str(ROOT),
        LEDGER_DATABASE_URL=database_url,
    )

    assert done.returncode == 2
    assert done.stderr == "ledger: [Errno 28] No space left on device\n"


def test_a_user_without_a_home_gets_the_system_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither HOME nor /etc/passwd knows one; what cannot be written there is told later."""

    def homeless(*_: object, **__: object) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(platformdirs, "user_data_dir", homeless)

    assert read_settings({}).data_dir == Path("/var/lib/ledger")
