"""The server's first process: whether it lives, how it is started and stopped.

Its pid file only says where to look. After a crash the number in it may be nobody's or somebody
else's, so a process counts as ours only if its command line names our data.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ledger.store.embedded.data_folder import DataFolder
from ledger.store.embedded.errors import EmbeddedServerError
from ledger.store.embedded.settings import render_settings
from ledger.store.embedded.socket_folder import PORT

_STOP_TIMEOUT_S = 60
_PID_FILE_TIMEOUT_S = 30
_PID_FILE_POLL_S = 0.01

# The shell only detaches the server and tells its process id; no path becomes shell text.
_LAUNCH = '"$@" </dev/null >>"$0" 2>&1 & echo $!'


def read_process_id(cluster_dir: Path) -> int | None:
    """Reads the number in the pid file; None if there is no file or no number in it."""
    try:
        with (cluster_dir / "postmaster.pid").open("rb") as pid_file:
            return int(pid_file.readline())
    except (FileNotFoundError, ValueError):
        return None


def read_socket_dir(cluster_dir: Path) -> Path | None:
    """Reads where a live server of this data has its socket; None if there is no such server."""
    if find_process_id(cluster_dir) is None:
        return None
    lines = (cluster_dir / "postmaster.pid").read_bytes().splitlines()
    return Path(os.fsdecode(lines[4])) if len(lines) > 4 and lines[4] else None  # noqa: PLR2004


def find_process_id(cluster_dir: Path) -> int | None:
    """Finds the process that the pid file names, if it lives and is this data's server."""
    process_id = read_process_id(cluster_dir)
    return process_id if process_id and is_server(process_id, cluster_dir) else None


def is_server(process_id: int, cluster_dir: Path) -> bool:
    """Says whether a live process is the server of this data."""
    # A dead server stays a zombie if it fell to us (the first process of a container).
    with suppress(ChildProcessError):
        os.waitpid(process_id, os.WNOHANG)
    return _has_argument(process_id, os.fsencode(cluster_dir))


def launch(
    folder: DataFolder, bin_dir: Path, socket_dir: Path, overrides: Mapping[str, str]
) -> int:
    """Starts the server, without waiting until it answers.

    The caller holds the gate and has found no live server.

    Returns:
        Its process id.
    """
    _clear_leftovers(folder.cluster_dir, socket_dir)
    _write_settings(folder.settings, render_settings(socket_dir, bin_dir, overrides))
    server: list[str | Path] = [bin_dir / "postgres", "-D", folder.cluster_dir]
    server += ["-c", f"config_file={folder.settings}"]
    answer = folder.account.run(["/bin/sh", "-c", _LAUNCH, folder.log, *server])
    if answer.returncode != 0 or not answer.stdout.strip():
        raise EmbeddedServerError(f"/bin/sh could not start PostgreSQL: {answer.stderr.strip()}")
    process_id = int(answer.stdout)
    _await_pid_file(process_id, folder.cluster_dir)
    return process_id


def stop(folder: DataFolder, bin_dir: Path) -> None:
    """Stops the server, ending what its clients still do; a server that is gone is fine.

    Raises:
        EmbeddedServerError: it does not stop.
    """
    command: list[str | Path] = [bin_dir / "pg_ctl", "stop", "-w", "-D", folder.cluster_dir]
    for mode in ("fast", "immediate"):
        process_id = find_process_id(folder.cluster_dir)
        if process_id is None:
            return
        limit = ["-m", mode, "-t", str(_STOP_TIMEOUT_S)]
        answer = folder.account.run([*command, *limit], timeout_s=_STOP_TIMEOUT_S + 30)
        if answer.returncode == 0:
            return
    if find_process_id(folder.cluster_dir) is not None:
        raise EmbeddedServerError(
            f"The database server, process {process_id}, does not stop:\n{answer.stderr.strip()}\n"
            f"End it with: kill -QUIT {process_id}"
        )


def tell_to_stop(cluster_dir: Path) -> None:
    """Tells a server to end what its clients do and then itself; does not wait for it."""
    process_id = find_process_id(cluster_dir)
    if process_id is not None:
        os.kill(process_id, signal.SIGINT)


def _clear_leftovers(cluster_dir: Path, socket_dir: Path) -> None:
    """Removes what a killed server left behind and PostgreSQL itself would stumble over.

    It takes care of a pid file whose process is gone, but believes one whose number was given to
    another process, and gives up on an empty one. That no former server process still works on
    the data it checks by the shared memory, not by this file.
    """
    process_id = read_process_id(cluster_dir)
    if process_id is None or _exists(process_id):
        (cluster_dir / "postmaster.pid").unlink(missing_ok=True)
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (socket_dir / name).unlink(missing_ok=True)


def _await_pid_file(process_id: int, cluster_dir: Path) -> None:
    """Waits until the new server can be found by its pid file, or is gone.

    Before that a stop would not see it, and a start that is given up would leave it behind.
    """
    deadline_s = time.monotonic() + _PID_FILE_TIMEOUT_S
    while time.monotonic() < deadline_s and is_server(process_id, cluster_dir):
        if read_process_id(cluster_dir) == process_id:
            return
        time.sleep(_PID_FILE_POLL_S)


def _exists(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write_settings(path: Path, text: bytes) -> None:
    new = path.with_suffix(".conf.new")
    new.unlink(missing_ok=True)
    # "x" never follows a link that the folder's owner may have laid for root.
    with new.open("xb") as settings:
        settings.write(text)
        os.fchmod(settings.fileno(), 0o644)
    new.replace(path)


def _has_argument(process_id: int, argument: bytes) -> bool:
    if not Path("/proc/self/cmdline").exists():
        return argument in _ask_ps(process_id)
    try:
        return argument in Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False


def _ask_ps(process_id: int) -> bytes:
    """Reads a command line where there is no /proc (macOS)."""
    command = ["/bin/ps", "-ww", "-o", "args=", "-p", str(process_id)]
    return subprocess.run(command, check=False, capture_output=True).stdout  # noqa: S603  fixed
