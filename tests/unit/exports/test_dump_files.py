"""The files of a dump: what is written is what is read, and what is not is refused before it is used up."""

import errno
import hashlib
import os
from pathlib import Path

import msgspec
import pytest
import zstandard

from ledger.core.dumps import MANIFEST, MAX_MANIFEST_BYTES, DumpedTable
from ledger.core.errors import InvalidParameter, SetupError
from ledger.exports.dump_files import (
    PIECE_BYTES,
    DumpFile,
    checked_text,
    manifest_in,
    names_in,
    require_sizes,
)

TEXT = b"".join(b"%d\tsome text\n" % number for number in range(200_000))


def write(folder: Path, text: bytes = TEXT) -> DumpedTable:
    """A table's file, written in pieces, and what the manifest says of it."""
    file = DumpFile(folder, "batch.copy.zst")
    for start in range(0, len(text), 65_536):
        file.write(text[start : start + 65_536])
    file.complete()
    return DumpedTable(
        "batch", file.name, ("batch",), file.rows, file.text_bytes, file.file_bytes, file.sha256
    )


async def read(folder: Path, dumped: DumpedTable) -> tuple[bytes, list[int]]:
    """The text, and the progress that was told."""
    progress: list[int] = []
    pieces = [piece async for piece in checked_text(folder, dumped, progress.append)]
    assert all(len(piece) <= PIECE_BYTES for piece in pieces)
    return b"".join(pieces), progress


async def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    """To the byte, in pieces, by its owner alone; and the manifest is told size, digest and rows."""
    dumped = write(tmp_path)

    text, progress = await read(tmp_path, dumped)

    assert text == TEXT
    assert progress[-1] == dumped.rows == 200_000
    assert len(progress) == -(-len(TEXT) // PIECE_BYTES)
    assert dumped.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert (tmp_path / dumped.file).stat().st_mode & 0o777 == 0o600
    assert dumped.file_bytes == (tmp_path / dumped.file).stat().st_size < len(TEXT) / 3
    require_sizes(tmp_path, (dumped,))


async def test_a_table_without_rows_has_a_file(tmp_path: Path) -> None:
    """Of no text."""
    dumped = write(tmp_path, b"")
    assert await read(tmp_path, dumped) == (b"", [])
    assert dumped.rows == 0


async def test_other_text_is_refused(tmp_path: Path) -> None:
    """More is refused before it is given, less and other at the end."""
    dumped = write(tmp_path)
    for changes, complaint in (
        ({"text_bytes": 100}, "holds more than the manifest says"),
        ({"text_bytes": len(TEXT) + 1}, "is not what was dumped"),
        ({"sha256": "0" * 64}, "is not what was dumped"),
    ):
        with pytest.raises(InvalidParameter, match=f"batch.copy.zst: {complaint}"):
            await read(tmp_path, msgspec.structs.replace(dumped, **changes))


async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """Cut off, no compressed text at all, or one that asks its reader for much memory."""
    dumped = write(tmp_path)
    path = tmp_path / dumped.file
    content = path.read_bytes()
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    for damaged in (
        content[: len(content) // 2],
        b"no frame",
        zstandard.ZstdCompressor(compression_params=wide).compressobj().compress(TEXT * 2)
        + content,
    ):
        path.write_bytes(damaged)
        with pytest.raises(InvalidParameter, match=r"batch\.copy\.zst: is"):
            await read(tmp_path, dumped)
        with pytest.raises(InvalidParameter, match=r"has \d+ bytes of \d+; copy the dump again"):
            require_sizes(tmp_path, (dumped,))
    path.unlink()
    with pytest.raises(InvalidParameter, match=r"batch\.copy\.zst: cannot be read: No such file"):
        await read(tmp_path, dumped)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""
    file = DumpFile(tmp_path, "batch.copy.zst")

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(
        SetupError, match=r"cannot write .*: No space left on device\. Name a folder"
    ):
        file.complete()
    file.close()
    with pytest.raises(SetupError, match=r"cannot write .*File exists"):
        DumpFile(tmp_path, "batch.copy.zst")


def test_a_folder_of_files_and_nothing_else(tmp_path: Path) -> None:
    """What is no file is named, and so is a folder that is none."""
    (tmp_path / "one").touch()
    assert names_in(tmp_path) == ["one"]
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(InvalidParameter, match="two: is no file"):
        names_in(tmp_path)
    for path in (tmp_path / "one", tmp_path / "none"):
        with pytest.raises(InvalidParameter, match="is no folder that can be read"):
            names_in(path)


def test_a_manifest_has_an_end(tmp_path: Path) -> None:
    """What is too long to be one is not read."""
    with pytest.raises(InvalidParameter, match=r"manifest\.json: cannot be read"):
        manifest_in(tmp_path)
    (tmp_path / MANIFEST).write_bytes(b" " * MAX_MANIFEST_BYTES)
    assert len(manifest_in(tmp_path)) == MAX_MANIFEST_BYTES
    (tmp_path / MANIFEST).write_bytes(b" " * (MAX_MANIFEST_BYTES + 1))
    with pytest.raises(InvalidParameter, match="is too long"):
        manifest_in(tmp_path)
