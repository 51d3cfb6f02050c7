"""CRLF on a stream of CSV, whatever the pieces and the cells."""

import csv
import io
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ledger.exports.line_ends import LineEnds

cells = st.text(st.sampled_from('ab",\n\r;é€= '), max_size=8)
tables = st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=8)


def written(rows: list[list[str]], line_end: str) -> bytes:
    """The CSV of rows as `COPY` writes it: a cell is quoted when it holds a comma, quote or line end."""
    return "".join(",".join(map(cell_of, row)) + line_end for row in rows).encode()


def cell_of(text: str) -> str:
    """One cell; the empty text is quoted, since nothing at all means null."""
    if text and not set(text) & set('",\n\r'):
        return text
    return '"' + text.replace('"', '""') + '"'


def pieces_of(stream: bytes, cuts: list[int]) -> list[bytes]:
    """A stream cut at places, taken modulo its length."""
    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    return [stream[start:end] for start, end in pairwise(places)]


@given(tables, st.lists(st.integers(0, 1000), max_size=20))
def test_lines_end_in_crlf_and_cells_stay_as_they_are(
    rows: list[list[str]], cuts: list[int]
) -> None:
    """Only the ends of rows change, wherever the stream is cut, and a CSV reader finds the cells again."""
    line_ends = LineEnds()
    stream = written(rows, "\n")

    translated = b"".join(line_ends.translate(piece) for piece in pieces_of(stream, cuts))

    assert translated == written(rows, "\r\n")
    assert list(csv.reader(io.StringIO(translated.decode(), newline=""))) == rows
    assert line_ends.lines == len(rows)


def test_a_piece_inside_a_quoted_cell_is_left_alone() -> None:
    """A piece without any quote may still lie within a cell."""
    line_ends = LineEnds()

    pieces = [line_ends.translate(piece) for piece in (b'a,"x', b"\n\n", b'y"\n', b"b,\n")]

    assert pieces == [b'a,"x', b"\n\n", b'y"\r\n', b"b,\r\n"]
    assert line_ends.lines == 2
