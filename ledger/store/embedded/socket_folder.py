import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from ledger.store.embedded.account import Account
from ledger.store.embedded.errors import EmbeddedServerError

PORT = 5432

# The shortest limit of the systems in use (macOS); Linux allows 107.
_LONGEST_SOCKET_PATH_BYTES = 103
_SHORT_TEMPORARY_DIR = Path("/tmp")  # noqa: S108 - whoever owns a folder in it is looked at before use
# Folders in PostgreSQL's settings and in connection URLs are lists, and quoted in several ways.
_PLAIN_PATH = re.compile(r"/[\w/ .+=~-]*")


def choose_socket_dir(data_dir: Path, account: Account) -> Path:
    """Names the folder of the server's socket: `run` in the data folder if that is short enough.

    Otherwise it is a folder of this data folder and user in the temporary folder: TMPDIR's, or else `/tmp`.

    Raises:
        EmbeddedServerError: the temporary folder's path is too long too.
    """
    in_data_dir = data_dir / "run"
    identity = f"{account.user_id}:".encode() + os.fsencode(data_dir)
    name = f"ledger-{hashlib.sha256(identity).hexdigest()[:16]}"
    in_temporary_dir = Path(tempfile.gettempdir()).resolve() / name
    for folder in (in_data_dir, in_temporary_dir, _SHORT_TEMPORARY_DIR / name):
        if _fits(folder):
            return folder
    raise EmbeddedServerError(
        f"The paths {in_data_dir} and {in_temporary_dir} are too long for a unix socket, or have"
        " unusual characters. Choose a shorter LEDGER_DATA_DIR or set TMPDIR to a short path."
    )


def open_socket_dir(folder: Path, account: Account) -> None:
    """Makes the socket folder, for the server's user alone, or checks the one that exists.

    Whoever can enter it may use the database without a password, and whoever owns it could put a
    false server there.

    Raises:
        EmbeddedServerError: it belongs to somebody else, or others can enter it.
    """
    is_root = os.geteuid() == 0
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        _require_private(folder, account, root_may_own=is_root)
    if is_root:
        os.chown(folder, account.user_id, account.group_id, follow_symlinks=False)


def _fits(folder: Path) -> bool:
    socket_path = folder / f".s.PGSQL.{PORT}"
    is_short = len(os.fsencode(socket_path)) <= _LONGEST_SOCKET_PATH_BYTES
    return is_short and _PLAIN_PATH.fullmatch(str(folder)) is not None


def _require_private(folder: Path, account: Account, *, root_may_own: bool) -> None:
    found = folder.lstat()
    owners = {account.user_id, 0} if root_may_own else {account.user_id}
    if not stat.S_ISDIR(found.st_mode):
        problem = "is not a folder"
    elif found.st_uid not in owners:
        problem = f"belongs to {Account(found.st_uid, found.st_gid).name}, not to {account.name}"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        problem = f"can be entered by others (mode {stat.S_IMODE(found.st_mode):04o}, not 0700)"
    else:
        return
    raise EmbeddedServerError(
        f"The folder of the database's socket, {folder}, {problem}. It is not safe to use."
        " Remove it, if it is yours, and start again."
    )
