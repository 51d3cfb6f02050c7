"""Bodies of many records: decompressed in bounded steps, cut into single records.

Nothing here needs more memory than a step or an array may have, whatever a stranger sends.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Any

import msgspec
import zstandard

from ledger.core.elements import ElementCutter, too_many
from ledger.core.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType
from ledger.core.records import MAX_RECORD_BYTES

MAX_ARRAY_BYTES = 16 * 1024 * 1024
MAX_ARRAY_RECORDS = 10_000
MAX_LINES_BYTES = 1024 * 1024 * 1024
ENCODINGS = ("identity", "gzip", "zstd")
# What HTTP's zstd may look back on (RFC 9659); files may use all that the library takes.
MAX_WINDOW_BYTES = 8 * 1024 * 1024
MAX_FILE_WINDOW_BYTES = 128 * 1024 * 1024
PIECE_BYTES = 256 * 1024
# What decoding may put into memory at once. A zstd block of 4 bytes can stand for 128 KiB, and the library
# decodes whatever it is given: 64 bytes and what waits before them are a little over 2 MiB.
MAX_STEP_BYTES = 3 * 1024 * 1024
_ZSTD_STEP_BYTES = 64
# zlib copies what follows a member: were it a whole chunk, many small members would cost its square.
_GZIP_STEP_BYTES = 8 * 1024
_GATHERED_BYTES = 64 * 1024
_BLANK_LINES = re.compile(rb"\n{2,}")
_BOM = b"\xef\xbb\xbf"


class BodyDecoder:
    """Undoes a content encoding piece by piece.

    Raises, from `feed` and `finish`:
        MalformedBody: not of that encoding (`invalid_encoding`), or it ends early (`body_truncated`).
        BodyTooLarge: more than `most_bytes` come out.
    """

    def __init__(
        self, encoding: str, most_bytes: int, most_window_bytes: int = MAX_FILE_WINDOW_BYTES
    ) -> None:
        if encoding not in ENCODINGS:
            raise UnsupportedMediaType(f"Content-Encoding must be one of {', '.join(ENCODINGS)}")
        self._encoding = encoding
        self._most_bytes = most_bytes
        self._most_window_bytes = most_window_bytes if encoding == "zstd" else 0
        self._decoded_bytes = 0
        self._waiting_bytes = 0
        # Made for the first member: most bodies have none, and each takes memory for as long as its body.
        self._gzip: Any = None
        self._zstd: Any = None
        self._zstd_frames: Any = None
        self._is_open = encoding != "identity"

    @property
    def held_bytes(self) -> int:
        """What it keeps in memory: what is decoded and not given yet, and what later blocks may repeat."""
        return self._waiting_bytes + min(self._decoded_bytes, self._most_window_bytes)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Give what a chunk decodes to, in pieces of 256 KiB at the most."""
        most = min(PIECE_BYTES, self._most_bytes - self._decoded_bytes)
        if self._encoding == "identity" and len(chunk) <= most:  # as nearly all are
            self._decoded_bytes += len(chunk)
            return iter((chunk,))
        return self._pieces(chunk)

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            for step in self._steps(chunk):
                for start in range(0, len(step), PIECE_BYTES):
                    piece = step[start : start + PIECE_BYTES]
                    self._waiting_bytes = len(step) - start - len(piece)
                    yield piece
        except (zlib.error, zstandard.ZstdError) as error:
            raise MalformedBody(
                f"the body cannot be decompressed: {error}", code="invalid_encoding"
            ) from None

    def _steps(self, chunk: bytes) -> Iterator[bytes]:
        """What a chunk decodes to, as it comes; small parts are put together."""
        gathered: list[bytes] = []
        gathered_bytes = 0
        try:
            for part in self._decompress(chunk):
                self._decoded_bytes += len(part)
                if self._decoded_bytes > self._most_bytes:
                    raise BodyTooLarge(f"a body may have {self._most_bytes} bytes once decoded")
                gathered.append(part)
                gathered_bytes += len(part)
                if gathered_bytes >= _GATHERED_BYTES:
                    yield b"".join(gathered)
                    gathered, gathered_bytes = [], 0
        except (BodyTooLarge, zlib.error, zstandard.ZstdError):
            yield b"".join(gathered)  # whole lines before the fault count
            raise
        yield b"".join(gathered)

    def finish(self) -> None:
        """Check that nothing is missing at the end."""
        if self._is_open:
            raise MalformedBody("the compressed body ends before its end", code="body_truncated")

    def _decompress(self, chunk: bytes) -> Iterator[bytes]:
        """By the encoding. Chosen anew: a method kept in its own object is freed by the collector alone."""
        match self._encoding:
            case "gzip":
                return self._gunzip(chunk)
            case "zstd":
                return self._unzstd(chunk)
        return _pass(chunk)

    def _gunzip(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _GZIP_STEP_BYTES):
            step = data[start : start + _GZIP_STEP_BYTES]
            while step:
                if self._gzip is None or self._gzip.eof:  # another member follows
                    self._gzip = zlib.decompressobj(wbits=31)
                yield self._gzip.decompress(step, PIECE_BYTES)
                self._is_open = not self._gzip.eof
                step = self._gzip.unused_data if self._gzip.eof else self._gzip.unconsumed_tail

    def _unzstd(self, data: bytes) -> Iterator[bytes]:
        if self._zstd_frames is None:
            window_bytes = self._most_window_bytes
            self._zstd_frames = zstandard.ZstdDecompressor(max_window_size=window_bytes)
        for start in range(0, len(data), _ZSTD_STEP_BYTES):
            step = data[start : start + _ZSTD_STEP_BYTES]
            while step:
                if self._zstd is None or self._zstd.eof:  # another frame follows
                    self._zstd = self._zstd_frames.decompressobj()
                yield self._zstd.decompress(step)
                self._is_open = not self._zstd.eof
                step = self._zstd.unused_data if self._zstd.eof else b""


