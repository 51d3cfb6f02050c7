"""Files that appear whole or not at all."""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ledger.exports.places import sync_folder, writing_to


class PendingFile:
    """A file that is written beside its place and moved there when it is complete.

    What one that was killed left beside it is removed.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder
        self._digest = hashlib.sha256()
        with writing_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _remove_left(folder, name)
            self._pending, self._file = _open_pending(folder, name)

    def write(self, chunk: bytes) -> None:
        """Append a piece.

        Raises:
            SetupError: the folder does not take it; the detail says what to do.
        """
        with writing_to(self._folder):
            self._file.write(chunk)
        self._digest.update(chunk)

    @property
    def sha256(self) -> str:
        """The digest of what was written, in hexadecimal."""
        return self._digest.hexdigest()

    def complete(self) -> None:
        """Make sure that the disk holds it all."""
        with writing_to(self._folder):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def publish(self) -> None:
        """Move it to its place, over an earlier one."""
        with writing_to(self._folder):
            self._pending.replace(self._folder / self.name)

    def discard(self) -> None:
        """Leave nothing behind; without effect once it is published."""
        with suppress(OSError):  # a full disk does not take the rest either
            self._file.close()
        self._pending.unlink(missing_ok=True)


@contextmanager
def pending_files(folder: Path) -> Iterator[Callable[[str], PendingFile]]:
    """Open files by name; when the block ends well they all appear, in the order of opening, else none.

    Raises:
        SetupError: the folder cannot be written to; the detail says what to do.
    """
    opened: list[PendingFile] = []

    def open_file(name: str) -> PendingFile:
        opened.append(PendingFile(folder, name))
        return opened[-1]

    try:
        yield open_file
        for file in opened:
            file.complete()
        for file in opened:
            file.publish()
        sync_folder(folder)
    finally:
        for file in opened:
            file.discard()


def _open_pending(folder: Path, name: str) -> tuple[Path, BinaryIO]:
    """Open a file that nobody else writes to, locked for as long as it is open."""
    while True:
        # Not by the process id: containers that share a folder may have the same one.
        pending = folder / f".{name}.{secrets.token_hex(8)}.part"
        file = pending.open("wb")
        with suppress(OSError):  # a file system without locks: then it may be taken for a left one
            fcntl.flock(file, fcntl.LOCK_SH)
        if os.fstat(file.fileno()).st_nlink:
            return pending, file
        file.close()  # before it was locked, somebody took it for a left one


def _remove_left(folder: Path, name: str) -> None:
    """Remove what processes that were killed have left of a file; whoever lives holds a lock on theirs."""
    for left in folder.glob(f".{name}.*.part"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink(missing_ok=True)
