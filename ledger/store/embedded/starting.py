import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ledger.store.embedded.answering import answers
from ledger.store.embedded.data_folder import DataFolder
from ledger.store.embedded.errors import EmbeddedServerError
from ledger.store.embedded.postmaster import find_process_id, is_server, launch, read_process_id
from ledger.store.embedded.threads import run_in_thread

_POLL_S = 0.05
_RETRY_S = 0.25
# When only its first process was killed, the others of a server take a moment to end.
_STILL_IN_USE = "pre-existing shared memory block"


@dataclass(frozen=True)
class Start:
    """All that a start of the server needs.

    Attributes:
        folder: the data folder, with PostgreSQL's data in it.
        bin_dir: PostgreSQL's programs.
        socket_dir: the private folder for its socket.
        settings: PostgreSQL settings that replace the ledger's own.
    """

    folder: DataFolder
    bin_dir: Path
    socket_dir: Path
    settings: Mapping[str, str]


async def bring_up(start: Start, *, timeout_s: float) -> int:
    """Makes sure that the server answers, starting it if it does not live. The caller has the gate.

    Returns:
        The id of its first process.

    Raises:
        EmbeddedServerError: it ended, or did not answer in time; the message has its log's tail.
    """
    cluster_dir = start.folder.cluster_dir
    # An answer counts more than a process id: in another container the id means nothing.
    process_id = read_process_id(cluster_dir)
    if process_id is not None and await answers(start.socket_dir):
        return process_id
    try:
        async with asyncio.timeout(timeout_s):
            return await _start_and_wait(start)
    except TimeoutError:
        raise EmbeddedServerError(
            f"The database server did not answer within {timeout_s:g} s. After a crash it may need"
            f" longer: raise the limit. {_describe_log(start.folder)}"
        ) from None


async def _start_and_wait(start: Start) -> int:
    process_id = await run_in_thread(partial(find_process_id, start.folder.cluster_dir))
    log_start_bytes: int | None = None
    while process_id is None or not await answers(start.socket_dir):
        if process_id is None or not is_server(process_id, start.folder.cluster_dir):
            if log_start_bytes is not None:
                _require_still_in_use(start.folder, log_start_bytes)
                await asyncio.sleep(_RETRY_S)
            log_start_bytes, process_id = await run_in_thread(partial(_launch, start))
        await asyncio.sleep(_POLL_S)
    return process_id


def _launch(start: Start) -> tuple[int, int]:
    log_start_bytes = start.folder.prepare_log()
    process_id = launch(start.folder, start.bin_dir, start.socket_dir, start.settings)
    return log_start_bytes, process_id


def _require_still_in_use(folder: DataFolder, log_start_bytes: int) -> None:
    """Lets a start that failed be tried again only if a former server was still ending."""
    if _STILL_IN_USE not in folder.read_log(log_start_bytes):
        raise EmbeddedServerError(
            f"The database server ended as it started. {_describe_log(folder, log_start_bytes)}"
        )


def _describe_log(folder: DataFolder, start_bytes: int = 0) -> str:
    return f"Its log, {folder.log}, says:\n{folder.read_log(start_bytes)}"
