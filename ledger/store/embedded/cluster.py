import os
import pwd
import shutil
from pathlib import Path

from ledger.store.embedded.binaries import POSTGRES_MAJOR
from ledger.store.embedded.data_folder import DataFolder
from ledger.store.embedded.errors import EmbeddedServerError

SUPERUSER = "postgres"

# PostgreSQL's own C.UTF-8 sorts and folds alike on every machine, whatever its C library knows.
_OPTIONS = (
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--data-checksums",
    # The socket folder lets nobody in but the server's user and root.
    "--auth=trust",
)


def ensure_cluster(folder: DataFolder, bin_dir: Path, gate: int, *, durable: bool) -> None:
    """Makes PostgreSQL's data in a data folder that has none, whole or not at all.

    Args:
        folder: the data folder.
        bin_dir: PostgreSQL's programs.
        gate: file descriptor of the lock that is held meanwhile. `initdb` inherits it, so that one
            which outlives a killed caller still keeps the next caller out.
        durable: whether the files are forced to the disk.

    Raises:
        EmbeddedServerError: the data are another version's, or could not be made.
    """
    version_file = folder.cluster_dir / "PG_VERSION"
    if version_file.is_file():
        _require_same_major(version_file)
        return
    _require_named_user(folder)
    unfinished_dir = folder.path / "postgres.new"
    shutil.rmtree(unfinished_dir, ignore_errors=True)
    unfinished_dir.mkdir(mode=0o700)
    if os.geteuid() == 0:
        owner = folder.account
        os.chown(unfinished_dir, owner.user_id, owner.group_id, follow_symlinks=False)
    options = _OPTIONS if durable else (*_OPTIONS, "--no-sync")
    initdb = [bin_dir / "initdb", *options, "--pgdata", unfinished_dir]
    answer = folder.account.run(initdb, inherited_files=[gate])
    if answer.returncode != 0:
        raise EmbeddedServerError(
            f"PostgreSQL could not make its data in {unfinished_dir}:\n{answer.stderr.strip()}"
        )
    unfinished_dir.rename(folder.cluster_dir)
    _force_to_disk(folder.path)


def _require_same_major(version_file: Path) -> None:
    major = version_file.read_text().strip()
    if major != str(POSTGRES_MAJOR):
        raise EmbeddedServerError(
            f"The data in {version_file.parent} are of PostgreSQL {major}, and this ledger brings"
            f" {POSTGRES_MAJOR}. Dump them with the ledger's version that wrote them (`ledger dump`),"
            " and load the dump into a new LEDGER_DATA_DIR (`ledger load`)."
        )


def _require_named_user(folder: DataFolder) -> None:
    try:
        pwd.getpwuid(folder.account.user_id)
    except KeyError:
        raise EmbeddedServerError(
            f"PostgreSQL cannot make its data for {folder.account.name}, which has no name on this"
            " system. Start the ledger as a user listed in /etc/passwd, or use a PostgreSQL server"
            " of your own."
        ) from None


def _force_to_disk(folder: Path) -> None:
    """Makes a rename in a folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
