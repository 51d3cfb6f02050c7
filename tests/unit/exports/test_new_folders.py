"""A folder that is given its name when it is full, and takes no other's place."""

from pathlib import Path

import pytest

from ledger.core.errors import SetupError
from ledger.exports.new_folders import new_folder


def fill(place: Path) -> None:
    with new_folder(place) as folder:
        assert folder.parent == place.resolve().parent
        (folder / "file").write_text("whole")


def test_it_appears_when_it_is_full_open_to_its_owner_alone(tmp_path: Path) -> None:
    """Where there was nothing, or an empty folder; with the folders above it."""
    new, empty = tmp_path / "new" / "dump", tmp_path / "empty" / "dump"
    empty.mkdir(parents=True)

    for place in (new, empty):
        fill(place)

        assert [path.name for path in place.iterdir()] == ["file"]
        assert place.stat().st_mode & 0o777 == 0o700
        assert [path.name for path in place.parent.iterdir()] == ["dump"]


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    """A file, a folder with something in it; and nothing is begun."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "file").touch()
    for name in ("full", "file"):
        with pytest.raises(
            SetupError, match="is there already; name a folder that is new or empty"
        ):
            fill(tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "mine"]


def test_a_mount_point_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However empty: no folder takes its place, and that would show when all is written."""
    (tmp_path / "volume").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path.name == "volume")
    with pytest.raises(SetupError, match="is a mount point; name a folder that is new within it"):
        fill(tmp_path / "volume")
    fill(tmp_path / "volume" / "dump")
    assert [path.name for path in tmp_path.iterdir()] == ["volume"]


def test_what_somebody_else_puts_there_meanwhile_stays(tmp_path: Path) -> None:
    """Who comes second is refused, and leaves nothing."""

    def fill_twice() -> None:
        with new_folder(tmp_path / "dump") as folder:
            (folder / "file").touch()
            fill(tmp_path / "dump")

    with pytest.raises(SetupError, match="is there already"):
        fill_twice()
    assert (tmp_path / "dump" / "file").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["dump"]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    """Whatever it was."""

    def break_off() -> None:
        with new_folder(tmp_path / "dump") as folder:
            (folder / "file").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"cannot write .*dump: .*Name a folder that"):
        fill(tmp_path / "file" / "dump")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
