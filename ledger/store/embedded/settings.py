import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ledger.store.embedded.account import Account
from ledger.store.embedded.socket_folder import PORT

_MEBIBYTE = 1024 * 1024
_MOST_SHARED_BUFFERS_MB = 256
_LEAST_SHARED_BUFFERS_MB = 16
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - PostgreSQL makes its own names there
_CONTAINER_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")

_SYNCFS_TELLS_ERRORS = (5, 8)

_HEADER = "# Written at each start of the ledger's own PostgreSQL server; changes here are lost.\n"

_SETTINGS = {
    # What is acknowledged is on the disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Nobody comes in but through the private socket folder.
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "100",
    # Room for bulk intake between checkpoints.
    "max_wal_size": "4GB",
    # Many short queries: compiling them costs more than it brings.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # The log stays small and free of customers' data: no statements beside their errors.
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_min_messages": "warning",
    "log_min_error_statement": "fatal",
    "log_error_verbosity": "terse",  # nor the row that an error is about
    "log_checkpoints": "off",
}


def render_settings(socket_dir: Path, bin_dir: Path, overrides: Mapping[str, str]) -> bytes:
    """Gives the text of the server's settings file.

    Args:
        socket_dir: the folder for its socket.
        bin_dir: PostgreSQL's programs, asked for what they support.
        overrides: PostgreSQL settings that replace or complete the ledger's own.
    """
    settings = {
        **_SETTINGS,
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
        "shared_buffers": f"{choose_shared_buffers_mb(read_memory_bytes())}MB",
        **({"wal_compression": "lz4"} if _has_lz4(bin_dir) else {}),
        # After a crash all files are forced to the disk: thousands one by one take seconds.
        **({"recovery_init_sync_method": "syncfs"} if is_syncfs_sound(os.uname()) else {}),
        **({} if _has_shared_memory_folder() else {"dynamic_shared_memory_type": "sysv"}),
        **overrides,
    }
    lines = [f"{name} = '{_escape(value)}'\n" for name, value in settings.items()]
    return os.fsencode(_HEADER + "".join(lines))


def choose_shared_buffers_mb(memory_bytes: int) -> int:
    """Gives an eighth of the memory, within 16 and 256 MiB."""
    eighth_mb = memory_bytes // 8 // _MEBIBYTE
    return max(_LEAST_SHARED_BUFFERS_MB, min(_MOST_SHARED_BUFFERS_MB, eighth_mb))


def read_memory_bytes() -> int:
    """Reads how much memory there is: the machine's, or the container's limit if that is less."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = _CONTAINER_MEMORY_LIMIT.read_text().strip()
    except OSError:
        return memory_bytes
    return min(memory_bytes, int(limit)) if limit.isdigit() else memory_bytes


def is_syncfs_sound(system: os.uname_result) -> bool:
    """Says whether a system forces a whole file system to the disk and tells what failed (Linux 5.8)."""
    version = re.match(r"(\d+)\.(\d+)", system.release)
    if system.sysname != "Linux" or version is None:
        return False
    return (int(version[1]), int(version[2])) >= _SYNCFS_TELLS_ERRORS


def _has_lz4(bin_dir: Path) -> bool:
    caller = Account(os.geteuid(), os.getegid())
    return "--with-lz4" in caller.run([bin_dir / "pg_config", "--configure"]).stdout


def _has_shared_memory_folder() -> bool:
    """Whether POSIX shared memory, the default, is there: on Linux a folder, which some jails lack."""
    return sys.platform != "linux" or os.access(_SHARED_MEMORY, os.W_OK | os.X_OK)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
