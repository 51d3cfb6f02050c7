"""Tables that fit the screen: names fold, figures never do, and what cannot stand side by side is stacked."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table

from ledger.core.visible import visible

LEAST_COLUMNS = 40  # where a screen is narrower still, it is the screen that breaks the lines
_NAME_COLUMNS = 12  # a name folded into fewer cannot be read
_GAP_COLUMNS = 2
# Longer digits are somebody's name.
_FIGURE = re.compile(r"(?=.{1,40}$)-?\d[\d,]*(\.\d+)?%?")
_FIGURE_OR_TIME = re.compile(rf"{_FIGURE.pattern}|\d{{4}}-\d\d(-\d\d(T\d\d:\d\d[\d:.]*Z)?)?")

Rows = Sequence[Mapping[str, Any]]


class Column(NamedTuple):
    """A column with everything that stands in it.

    Attributes:
        cells: The values as they are shown, in the order of the rows.
        is_whole: It never folds, as it holds figures or what is there to be copied.
    """

    field: str
    heading: str
    cells: Sequence[str]
    is_figure: bool
    is_whole: bool

    @property
    def most(self) -> int:
        """How wide it is when nothing folds."""
        return max(cell_len(text) for text in (self.heading, *self.cells))

    @property
    def least(self) -> int:
        """How narrow it may become: a figure or a time among names stays whole as well."""
        if self.is_whole:
            return self.most
        figures = [cell_len(text) for text in self.cells if _FIGURE_OR_TIME.fullmatch(text)]
        return max(min(self.most, _NAME_COLUMNS), *figures, 0)


class Layout(NamedTuple):
    """A table as it will be printed, and the headings of the columns that it had no room for."""

    table: RenderableType
    left_out: Sequence[str]


def laid_out(
    columns: Mapping[str, str],
    rows: Rows,
    width: int,
    *,
    whole: Collection[str] = (),
    spare: Collection[str] = (),
) -> Layout:
    """Rows side by side if they fit `width`, without the `spare` columns if they fit then, or else stacked.

    Args:
        columns: The heading of each field.
        rows: One or more rows.
        width: Columns of the screen, at least `LEAST_COLUMNS`.
        whole: Fields whose words are there to be copied, so that they never fold.
        spare: Fields that may be left out.
    """
    every = [_column(field, heading, rows, whole) for field, heading in columns.items()]
    kept = [column for column in every if column.field not in spare]
    for chosen in (every, kept):
        room = width - _GAP_COLUMNS * (len(chosen) - 1)
        if sum(column.least for column in chosen) <= room:
            left_out = [column.heading for column in every if column not in chosen]
            return Layout(_side_by_side(chosen, room), left_out)
    return Layout(_stacked(every), ())


def shown(value: Any) -> str:
    """A value in a cell; nothing in it drives the terminal."""
    if value is None:
        return "-"
    if isinstance(value, list):
        return visible(", ".join(map(str, value)))
    return visible(str(value))


def cut(amount: str, places: int = 4) -> str:
    """An amount with fewer decimals than it has; never rounded, so that what follows may only be more."""
    whole, point, decimals = amount.partition(".")
    return f"{whole}{point}{decimals[:places]}"


def _column(field: str, heading: str, rows: Rows, whole: Collection[str]) -> Column:
    values = [str(row[field]) for row in rows if row.get(field) is not None]
    is_figure = bool(values) and all(map(_FIGURE.fullmatch, values))
    cells = [shown(row.get(field)) for row in rows]
    return Column(field, heading, cells, is_figure, is_figure or field in whole)


def _widths(columns: Sequence[Column], room: int) -> list[int]:
    """How wide each becomes: the widest give way, all to the same width."""
    level = max(column.most for column in columns)
    while True:
        widths = [max(column.least, min(column.most, level)) for column in columns]
        if sum(widths) <= room:
            return widths
        level -= 1


def _side_by_side(columns: Sequence[Column], room: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP_COLUMNS, 0, 0))
    for column, width in zip(columns, _widths(columns, room), strict=True):
        table.add_column(
            column.heading,
            justify="right" if column.is_figure else "left",
            overflow="fold",
            width=width,
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*cells)
    return table


def _stacked(columns: Sequence[Column]) -> Group:
    """Each row as a block of its own, a line for each field."""
    return Group(*_blocks(columns))


def _blocks(columns: Sequence[Column]) -> Iterator[RenderableType]:
    label_columns = max(cell_len(column.heading) for column in columns)
    for cells in zip(*(column.cells for column in columns), strict=True):
        block = Table(box=None, pad_edge=False, padding=(0, _GAP_COLUMNS, 0, 0), show_header=False)
        block.add_column(no_wrap=True, min_width=label_columns, style="bold")
        block.add_column(overflow="fold")
        for column, cell in zip(columns, cells, strict=True):
            block.add_row(column.heading, cell)
        yield block
        yield ""
