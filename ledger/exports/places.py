"""Places that are written to: what to do about one that takes nothing, and names that the disk holds."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.core.errors import SetupError


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """Say which place does not take what is written, and what to do about it.

    Raises:
        SetupError: it does not.
    """
    try:
        yield
    except OSError as error:
        raise SetupError(
            f"cannot write to {place}: {error.strerror}. "
            "Name a folder that may be written to and has room."
        ) from error


def sync_folder(folder: Path) -> None:
    """Make sure that the disk holds the names in a folder.

    Raises:
        SetupError: it cannot.
    """
    with writing_to(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
