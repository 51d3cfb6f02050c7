import os
from dataclasses import dataclass
from pathlib import Path

from ledger.store.embedded.account import Account, choose_account
from ledger.store.embedded.errors import EmbeddedServerError

_LARGEST_LOG_BYTES = 10 * 1024 * 1024
_TAIL_BYTES = 4096
_TAIL_LINES = 15


@dataclass(frozen=True)
class DataFolder:
    """Where the server's things lie in the product's data folder, and who runs it there."""

    path: Path
    account: Account

    @property
    def cluster_dir(self) -> Path:
        """PostgreSQL's own folder."""
        return self.path / "postgres"

    @property
    def log(self) -> Path:
        """What the server writes to its standard error."""
        return self.path / "postgres.log"

    @property
    def settings(self) -> Path:
        """The server's settings file."""
        return self.path / "postgres.conf"

    @property
    def gate(self) -> Path:
        """Lock file of the one process that may start or stop the server."""
        return self.path / "postgres.lock"

    @property
    def users(self) -> Path:
        """Lock file shared by the processes that use the server."""
        return self.path / "postgres.users.lock"

    def prepare_log(self) -> int:
        """Makes the log ready for a start: another file takes over once it is large.

        Returns:
            Its size in bytes, where the log of this start begins.
        """
        if self.log.is_file() and self.log.stat().st_size > _LARGEST_LOG_BYTES:
            self.log.rename(self.log.with_suffix(".log.old"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.log, flags, 0o600)
        try:
            if os.geteuid() == 0:
                os.fchown(descriptor, self.account.user_id, self.account.group_id)
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def read_log(self, start_bytes: int = 0) -> str:
        """Gives the last lines of the log, from no earlier than a byte position."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(start_bytes, self.log.stat().st_size - _TAIL_BYTES))
                text = log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-_TAIL_LINES:])


def open_data_folder(path: Path) -> DataFolder:
    """Makes the data folder if it is missing and finds out who runs the server there.

    Raises:
        EmbeddedServerError: nobody can run it, or the one who would cannot reach the folder.
    """
    path = path.absolute().resolve()
    if path.exists() and not path.is_dir():
        raise EmbeddedServerError(f"LEDGER_DATA_DIR {path} is a file. Choose a folder.")
    _make_folders(path)
    account = choose_account(path, path / "postgres")
    if account.user_id != os.geteuid():
        account.require_way_to(path)
    return DataFolder(path, account)


def _make_folders(path: Path) -> None:
    """Makes a folder and those above it that are missing; folders that were there keep their modes.

    A strict umask would close new ones to the user who runs the server for root.
    """
    if path.is_dir():
        return
    _make_folders(path.parent)
    try:
        path.mkdir()
    except FileExistsError:
        return
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)
