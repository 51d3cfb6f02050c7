"""Locks between processes: who uses the server, and who may start or stop it.

They are `flock` locks on files in the data folder. The kernel frees them when a process ends, in
whatever way it ends, so a killed process never counts as a user.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ledger.store.embedded.errors import EmbeddedServerError

_POLL_S = 0.05


def open_lock_file(path: Path) -> int:
    """Opens a lock file, making it when missing, and gives its file descriptor.

    A file made by root takes the owner of its folder, so that this owner can use it later too.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Takes the lock if nobody is in the way; a lock already held is converted.

    Returns:
        Whether the lock is held now. After a failed conversion the former lock may be lost.
    """
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def exclusive_lock(path: Path, *, timeout_s: float) -> AsyncIterator[int]:
    """Holds the lock on a file alone, and gives the file descriptor it hangs on.

    Raises:
        EmbeddedServerError: another process has held it for all of `timeout_s`.
    """
    descriptor = open_lock_file(path)
    try:
        try:
            async with asyncio.timeout(timeout_s):
                while not try_lock(descriptor):  # noqa: ASYNC110  no event crosses processes
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise EmbeddedServerError(
                f"Another process has been starting or stopping the database server for"
                f" {timeout_s:g} s and holds {path}. Wait for it or end it, then try again."
            ) from None
        yield descriptor
    finally:
        os.close(descriptor)
