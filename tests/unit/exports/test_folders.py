"""A folder of files appears whole or not at all."""

from pathlib import Path

import pytest

from ledger.core.errors import SetupError
from ledger.exports.folders import pending_folder


def fill(parent: Path, text: str) -> None:
    with pending_folder(parent, "2026-11-20") as folder:
        (folder / "usage.csv").write_text(text)
        assert parent not in (folder, folder.parent.parent)
        assert folder.name.startswith(".")  # who looks for days does not see it


def test_it_stands_under_its_name_when_it_is_filled(tmp_path: Path) -> None:
    """With its parent, readable as any folder of this process is, and nothing else beside it."""
    fill(tmp_path / "drop", "one")
    assert [path.name for path in (tmp_path / "drop").iterdir()] == ["2026-11-20"]
    assert (tmp_path / "drop/2026-11-20/usage.csv").read_text() == "one"
    (tmp_path / "usual").mkdir()
    assert (tmp_path / "drop/2026-11-20").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_it_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    """Whole: no file of that stays."""
    fill(tmp_path, "one")
    (tmp_path / "2026-11-20" / "other.csv").touch()
    fill(tmp_path, "two")
    assert [path.name for path in tmp_path.iterdir()] == ["2026-11-20"]
    assert [path.read_text() for path in (tmp_path / "2026-11-20").iterdir()] == ["two"]


def test_what_fails_leaves_the_earlier_one(tmp_path: Path) -> None:
    """And nothing of itself."""
    fill(tmp_path, "one")
    with pytest.raises(TypeError):
        fill(tmp_path, None)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["2026-11-20"]
    assert (tmp_path / "2026-11-20/usage.csv").read_text() == "one"


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """Of the same name; of another it may be at work."""
    (tmp_path / ".2026-11-20.1.part").mkdir()
    (tmp_path / ".2026-11-20.1.part" / "usage.csv").touch()
    (tmp_path / ".2026-11-21.1.part").mkdir()
    fill(tmp_path, "one")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".2026-11-21.1.part", "2026-11-20"]


def test_a_parent_that_takes_nothing_is_named(tmp_path: Path) -> None:
    """Before anything is written."""
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="cannot write to"), pending_folder(tmp_path / "file", "x"):
        pass
