"""The files of a dump: rows as text, compressed in a stream; and the text again, checked while it is read."""

import hashlib
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from ledger.core.dumps import MANIFEST, MAX_MANIFEST_BYTES, DumpedTable, fault
from ledger.exports.places import writing_to

PIECE_BYTES = 512 * 1024
# What level 3 needs is a quarter of this; a frame that asks a reader for more was not written here.
MAX_WINDOW_BYTES = 8 * 1024 * 1024
LEVEL = 3


class DumpFile:
    """A file that nobody else may read. Rows are lines: COPY text has no other line ends."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.rows = 0
        self.text_bytes = 0
        self.file_bytes = 0
        self._folder = folder
        self._digest = hashlib.sha256()
        self._compressor = zstandard.ZstdCompressor(level=LEVEL).compressobj()
        with writing_to(folder):
            self._file = _new_file(folder / name)

    @property
    def sha256(self) -> str:
        """The digest of the text, in hex."""
        return self._digest.hexdigest()

    def write(self, text: bytes) -> None:
        """Append a piece of text.

        Raises:
            SetupError: the disk does not take it.
        """
        self.rows += text.count(b"\n")
        self.text_bytes += len(text)
        self._digest.update(text)
        self._store(self._compressor.compress(text))

    def complete(self) -> None:
        """Make sure that the disk holds it all."""
        self._store(self._compressor.flush())
        with writing_to(self._folder):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def close(self) -> None:
        """Let go of it, whatever became of it."""
        with suppress(OSError):  # what a full disk did not take before it does not take now
            self._file.close()

    def _store(self, compressed: bytes) -> None:
        self.file_bytes += len(compressed)
        with writing_to(self._folder):
            self._file.write(compressed)


def write_private(folder: Path, name: str, text: bytes) -> None:
    """Write a small file that nobody else may read, and make sure that the disk holds it."""
    with writing_to(folder), _new_file(folder / name) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


async def checked_text(
    folder: Path, dumped: DumpedTable, progress: Callable[[int], None]
) -> AsyncGenerator[bytes]:
    """The text of a table piece by piece; it ends well only if it is what the manifest says.

    Never gives more bytes than that. `progress` is told the rows so far.

    Raises:
        InvalidParameter: the file is damaged, or other text than was dumped.
    """
    digest, text_bytes, rows = hashlib.sha256(), 0, 0
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
    with _opened(folder / dumped.file) as file, decompressor.stream_reader(file) as stream:
        while piece := _read(stream, dumped.file):
            text_bytes += len(piece)
            if text_bytes > dumped.text_bytes:
                raise fault(dumped.file, "holds more than the manifest says; copy the dump again")
            digest.update(piece)
            rows += piece.count(b"\n")
            yield piece
            progress(rows)
    if (text_bytes, digest.hexdigest()) != (dumped.text_bytes, dumped.sha256):
        raise fault(dumped.file, "is not what was dumped (SHA-256); copy the dump again")


def require_sizes(folder: Path, tables: tuple[DumpedTable, ...]) -> None:
    """Make sure that every file has the size that it was written with.

    Raises:
        InvalidParameter: one is shorter or longer.
    """
    for each in tables:
        size = (folder / each.file).stat().st_size
        if size != each.file_bytes:
            raise fault(
                each.file, f"has {size} bytes of {each.file_bytes}; copy the dump again, whole"
            )


def names_in(folder: Path) -> list[str]:
    """The names in the folder of a dump.

    Raises:
        InvalidParameter: there is no such folder, or something in it is no file.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise fault(str(folder), f"is no folder that can be read: {error.strerror}") from None
    for entry in entries:
        if entry.is_symlink() or not entry.is_file():
            raise fault(entry.name, "is no file; take it out of the folder")
    return [entry.name for entry in entries]


def manifest_in(folder: Path) -> bytes:
    """The text of the manifest.

    Raises:
        InvalidParameter: there is none, or it is too long to be one.
    """
    with _opened(folder / MANIFEST) as file:
        text: bytes = file.read(MAX_MANIFEST_BYTES + 1)
    if len(text) > MAX_MANIFEST_BYTES:
        raise fault(MANIFEST, "is too long to be one")
    return text


def _new_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise fault(path.name, f"cannot be read: {error.strerror}") from None


def _read(stream: Any, name: str) -> bytes:
    try:
        piece: bytes = stream.read(PIECE_BYTES)
    except (zstandard.ZstdError, OSError) as error:
        raise fault(name, f"is damaged ({error}); copy the dump again") from None
    return piece
