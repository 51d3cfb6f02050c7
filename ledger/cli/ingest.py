"""`ledger ingest`."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    ACTOR,
    DONE,
    WITH_PROBLEMS,
    json_option,
    on_ledger,
    print_json,
    stderr,
    stdout,
)
from ledger.core.bodies import BodyDecoder, split_array
from ledger.core.errors import BodyTooLarge, MalformedBody
from ledger.services.intake.intake import Intake
from ledger.services.intake.outcomes import Counters

CHUNK_BYTES = 256 * 1024
MAX_JSON_BYTES = 256 * 1024 * 1024
MAX_JSON_RECORDS = 5_000_000
MAX_FILE_BYTES = 1 << 60
RECORDS_PER_STEP = 10_000
_SHOWN_PROBLEMS = 10


@click.command("ingest")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    help="Write the problems here, one JSON object a line.",
)
@json_option
@on_ledger
async def command_group(
    ledger: Ledger, *, files: tuple[Path, ...], rejects: Path | None, as_json: bool
) -> int:
    """Record requests from files.

    Example: ledger ingest october.ndjson.gz --rejects problems.ndjson

    NDJSON, or a JSON array where the name ends in .json; .gz and .zst are decompressed; - is stdin.
    The same records may be sent any number of times: what is recorded already counts as a duplicate.
    """
    _require(files)
    total = Counters(problems=[])
    broken = []
    async with ledger.intake() as intake:
        with _progress() as progress:
            for file in files:
                task = progress.add_task(str(file), total=None, read=0)
                try:
                    await _take_file(intake, file, total, progress, task)
                except (MalformedBody, BodyTooLarge) as error:
                    if isinstance(error.progress, Counters):
                        total.add(error.progress)
                    broken.append(f"{file}: {error.detail}")
    for line in broken:
        stderr().print(f"ledger: {line}; what came before it is recorded")
    if rejects is not None:
        _write_rejects(rejects, total)
    if as_json:
        print_json(total)
    else:
        _print_counters(total)
    return WITH_PROBLEMS if broken or total.conflicts or total.rejected else DONE


def _require(files: Sequence[Path]) -> None:
    for file in files:
        if str(file) != "-" and (not file.exists() or file.is_dir()):
            raise click.UsageError(f"{file}: no such file")


async def _take_file(
    intake: Intake, file: Path, total: Counters, progress: Progress, task: TaskID
) -> None:
    before = total.read
    encoding, is_json = _format_of(file)

    def show(counters: Counters) -> None:
        progress.update(task, read=before + counters.read)

    with _opened(file) as stream:
        if is_json:
            counters = await _take_json(intake, stream, encoding, show)
        else:
            counters = await intake.take_lines(
                _chunks(stream), encoding, ACTOR, most_bytes=MAX_FILE_BYTES, progress=show
            )
    total.add(counters)
    progress.update(task, read=total.read, total=1, completed=1)


async def _take_json(
    intake: Intake, stream: BinaryIO, encoding: str, show: Callable[[Counters], None]
) -> Counters:
    """A whole document: it has no lines to read it by, so it has a size to keep to."""
    decoder = BodyDecoder(encoding, MAX_JSON_BYTES)
    try:
        body = b"".join([piece async for chunk in _chunks(stream) for piece in decoder.feed(chunk)])
        decoder.finish()
    except BodyTooLarge:
        raise BodyTooLarge(
            f"a JSON file may have {MAX_JSON_BYTES} bytes; write one record a line (.ndjson) instead"
        ) from None
    raws = split_array(body, MAX_JSON_RECORDS)
    counters = Counters(problems=[])
    for start in range(0, len(raws), RECORDS_PER_STEP):
        taken = await intake.take(raws[start : start + RECORDS_PER_STEP], ACTOR)
        counters.count(taken.records, taken.outcomes)
        show(counters)
    return counters


def _format_of(file: Path) -> tuple[str, bool]:
    """The encoding, and whether it is one JSON document, by the name."""
    name = file.name.lower()
    for ending, encoding in ((".gz", "gzip"), (".zst", "zstd")):
        if name.endswith(ending):
            return encoding, name.removesuffix(ending).endswith(".json")
    return "identity", name.endswith(".json")


def _opened(file: Path) -> BinaryIO:
    return sys.stdin.buffer if str(file) == "-" else file.open("rb")


async def _chunks(stream: BinaryIO) -> AsyncIterator[bytes]:
    """What a file or a pipe gives, as it gives it; commits go on meanwhile, and Ctrl-C is heard."""
    descriptor = stream.fileno()
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    while True:
        if not is_file:
            await _readable(descriptor)
        chunk = await asyncio.to_thread(os.read, descriptor, CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


async def _readable(descriptor: int) -> None:
    """Wait until a pipe has something. A thread that reads an idle pipe could not be stopped."""
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(descriptor, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(descriptor)


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[read]:,} records"),
        BarColumn(bar_width=10),
        TimeElapsedColumn(),
        console=stderr(),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _write_rejects(path: Path, counters: Counters) -> None:
    with path.open("wb") as out:
        for problem in counters.problems:
            out.write(msgspec.json.encode(problem) + b"\n")


def _print_counters(counters: Counters) -> None:
    out = stdout()
    out.print(
        f"{counters.read:,} read: {counters.accepted:,} accepted, {counters.duplicates:,} duplicates, "
        f"{counters.conflicts:,} conflicts, {counters.rejected:,} rejected; {counters.unrated:,} unrated"
    )
    refused = [problem for problem in counters.problems if problem["outcome"] != "unrated"]
    for problem in refused[:_SHOWN_PROBLEMS]:
        name = problem["request_id"] or f"record {problem['index']}"
        field = f"{problem['field']} " if problem["field"] else ""
        out.print(f"  {problem['outcome']}: {name}: {field}{problem['detail']}")
    if len(refused) > _SHOWN_PROBLEMS:
        out.print(f"  and {len(refused) - _SHOWN_PROBLEMS} more; --rejects FILE lists them")
