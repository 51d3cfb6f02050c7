"""Servers of other majors of PostgreSQL, where this machine has their programs."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.store.database import OLDEST_MAJOR
from ledger.store.embedded import find_binary
from ledger.store.embedded.account import choose_account
from ledger.store.embedded.answering import make_url
from ledger.store.embedded.binaries import POSTGRES_MAJOR, can_run

_SETTINGS = "-c fsync=off -c listen_addresses='' -c unix_socket_directories='{}'"


def other_majors() -> dict[int, Path]:
    """Majors that the ledger runs on and does not bring itself, oldest first, and where their programs are.

    They come from Debian's packages, or from beside the embedded server's programs.
    """
    places = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *find_binary("postgres").parents[2].glob("pginstall*/bin"),
    ]
    found = {_major(place): place for place in places if (place / "initdb").is_file()}
    return {
        major: found[major] for major in sorted(found) if OLDEST_MAJOR <= major != POSTGRES_MAJOR
    }


@contextmanager
def server_of(programs: Path) -> Iterator[str | None]:
    """The address of a new server, thrown away afterwards; None if its user cannot run the programs."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-major-"))
    folder.chmod(0o711)
    account = choose_account(folder, folder / "none")
    data, sockets = folder / "data", folder / "run"
    for each in (data, sockets):
        each.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(each, account.user_id, account.group_id)

    def run(*words: str | Path) -> None:
        done = account.run(words, timeout_s=60)
        assert done.returncode == 0, done.stderr

    try:
        if not can_run(account, programs / "postgres"):
            yield None
            return
        make = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync")
        run(programs / "initdb", *make, "--pgdata", data)
        options = ("-o", _SETTINGS.format(sockets), "-l", data / "log")
        run(programs / "pg_ctl", "-D", data, *options, "-w", "start")
        try:
            yield make_url(sockets, "postgres")
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _major(programs: Path) -> int:
    """The 16 of `postgres (PostgreSQL) 16.14`."""
    asked = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"\) (\d+)", asked.stdout)
    assert found, asked.stdout
    return int(found[1])
