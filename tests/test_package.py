"""The wheel carries everything it needs outside the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

from ledger.store.migrations import migrations
from pricing import shipped_rate_files

PROGRAM = """
import ledger, ledger.cli.main, pricing, ledger.store.migrations as m
print(ledger.__file__, len(m.migrations()), len(pricing.shipped_rate_files()))
"""
ROOT = Path(__file__).parents[1]


def test_the_wheel_works_without_the_checkout(tmp_path: Path) -> None:
    """Migrations, queries and rate tables are found where the package is installed."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    installed = tmp_path / "installed"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(installed)

    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "PATH": ""},
        check=True,
        capture_output=True,
        text=True,
    )

    place, migration_count, rate_file_count = shown.stdout.split()
    assert Path(place).is_relative_to(installed)
    assert int(migration_count) == len(migrations())
    assert int(rate_file_count) == len(shipped_rate_files())
