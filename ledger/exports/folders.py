"""A folder that appears whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.exports.places import sync_folder, writing_to


@contextmanager
def pending_folder(parent: Path, name: str) -> Iterator[Path]:
    """Give a folder to fill; when the block ends well it stands under its name, in place of an earlier one.

    One process at a time fills a folder of one name. What one that was killed left behind is removed.

    Raises:
        SetupError: the parent cannot be written to.
    """
    pending, replaced = (parent / f".{name}.{os.getpid()}.{part}" for part in ("part", "old"))
    with writing_to(parent):
        parent.mkdir(parents=True, exist_ok=True)
        for left in parent.glob(f".{name}.*"):
            shutil.rmtree(left)
        pending.mkdir()
    try:
        yield pending
        with writing_to(parent):
            if (parent / name).exists():
                (parent / name).rename(replaced)
            pending.rename(parent / name)
        sync_folder(parent)
    finally:
        for left in (pending, replaced):
            shutil.rmtree(left, ignore_errors=True)
