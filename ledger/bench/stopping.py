"""Taking an embedded PostgreSQL away for a while: stopped at once and started again, or hung as a whole."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from ledger.bench.postgres import cluster_folder, postmaster
from ledger.store.embedded import EmbeddedServer

_STOP_TIMEOUT_S = 30


@contextmanager
def hung(embedded: EmbeddedServer) -> Iterator[None]:
    """No process of the server runs in the block; connections to it are taken by the system, and wait."""
    parent = postmaster(embedded)
    parent.suspend()  # first, so that it makes no others
    processes = [parent, *parent.children(recursive=True)]
    _each(processes[1:], psutil.Process.suspend)
    try:
        yield
    finally:
        _each(processes, psutil.Process.resume)


@contextmanager
def stopped(embedded: EmbeddedServer) -> Iterator[None]:
    """The server is stopped in the block, as `pg_ctl stop -m immediate` does it, and recovers after."""
    parent = postmaster(embedded)
    command, user, group = parent.cmdline(), parent.uids().real, parent.gids().real
    processes = [parent, *parent.children(recursive=True)]
    stop = ["stop", "-m", "immediate", "-D", str(cluster_folder(embedded))]
    _run_as(user, group, [str(embedded.bin_dir / "pg_ctl"), *stop])
    psutil.wait_procs(processes, timeout=_STOP_TIMEOUT_S)
    try:
        yield
    finally:
        # A shell that ends leaves the server to the system, as it was before.
        launch = ["/bin/sh", "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", *command]
        _run_as(user, group, launch)


def _each(processes: Sequence[psutil.Process], do: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # a session that has just ended
            do(process)


def _run_as(user: int, group: int, command: Sequence[str]) -> None:
    subprocess.run(  # noqa: S603 - our own server
        command,
        check=True,
        user=user,
        group=group,
        extra_groups=[],
        stdout=subprocess.DEVNULL,
    )
