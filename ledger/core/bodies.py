"""Bodies of many records: decompressed in bounded steps, cut into single records.

Nothing here needs more memory than a step or an array may have, whatever a stranger sends.
"""

import json
import re
import zlib
from collections.abc import Iterator

import msgspec
import zstandard

from ledger.core.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType
from ledger.core.records import MAX_RECORD_BYTES

MAX_ARRAY_BYTES = 16 * 1024 * 1024
MAX_ARRAY_RECORDS = 10_000
MAX_LINES_BYTES = 1024 * 1024 * 1024
ENCODINGS = ("identity", "gzip", "zstd")
_STEP_BYTES = 1024 * 1024
# A zstd block of 4 bytes can stand for 128 KiB, and the library decodes whatever it is given at once:
# 256 bytes are 8 MiB at the most.
_ZSTD_STEP_BYTES = 256
_BOM = b"\xef\xbb\xbf"


class BodyDecoder:
    """Undoes a content encoding piece by piece.

    Raises, from `feed` and `finish`:
        MalformedBody: not of that encoding (`invalid_encoding`), or it ends early (`body_truncated`).
        BodyTooLarge: more than `most_bytes` come out.
    """

    def __init__(self, encoding: str, most_bytes: int) -> None:
        if encoding not in ENCODINGS:
            raise UnsupportedMediaType(f"Content-Encoding must be one of {', '.join(ENCODINGS)}")
        self._decompress = {"identity": _pass, "gzip": self._gunzip, "zstd": self._unzstd}[encoding]
        self._most_bytes = most_bytes
        self._decoded_bytes = 0
        self._gzip = zlib.decompressobj(wbits=31)
        self._zstd = zstandard.ZstdDecompressor().decompressobj()
        self._is_open = encoding != "identity"

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Give what a chunk decodes to, in pieces of bounded size."""
        try:
            for piece in self._decompress(chunk):
                self._decoded_bytes += len(piece)
                if self._decoded_bytes > self._most_bytes:
                    raise BodyTooLarge(f"a body may have {self._most_bytes} bytes once decoded")
                if piece:
                    yield piece
        except (zlib.error, zstandard.ZstdError) as error:
            raise MalformedBody(
                f"the body cannot be decompressed: {error}", code="invalid_encoding"
            ) from None

    def finish(self) -> None:
        """Check that nothing is missing at the end."""
        if self._is_open:
            raise MalformedBody("the compressed body ends before its end", code="body_truncated")

    def _gunzip(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._gzip.eof:  # another member follows
                self._gzip = zlib.decompressobj(wbits=31)
            yield self._gzip.decompress(data, _STEP_BYTES)
            self._is_open = not self._gzip.eof
            data = self._gzip.unused_data if self._gzip.eof else self._gzip.unconsumed_tail

    def _unzstd(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_STEP_BYTES):
            step = data[start : start + _ZSTD_STEP_BYTES]
            while step:
                if self._zstd.eof:  # another frame follows
                    self._zstd = zstandard.ZstdDecompressor().decompressobj()
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
        self._rest = b""
        self._is_skipping = False
        self._is_first = True

    def feed(self, piece: bytes) -> list[bytes]:
        """Give the lines that a piece completes."""
        if self._is_first:
            piece, self._rest = self._rest + piece, b""
            if len(piece) < len(_BOM):
                self._rest = piece
                return []
            piece, self._is_first = piece.removeprefix(_BOM), False
        if self._is_skipping:
            _, newline, piece = piece.partition(b"\n")
            if not newline:
                return []
            self._is_skipping = False
            piece = b"\n" + piece
        *lines, rest = (self._rest + piece).split(b"\n")
        if len(rest) > MAX_RECORD_BYTES:
            rest, self._is_skipping = rest[: MAX_RECORD_BYTES + 1], True
        self._rest = rest
        return [line for line in map(bytes.strip, lines) if line]

    def finish(self) -> list[bytes]:
        """Give the last line, if the stream does not end in a newline."""
        line = self._rest.strip()
        self._rest = b""
        return [line] if line else []


class _Wrapped(msgspec.Struct):
    requests: list[msgspec.Raw]


_ARRAY = msgspec.json.Decoder(list[msgspec.Raw] | _Wrapped)
_JSON_SPACE = " \t\r\n"
_SPACE = re.compile(f"[{_JSON_SPACE}]*")
_OPENING = re.compile(r'S(?:(\{)S"requests"S:S)?\['.replace("S", _SPACE.pattern))
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
# Takes NaN, lone surrogates and numbers of any length, which single records are refused for.
_TOLERANT = json.JSONDecoder(parse_int=str, parse_float=str)


def split_array(body: bytes, most_records: int = MAX_ARRAY_RECORDS) -> list[bytes]:
    """Cut a JSON array of records, or `{"requests": [...]}`, into its elements.

    Raises:
        MalformedBody: the syntax is broken, or it is something else; nothing of it is a record then.
        BodyTooLarge: more elements than a request may carry.
    """
    body = body.removeprefix(_BOM)
    try:
        decoded = _ARRAY.decode(body)
        elements = decoded.requests if isinstance(decoded, _Wrapped) else decoded
        records = [bytes(element) for element in elements]
    except msgspec.ValidationError:
        raise MalformedBody(
            'must be an array of records or {"requests": [...]}', code="invalid_body"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        records = _split_tolerantly(body, error)
    if len(records) > most_records:
        raise BodyTooLarge(
            f"a body may have {most_records} records, got {len(records)}", code="too_many_records"
        )
    return records


def _split_tolerantly(body: bytes, why: Exception) -> list[bytes]:
    """Cut an array that strict decoding refuses, so that each element is judged by itself."""
    text = body.decode("utf-8", "surrogateescape")
    opening = _OPENING.match(text)
    try:
        if opening is None:
            raise ValueError("no array")
        records, end = _elements(text, opening.end())
        if text[end:].strip(_JSON_SPACE) != ("}" if opening[1] else ""):
            raise ValueError("something follows the array")
    except ValueError:
        code = "body_truncated" if "truncated" in str(why) else "malformed_json"
        raise MalformedBody(f"the body is not JSON: {why}", code=code) from None
    return records


def _elements(text: str, start: int) -> tuple[list[bytes], int]:
    """The elements of an array whose bracket ends at `start`, and where the array ends."""
    records: list[bytes] = []
    position = _after_space(text, start)
    if text[position : position + 1] == "]":
        return records, position + 1
    while True:
        end = _end_of_element(text, position)
        records.append(text[position:end].encode("utf-8", "surrogateescape"))
        position = _after_space(text, end)
        follows = text[position : position + 1]
        position = _after_space(text, position + 1)
        if follows == "]":
            return records, position
        if follows != ",":
            raise ValueError("neither the next element nor the end")


def _end_of_element(text: str, start: int) -> int:
    """Where an element ends; of one that nests too deep to be read, where its brackets close."""
    try:
        return _TOLERANT.raw_decode(text, start)[1]
    except RecursionError:
        depth = 0
        for mark in _MARK.finditer(text, start):
            depth += (mark[0] in "[{") - (mark[0] in "]}")
            if depth == 0:
                return mark.end()
        raise ValueError("ends within an element") from None


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
