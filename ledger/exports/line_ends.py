"""CRLF line ends, as RFC 4180 wants them, on CSV that PostgreSQL writes with LF."""


class LineEnds:
    """Rewrites the line ends of a CSV stream, in pieces cut anywhere.

    A newline inside a quoted cell belongs to the cell and stays. Whether one is inside follows from the
    quotes before it: an opening, a closing and each half of a doubled quote turn it over, so an odd count
    means inside.
    """

    def __init__(self) -> None:
        self.lines = 0  # ends of lines so far, the header's included
        self._is_quoted = False

    def translate(self, chunk: bytes) -> bytes:
        """The next piece of the stream with its line ends rewritten."""
        if b'"' not in chunk:
            return chunk if self._is_quoted else self._ended(chunk)
        *lines, rest = chunk.split(b"\n")
        pieces: list[bytes] = []
        for line in lines:
            self._read_quotes(line)
            self.lines += not self._is_quoted
            pieces += (line, b"\n" if self._is_quoted else b"\r\n")
        self._read_quotes(rest)
        pieces.append(rest)
        return b"".join(pieces)

    def _read_quotes(self, piece: bytes) -> None:
        if piece.count(b'"') % 2:
            self._is_quoted = not self._is_quoted

    def _ended(self, chunk: bytes) -> bytes:
        self.lines += chunk.count(b"\n")
        return chunk.replace(b"\n", b"\r\n")
