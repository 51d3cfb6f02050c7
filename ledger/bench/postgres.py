"""The processes of an embedded PostgreSQL: who they are, and what they cost."""

from contextlib import suppress
from pathlib import Path

import psutil

from ledger.store.embedded import EmbeddedServer


def postmaster(embedded: EmbeddedServer) -> psutil.Process:
    """The process that all others of the server come from."""
    first_line = (cluster_folder(embedded) / "postmaster.pid").read_text().partition("\n")[0]
    return psutil.Process(int(first_line))


def cluster_folder(embedded: EmbeddedServer) -> Path:
    """Where the server keeps its data."""
    return embedded.data_dir / "postgres"


def database_cpu_s(embedded: EmbeddedServer) -> float:
    """Processor time of the whole server so far: of what runs, and of what has ended and was waited for."""
    parent = postmaster(embedded)
    times = parent.cpu_times()
    used_s = times.user + times.system + times.children_user + times.children_system
    for process in parent.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a session that has just ended
            child = process.cpu_times()
            used_s += child.user + child.system
    return float(used_s)
