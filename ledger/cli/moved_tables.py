"""Progress of a dump or a load on stderr: which table, and how many rows so far."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ledger.cli.running import stderr


@contextmanager
def moved_tables(rows: int | None = None) -> Iterator[Callable[[str, int], None]]:
    """Show progress in the block, where somebody looks; `rows` are those of all tables, if that is known."""
    done: dict[str, int] = {}
    with _progress() as progress:
        task = progress.add_task("", total=rows)

        def show(name: str, so_far: int) -> None:
            done[name] = so_far
            progress.update(task, description=name, completed=sum(done.values()))

        yield show


def _progress() -> Progress:
    console = stderr()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,} rows"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_interactive,
    )
