"""docs/faults.md says of every row what shows it, and that is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    line
    for line in (ROOT / "docs" / "faults.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| what happens")
]
TESTS = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("row", ROWS, ids=[row.split(" | ")[0][2:] for row in ROWS])
def test_a_row_is_shown_by_what_exists(row: str) -> None:
    """A test module by its name, a script by its path, or a trial by hand."""
    cells = row.strip("| ").split(" | ")
    shown_by = cells[-1]
    named = re.findall(r"`([^`]+)`", shown_by)

    assert len(cells) == 4
    assert named or shown_by == "tried by hand"
    for name in named:
        assert (ROOT / name).is_file() if "/" in name else name in TESTS
