"""Exported files appear whole, together, or not at all."""

import fcntl
import hashlib
from pathlib import Path
from typing import IO, Any

import pytest

from ledger.core.errors import SetupError
from ledger.exports.files import pending_files


def test_files_appear_when_all_of_them_are_complete(tmp_path: Path) -> None:
    """Until then the folder shows nothing under their names."""
    folder = tmp_path / "a" / "b"
    with pending_files(folder) as open_file:
        first, second = open_file("one.csv"), open_file("two.csv")
        first.write(b"1\r\n")
        second.write(b"2\r\n")
        assert not (folder / "one.csv").exists()
        assert first.sha256 == hashlib.sha256(b"1\r\n").hexdigest()

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "one.csv": b"1\r\n",
        "two.csv": b"2\r\n",
    }


def test_a_failure_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    """Earlier files stay, and no piece of the new ones is left."""
    (tmp_path / "one.csv").write_bytes(b"earlier")

    with pytest.raises(TypeError), pending_files(tmp_path) as open_file:
        open_file("one.csv").write("no bytes")  # type: ignore[arg-type]

    assert [path.name for path in tmp_path.iterdir()] == ["one.csv"]
    assert (tmp_path / "one.csv").read_bytes() == b"earlier"


def test_what_the_killed_have_left_is_removed(tmp_path: Path) -> None:
    """The lock on a file ends with its process; that of one at work stays, and so do other files."""
    left, at_work, other = (
        tmp_path / name for name in (".one.csv.1.part", ".one.csv.2.part", ".two.csv.1.part")
    )
    for file in (left, at_work, other):
        file.write_bytes(b"half")

    with at_work.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        with pending_files(tmp_path) as open_file:
            open_file("one.csv").write(b"whole")

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        at_work.name,
        other.name,
        "one.csv",
    ]


def test_a_file_at_work_is_not_taken_for_a_left_one(tmp_path: Path) -> None:
    """Another export into the same folder meanwhile leaves it alone."""
    with pending_files(tmp_path) as open_file:
        open_file("one.csv").write(b"mine")
        [pending] = tmp_path.iterdir()
        with pending.open("rb") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_file_that_was_taken_before_it_was_locked_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another export may look for left ones in just that moment."""
    opened = Path.open
    taken: list[Path] = []

    def open_and_lose(path: Path, mode: str = "r") -> IO[Any]:
        file = opened(path, mode)
        if mode == "wb" and not taken:
            taken.append(path)
            path.unlink()
        return file

    monkeypatch.setattr(Path, "open", open_and_lose)
    with pending_files(tmp_path) as open_file:
        open_file("one.csv").write(b"whole")

    assert taken
    assert (tmp_path / "one.csv").read_bytes() == b"whole"


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    """The error says which one and what to do."""
    (tmp_path / "file").write_bytes(b"")

    with (
        pytest.raises(SetupError, match=r"file.*has room"),
        pending_files(tmp_path / "file") as open_file,
    ):
        open_file("one.csv")
