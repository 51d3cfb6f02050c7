"""How far a command is, on stderr: a moving line where somebody watches, short lines or nothing elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.cli.running import remark, stderr


def progress_bar(task: str) -> Progress:
    """A bar where somebody watches."""
    console = stderr()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_interactive,
    )
    bar.add_task(task, total=None)
    return bar


def shown_on(bar: Progress) -> Callable[[int, int], None]:
    """What tells the bar how far it is."""

    def show(looked_at: int, expected: int) -> None:
        bar.update(bar.task_ids[0], completed=looked_at, total=max(looked_at, expected))

    return show


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """What tells the step that is being done: one line that changes, or a line for each."""
    console = stderr()
    if not console.is_interactive:
        yield lambda step: remark(f"{step} ...")
        return
    with console.status("") as status:
        yield lambda step: status.update(f"{step} ...")
