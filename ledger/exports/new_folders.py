"""A folder that appears whole or not at all, and never in the place of another."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.core.errors import SetupError
from ledger.exports.places import sync_folder, writing_to


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill, open to nobody else; when the block ends well it stands at `path`.

    Raises:
        SetupError: there is something at `path` already, or it cannot be written there.
    """
    place = path.resolve()
    with writing_to(place):
        require_room(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        pending = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
    try:
        yield pending
        with writing_to(place):
            require_room(place)
            sync_folder(pending)
            pending.rename(place)  # an empty folder gives way, a full one does not
            sync_folder(place.parent)
    finally:
        shutil.rmtree(pending, ignore_errors=True)


def require_room(place: Path) -> None:
    """Make sure that nothing stands in the way.

    Raises:
        SetupError: a file, a folder that is not empty, or one that cannot be replaced by another.
    """
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise SetupError(f"{place} is there already; name a folder that is new or empty")
    if place.is_mount():
        raise SetupError(f"{place} is a mount point; name a folder that is new within it")