def _pass(chunk: bytes) -> Iterator[bytes]:
    yield chunk


class LineCutter:
    """Cuts a stream into lines. Blank lines are no records; a line over a record's size is cut short.

    What is cut short is still longer than a record may be, so that it is refused as that.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._is_skipping = False
        self._is_first = True

    @property
    def held_bytes(self) -> int:
        """The length of the line that has no end yet."""
        return len(self._rest)

    def feed(self, piece: bytes) -> list[bytes]:
        """Give the lines that a piece completes."""
        if self._is_first:
            piece = bytes(self._rest) + piece
            self._rest.clear()
            if len(piece) < len(_BOM):
                self._rest += piece
                return []
            piece, self._is_first = piece.removeprefix(_BOM), False
        start = piece.find(b"\n")
        if start < 0:
            self._keep(piece)  # not looked at again, in however many pieces a long line comes
            return []
        if self._is_skipping:
            self._is_skipping = False
            piece = piece[start:]
        if b"\n\n" in piece:  # a small bomb has a gigabyte of them
            piece = _BLANK_LINES.sub(b"\n", piece)
        *lines, rest = (bytes(self._rest) + piece).split(b"\n")
        self._rest.clear()
        self._keep(rest)
        return [line for line in map(bytes.strip, lines) if line]

    def finish(self) -> list[bytes]:
        """Give the last line, if the stream does not end in a newline."""
        line = bytes(self._rest).strip()
        self._rest.clear()
        return [line] if line else []

    def _keep(self, rest: bytes) -> None:
        if self._is_skipping:
            return
        self._rest += rest
        if len(self._rest) > MAX_RECORD_BYTES:
            del self._rest[MAX_RECORD_BYTES + 1 :]
            self._is_skipping = True


class _Wrapped(msgspec.Struct):
    requests: list[msgspec.Raw]


_ARRAY = msgspec.json.Decoder(list[msgspec.Raw] | _Wrapped)
# With more commas than this the elements are counted one by one, since each that is taken apart costs some
# fifty bytes, and a body of `0,0,0` has eight million.
_COMMAS_PER_RECORD = 50


def split_array(body: bytes, most_records: int = MAX_ARRAY_RECORDS) -> list[bytes]:
    """Cut a JSON array of records, or `{"requests": [...]}`, into its elements.

    Raises:
        MalformedBody: the syntax is broken, or it is something else; nothing of it is a record then.
        BodyTooLarge: more elements than a request may carry.
    """
    body = body.removeprefix(_BOM)
    if body.count(b",") > most_records * _COMMAS_PER_RECORD:
        return ElementCutter(body, most_records).cut(None)
    try:
        decoded = _ARRAY.decode(body)
    except msgspec.ValidationError:
        raise MalformedBody(
            'must be an array of records or {"requests": [...]}', code="invalid_body"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return ElementCutter(body, most_records).cut(error)
    elements = decoded.requests if isinstance(decoded, _Wrapped) else decoded
    if len(elements) > most_records:
        raise too_many(most_records)
    return [bytes(element) for element in elements]
