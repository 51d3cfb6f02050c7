"""Running the command line, within this process or as programs do."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.cli.main import main

ROOT = Path(__file__).parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No width is given, whatever the tests are run in."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def run(database_url: str) -> Run:
    """Run `ledger` on the fresh database in this process: to start one takes longer than most commands."""

    def run_ledger(
        *words: object, code: int = 0, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        command = [*map(str, words)]
        environment = {"LEDGER_DATABASE_URL": database_url} | changes
        runner = CliRunner(env=environment)
        with ThreadPoolExecutor(1) as thread:  # in this one the test's own loop may run
            invoked = thread.submit(
                runner.invoke, main, command, prog_name="ledger", catch_exceptions=False
            )
            result = invoked.result()
        assert result.exit_code == code, result.stderr
        return subprocess.CompletedProcess(command, result.exit_code, result.stdout, result.stderr)

    return run_ledger


@pytest.fixture
def program(database_url: str) -> Run:
    """Run `ledger` on the fresh database as a program."""
    environment = {**os.environ, "LEDGER_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}

    def run_program(
        *words: object, code: int = 0, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "ledger", *map(str, words)],
            env=environment | changes,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    return run_program
