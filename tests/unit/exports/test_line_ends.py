"""CRLF on a stream of CSV, whatever the pieces and the cells."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from ledger.exports.line_ends import LineEnds

cells = st.text(st.sampled_from('ab",\n\r;é€= '), max_size=8)
tables = st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=8)


def written(rows: list[list[str]], line_end: str) -> bytes:
    """The CSV of rows, every cell quoted or none as `csv.writer` sees fit."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(rows)
    return text.getvalue().encode()


def pieces_of(stream: bytes, cuts: list[int]) -> list[bytes]:
    """A stream cut at places, taken modulo its length."""
    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    return [stream[start:end] for start, end in zip(places, places[1:], strict=False)]


@given(tables, st.lists(st.integers(0, 1000), max_size=20))
def test_lines_end_in_crlf_and_cells_stay_as_they_are(rows: list[list[str]], cuts: list[int]) -> None:
    """What `csv.writer` writes with LF becomes what it writes with CRLF, wherever the stream is cut."""
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
