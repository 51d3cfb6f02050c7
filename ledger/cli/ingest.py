"""`ledger ingest`."""

from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ledger.bootstrap import Ledger
from ledger.cli.record_files import chunks_of, format_of, is_missing, opened
from ledger.cli.running import (
    DONE,
    SENDER,
    WITH_PROBLEMS,
    json_option,
    on_ledger,
    print_json,
    remark,
    say,
    stderr,
)
from ledger.core.bodies import BodyDecoder, split_array
from ledger.core.errors import BodyTooLarge, MalformedBody
from ledger.services.intake.intake import Intake
from ledger.services.intake.outcomes import Counters

MAX_JSON_BYTES = 64 * 1024 * 1024
MAX_JSON_RECORDS = 1_000_000
MAX_FILE_BYTES = 1 << 60
RECORDS_PER_STEP = 10_000
_SHOWN_PROBLEMS = 10


@click.command("ingest")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--rejects",
    type=click.File("wb", lazy=False),
    help="Write every problem here, one JSON object a line.",
)
@json_option
@on_ledger
async def command_group(
    ledger: Ledger, *, files: tuple[Path, ...], rejects: BinaryIO | None, as_json: bool
) -> int:
    """Record requests from files.

    NDJSON, or a JSON array where the name ends in .json; .gz and .zst are decompressed; - is stdin.
    The same records may be sent any number of times: what is recorded already counts as a duplicate.

    Example: ledger ingest october.ndjson.gz --rejects problems.ndjson

    Example, from another program: ledger ingest -
    """
    for file in files:
        if is_missing(file):
            raise click.UsageError(f"{file}: no such file")
    total = Counters(problems=[])
    broken = []
    async with ledger.intake() as intake:
        with _progress() as progress:
            for file in files:
                reading = Reading(intake, file, total, progress, rejects)
                if (fault := await reading.take()) is not None:
                    broken.append(fault)
    for fault in broken:
        remark(f"ledger: {fault}")
    if as_json:
        print_json(total)
    else:
        _print_counters(total)
    return WITH_PROBLEMS if broken or total.conflicts or total.rejected else DONE


class Reading:
    """One file being taken in: its progress is shown, its problems go where they are wanted."""

    def __init__(
        self,
        intake: Intake,
        file: Path,
        total: Counters,
        progress: Progress,
        rejects: BinaryIO | None,
    ) -> None:
        self._intake = intake
        self._file = file
        self._total = total
        self._progress = progress
        self._rejects = rejects
        self._task = progress.add_task(str(file), total=None, read=0)

    async def take(self) -> str | None:
        """Take the file in and add to the total; a fault of the file as a whole comes back in words."""
        encoding, is_json = format_of(self._file)
        fault = None
        with opened(self._file) as stream:
            try:
                counters = await (self._take_json if is_json else self._take_lines)(
                    stream, encoding
                )
            except (MalformedBody, BodyTooLarge) as error:
                landed = error.progress
                counters = landed if isinstance(landed, Counters) else Counters(problems=[])
                fault = f"{self._file}: {error.detail}; {counters.read} records before it were read"
        self._total.add(counters)
        self._progress.update(self._task, read=counters.read, total=1, completed=1)
        return fault

    async def _take_lines(self, stream: BinaryIO, encoding: str) -> Counters:
        return await self._intake.take_lines(
            chunks_of(stream),
            encoding,
            SENDER,
            most_bytes=MAX_FILE_BYTES,
            progress=self._show,
            report=self._report,
        )

    async def _take_json(self, stream: BinaryIO, encoding: str) -> Counters:
        """A whole document: it has no lines to read it by, so it has a size to keep to."""
        decoder = BodyDecoder(encoding, MAX_JSON_BYTES)
        pieces = [piece async for chunk in chunks_of(stream) for piece in decoder.feed(chunk)]
        decoder.finish()
        raws = split_array(b"".join(pieces), MAX_JSON_RECORDS)
        counters = Counters(problems=[])
        for start in range(0, len(raws), RECORDS_PER_STEP):
            taken = await self._intake.take(raws[start : start + RECORDS_PER_STEP], SENDER)
            counters.count(taken.records, taken.outcomes, self._report)
            self._show(counters)
        return counters

    def _show(self, counters: Counters) -> None:
        self._progress.update(self._task, read=counters.read)

    def _report(self, problem: dict[str, Any]) -> None:
        if self._rejects is not None:
            self._rejects.write(msgspec.json.encode({"file": str(self._file), **problem}) + b"\n")


def _progress() -> Progress:
    console = stderr()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[read]:,} records"),
        BarColumn(bar_width=10),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_interactive,
    )


def _print_counters(counters: Counters) -> None:
    say(
        f"{counters.read:,} read: {counters.accepted:,} accepted, {counters.duplicates:,} duplicates, "
        f"{counters.conflicts:,} conflicts, {counters.rejected:,} rejected; {counters.unrated:,} unrated"
    )
    refused = [problem for problem in counters.problems if problem["outcome"] != "unrated"]
    for problem in refused[:_SHOWN_PROBLEMS]:
        name = problem["request_id"] or f"record number {problem['index'] + 1}"
        field = f"{problem['field']} " if problem["field"] else ""
        say(f"  {problem['outcome']}: {name}: {field}{problem['detail']}")
    if len(refused) > _SHOWN_PROBLEMS:
        say(f"  and {len(refused) - _SHOWN_PROBLEMS} more; --rejects FILE lists them")
