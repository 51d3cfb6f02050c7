"""Tables of plain text."""

from collections.abc import Iterator, Sequence

_INDENT = "  "


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows under a heading, the first column to the left and figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield (_INDENT + "  ".join(cells)).rstrip()
