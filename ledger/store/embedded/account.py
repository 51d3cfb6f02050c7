import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.store.embedded.errors import EmbeddedServerError

_PREFERRED_NAMES = ("postgres", "nobody")

# The server must not depend on the language, the time zone or the PG* variables of its caller.
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}

_FIRST_CLOSED_FOLDER = 'for folder; do [ -x "$folder" ] || { printf %s "$folder"; exit 1; }; done'


@dataclass(frozen=True)
class Account:
    """The system user that runs the server; PostgreSQL refuses to be run by root."""

    user_id: int
    group_id: int

    @property
    def name(self) -> str:
        """The user's name, or `user id <number>` for one that has none."""
        try:
            return pwd.getpwuid(self.user_id).pw_name
        except KeyError:
            return f"user id {self.user_id}"

    @property
    def is_named(self) -> bool:
        """Whether the system knows the user, which PostgreSQL's `initdb` insists on."""
        return not self.name.startswith("user id ")

    def run(
        self,
        command: Sequence[str | Path],
        *,
        timeout_s: float | None = None,
        inherited_files: Sequence[int] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command as this user, in a session of its own and a minimal environment.

        A session of its own keeps a Ctrl-C in the caller's terminal away from it.

        Args:
            command: program and arguments; no shell reads them.
            timeout_s: how long the command may take; None means as long as it needs.
            inherited_files: file descriptors that stay open in the command.

        Raises:
            PermissionError: the user may not execute the program.
            EmbeddedServerError: the command took longer than `timeout_s`.
        """
        is_root = os.geteuid() == 0
        try:
            return subprocess.run(  # noqa: S603  the commands are PostgreSQL's own and /bin/sh
                command,
                check=False,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                encoding="utf-8",
                errors="replace",
                cwd="/",
                env=_ENVIRONMENT,
                user=self.user_id if is_root else None,
                group=self.group_id if is_root else None,
                extra_groups=[] if is_root else None,
                start_new_session=True,
                pass_fds=inherited_files,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired:
            raise EmbeddedServerError(
                f"{command[0]} did not finish within {timeout_s} s. Look at the load of this"
                " machine and its disk, then try again."
            ) from None

    def require_way_to(self, folder: Path) -> None:
        """Checks that this user can enter a folder and every folder above it.

        Raises:
            EmbeddedServerError: it cannot; the message names the folder that is closed.
        """
        way = [*reversed(folder.parents), folder]
        answer = self.run(["/bin/sh", "-c", _FIRST_CLOSED_FOLDER, "sh", *way])
        if answer.returncode != 0:
            raise EmbeddedServerError(
                f"The database server is run by the system user {self.name}, who cannot enter"
                f" {answer.stdout}. Choose another LEDGER_DATA_DIR, such as /var/lib/ledger, or"
                " start the ledger as an ordinary user."
            )


def choose_account(data_dir: Path, cluster_dir: Path) -> Account:
    """Picks the user who runs the server for a data folder.

    An ordinary user runs it. Root hands it to the owner of the data that exist, so that root and
    this owner can take turns; in a folder of root's own it is `postgres`, or else `nobody`.

    Raises:
        EmbeddedServerError: root finds no user to hand it to, or the data belong to another user.
    """
    cluster = cluster_dir.stat() if cluster_dir.is_dir() else None
    if os.geteuid() != 0:
        if cluster is not None and cluster.st_uid != os.geteuid():
            owner = Account(cluster.st_uid, cluster.st_gid).name
            raise EmbeddedServerError(
                f"The database in {cluster_dir} belongs to {owner}. Start the ledger as that user"
                " or choose another LEDGER_DATA_DIR."
            )
        return Account(os.geteuid(), os.getegid())
    if cluster is not None and cluster.st_uid != 0:
        return Account(cluster.st_uid, cluster.st_gid)
    folder = data_dir.stat()
    owner_of_folder = Account(folder.st_uid, folder.st_gid)
    if folder.st_uid != 0 and owner_of_folder.is_named:
        return owner_of_folder
    return _choose_unprivileged()


def _choose_unprivileged() -> Account:
    for name in _PREFERRED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedServerError(
        "PostgreSQL refuses to be run by root, and this system has neither a user `postgres` nor"
        " a user `nobody` to run it. Start the ledger as an ordinary user, or add one of the two."
    )
