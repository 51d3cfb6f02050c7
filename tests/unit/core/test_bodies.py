"""Bodies of many records: decompressed in bounded steps, cut into single ones."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.bodies import (
    MAX_STEP_BYTES,
    MAX_WINDOW_BYTES,
    PIECE_BYTES,
    BodyDecoder,
    LineCutter,
    split_array,
)
from ledger.core.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType
from ledger.core.records import MAX_RECORD_BYTES

TEXT = b"a line of text, and another\n" * 50
zstd = zstandard.ZstdCompressor().compress
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "zstd": zstd,
}


def decoded(encoding: str, chunks: Iterable[bytes], most_bytes: int = 10**9) -> bytes:
    """Everything that comes out."""
    decoder = BodyDecoder(encoding, most_bytes)
    pieces = [piece for chunk in chunks for piece in decoder.feed(chunk)]
    decoder.finish()
    return b"".join(pieces)


def singly(body: bytes) -> list[bytes]:
    """A body byte by byte."""
    return [body[place : place + 1] for place in range(len(body))]


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_body_comes_out_as_it_went_in(encoding: str) -> None:
    """In one chunk or byte by byte."""
    body = COMPRESS[encoding](TEXT)
    assert decoded(encoding, [body]) == TEXT
    assert decoded(encoding, singly(body)) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_several_members_are_one_body(encoding: str) -> None:
    """As `cat a.gz b.gz` makes them."""
    body = COMPRESS[encoding](TEXT) + COMPRESS[encoding](b"") + COMPRESS[encoding](b"end")
    assert decoded(encoding, [body]) == TEXT + b"end"
    assert decoded(encoding, singly(body)) == TEXT + b"end"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("kept", [0, 1, 10, -1])
def test_a_compressed_body_that_ends_early_is_told(encoding: str, kept: int) -> None:
    """Also after a member that was whole."""
    whole = COMPRESS[encoding](TEXT)
    bodies = [whole[:kept]] if kept == 0 else [whole[:kept], whole + whole[:kept]]
    for body in bodies:
        with pytest.raises(MalformedBody) as error:
            decoded(encoding, [body])
        assert error.value.code == "body_truncated"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("before", [b"", None])
def test_a_body_of_another_encoding_is_told(encoding: str, before: bytes | None) -> None:
    """From the start, or behind a member that was whole."""
    body = (COMPRESS[encoding](TEXT) if before is None else before) + b"no such thing"
    with pytest.raises(MalformedBody) as error:
        decoded(encoding, [body])
    assert error.value.code == "invalid_encoding"


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, zstd", "", "GZIP"])
def test_other_encodings_are_not_spoken(encoding: str) -> None:
    """The answer names those that are."""
    with pytest.raises(UnsupportedMediaType, match="identity, gzip, zstd"):
        BodyDecoder(encoding, 1)


@pytest.mark.parametrize("encoding", COMPRESS)
def test_the_limit_is_on_what_comes_out(encoding: str) -> None:
    """As many bytes as are allowed, and not one more."""
    body = COMPRESS[encoding](TEXT)
    assert decoded(encoding, [body], len(TEXT)) == TEXT
    with pytest.raises(BodyTooLarge):
        decoded(encoding, [body], len(TEXT) - 1)


def bomb(encoding: str) -> bytes:
    """At most 64 KiB that stand for a great many zeros."""
    zeros = bytes(1024 * 1024)
    if encoding == "gzip":
        packer = zlib.compressobj(9, wbits=31)
        return b"".join(packer.compress(zeros) for _ in range(60)) + packer.flush()
    stream = zstandard.ZstdCompressor(level=19).compressobj()
    return b"".join(stream.compress(zeros) for _ in range(100)) + stream.flush()


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_never_stands_in_memory(encoding: str) -> None:
    """Each piece has 256 KiB at the most, and decoding ends with the first that is too much."""
    body = bomb(encoding)
    assert len(body) <= 64 * 1024
    decoder = BodyDecoder(encoding, 16 * 1024 * 1024)
    sizes: list[int] = []
    with pytest.raises(BodyTooLarge):
        sizes.extend(len(piece) for piece in decoder.feed(body))
    assert max(sizes) <= PIECE_BYTES
    assert sum(sizes) <= 16 * 1024 * 1024


def _encoded_bomb() -> tuple[bytes, int]:
    """A zstd frame of blocks that repeat one byte 128 KiB long, 4 bytes each, and what it stands for."""
    block_bytes = 128 * 1024
    block = (block_bytes << 3 | 1 << 1).to_bytes(3, "little") + b"\n"
    blocks = 16_000
    last = (1 | 1 << 1 | block_bytes << 3).to_bytes(3, "little") + b"\n"
    head = b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([(23 - 10) << 3])
    return head + block * (blocks - 1) + last, blocks * block_bytes


def test_the_densest_bomb_comes_in_small_pieces() -> None:
    """64 KiB that stand for 2 GiB: never more than a step is decoded and not given."""
    body, size = _encoded_bomb()
    assert len(body) <= 64 * 1024
    decoder = BodyDecoder("zstd", 10**10, MAX_WINDOW_BYTES)
    given = 0
    for piece in decoder.feed(body):
        given += len(piece)
        assert len(piece) <= PIECE_BYTES
        assert decoder.held_bytes <= MAX_WINDOW_BYTES + MAX_STEP_BYTES
    decoder.finish()
    assert given == size


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_members_of_nothing_cost_their_number(encoding: str) -> None:
    """Ten thousand empty members in one chunk are decoded in order, as one body of nothing."""
    assert decoded(encoding, [COMPRESS[encoding](b"") * 10_000]) == b""
    assert decoded(encoding, [COMPRESS[encoding](b"a\n") * 10_000]) == b"a\n" * 10_000


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_what_stands_before_a_fault_is_given(encoding: str) -> None:
    """Damage in the middle of a chunk does not take what was decoded before it."""
    decoder = BodyDecoder(encoding, 10**9)
    given: list[bytes] = []
    with pytest.raises(MalformedBody):
        given.extend(decoder.feed(COMPRESS[encoding](TEXT) + b"no such thing"))
    assert b"".join(given) == TEXT


def test_a_window_has_a_bound() -> None:
    """A frame that wants to look back further than HTTP's zstd may is refused; a file's may."""
    wide = zstandard.ZstdCompressionParameters(window_log=24, compression_level=1)
    body = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    frame = body.compress(TEXT) + body.flush()
    assert decoded("zstd", [frame]) == TEXT
    with pytest.raises(MalformedBody) as error:
        list(BodyDecoder("zstd", 10**9, MAX_WINDOW_BYTES).feed(frame))
    assert error.value.code == "invalid_encoding"


def test_what_a_decoder_holds_is_told() -> None:
    """The window of zstd as far as it is filled, and nothing where nothing is looked back on."""
    for encoding, held in (("identity", 0), ("gzip", 0), ("zstd", len(TEXT))):
        decoder = BodyDecoder(encoding, 10**9, MAX_WINDOW_BYTES)
        list(decoder.feed(COMPRESS[encoding](TEXT)))
        assert decoder.held_bytes == held


def test_what_a_cutter_holds_is_told() -> None:
    """The line without an end, and never more than shows that it is too long."""
    cutter = LineCutter()
    assert cutter.feed(b"abc\nde") == [b"abc"]
    assert cutter.held_bytes == 2
    for _ in range(3):
        assert cutter.feed(b"x" * MAX_RECORD_BYTES) == []
    assert cutter.held_bytes == MAX_RECORD_BYTES + 1


def lines_of(*pieces: bytes) -> list[bytes]:
    """The lines of a stream."""
    cutter = LineCutter()
    lines = [line for piece in pieces for line in cutter.feed(piece)]
    return lines + cutter.finish()


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"", []),
        (b"\n\n \r\n\t\n", []),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"\xef\xbb\xbfa\nb", [b"a", b"b"]),
        (b"\xef\xbb\xbf", []),
        (b"a\n\n\n  b  \n", [b"a", b"b"]),
        (b"a\n\xef\xbb\xbfb", [b"a", b"\xef\xbb\xbfb"]),  # a mark only at the start
    ],
)
def test_a_stream_is_cut_at_newlines(stream: bytes, lines: list[bytes]) -> None:
    """Blank lines are no records; CRLF and a byte order mark are no faults; cuts do not matter."""
    assert lines_of(stream) == lines
    assert lines_of(*singly(stream)) == lines


@given(st.lists(st.binary(max_size=5)))
def test_where_a_stream_is_cut_does_not_matter(pieces: list[bytes]) -> None:
    """Pieces of any size give the same lines."""
    whole = b"".join(pieces).removeprefix(b"\xef\xbb\xbf")
    assert lines_of(*pieces) == [line.strip() for line in whole.split(b"\n") if line.strip()]


def test_a_line_that_is_too_long_is_cut_short_and_its_neighbours_live() -> None:
    """What is left is still too long for a record, so that it is refused as that."""
    piece = b"x" * (MAX_RECORD_BYTES // 2)
    lines = lines_of(b"a\n", piece, piece, piece, piece, b"more\nb", b"\n")
    assert lines == [b"a", b"x" * (MAX_RECORD_BYTES + 1), b"b"]
    assert lines_of(piece, piece, piece) == [b"x" * (MAX_RECORD_BYTES + 1)]


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (b"[]", []),
        (b' [ {"a": 1} , 2 ] ', [b'{"a": 1}', b"2"]),
        (b'{"requests": [{"a": 1}]}', [b'{"a": 1}']),
        (b'{"more": 1, "requests": []}', []),
        (b"\xef\xbb\xbf[1]", [b"1"]),
        # Below: what strict decoding refuses, element by element.
        (b"[NaN, 1]", [b"NaN", b"1"]),
        (b' {"requests" : [NaN, {"a": -Infinity}]}\r\n', [b"NaN", b'{"a": -Infinity}']),
        (b'["\\ud800", "\xff", "\xed\xa0\x80"]', [b'"\\ud800"', b'"\xff"', b'"\xed\xa0\x80"']),
        (b"[NaN, %s]" % (b"9" * 5000), [b"NaN", b"9" * 5000]),
        (b"[NaN, 1e%s]" % (b"9" * 50), [b"NaN", b"1e" + b"9" * 50]),
    ],
)
def test_an_array_is_cut_into_its_elements(body: bytes, records: list[bytes]) -> None:
    """Byte by byte as they came, whether or not they are good ones."""
    assert split_array(body) == records


@pytest.mark.parametrize(
    "deep", [b"[" * 100_000 + b"]" * 100_000, b'{"]":' * 2000 + b"1" + b"}" * 2000]
)
def test_an_element_that_nests_too_deep_is_an_element(deep: bytes) -> None:
    """It is refused by itself; brackets inside of texts do not count."""
    body = b'[{"a": "\\"]"}, ' + deep + b", 2]"
    assert split_array(body) == [b'{"a": "\\"]"}', deep, b"2"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body_truncated"),
        (b'[{"a": 1}', "body_truncated"),
        (b'{"requests": [', "body_truncated"),
        (b"[" * 100_000, "malformed_json"),
        (b"[NaN, " + b"[" * 100_000, "malformed_json"),
        (b"[NaN, " + b"[" * 100_000 + b"]" * 100_000, "malformed_json"),
        (b"[1 2]", "malformed_json"),
        (b"[1,]", "malformed_json"),
        (b"[1] 2", "malformed_json"),
        (b"[] x", "malformed_json"),
        (b"[NaN", "malformed_json"),
        (b"[NaN,]", "malformed_json"),
        (b"[NaN 1]", "malformed_json"),
        (b"[NaN] x", "malformed_json"),
        (b'{"requests": [NaN]', "malformed_json"),
        (b"[NaN]}", "malformed_json"),
        (b"[NaN,\xc2\xa01]", "malformed_json"),  # no-break space is no space of JSON
        (b"{NaN}", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b"not JSON", "malformed_json"),
        (b"{}", "invalid_body"),
        (b'{"requests": 5}', "invalid_body"),
        (b'"text"', "invalid_body"),
        (b"null", "invalid_body"),
    ],
)
def test_broken_syntax_is_no_array(body: bytes, code: str) -> None:
    """Then none of it is a record."""
    with pytest.raises(MalformedBody) as error:
        split_array(body)
    assert error.value.code == code


def test_an_array_has_a_bounded_number_of_elements() -> None:
    """As many as are allowed, and not one more; also where each is judged by itself."""
    assert len(split_array(b"[1, 2]", 2)) == 2
    for body in (b"[1, 2, 3]", b"[NaN, 2, 3]"):
        with pytest.raises(BodyTooLarge) as error:
            split_array(body, 2)
        assert error.value.code == "too_many_records"


@pytest.mark.parametrize(
    "body",
    [b"[" + b"0," * 8_000_000 + b"0]", b'{"requests": [NaN' + b",{}" * 5_000_000 + b"]}"],
    ids=["zeros", "objects"],
)
def test_too_many_elements_are_not_built(body: bytes) -> None:
    """Millions of elements are refused at the first that is too much, in the memory of one array."""
    tracemalloc.start()
    with pytest.raises(BodyTooLarge) as error:
        split_array(body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.value.code == "too_many_records"
    assert peak_bytes < 3 * len(body)


def test_records_of_many_commas_are_cut_one_by_one() -> None:
    """So many commas might be as many elements; where they are not, the array is cut as any other."""
    record = b'{"a": [' + b"0, " * 200 + b"0]}"
    assert split_array(b"[" + record + b" , " + record + b"]", 2) == [record, record]
    assert split_array(b'{"requests": [' + record + b"]}", 1) == [record]
    for body, code in (
        (b"[" + record + b",]", "malformed_json"),
        (b'{"more": 1, "requests": [' + record + b"]}", "malformed_json"),
        (b"[" + record + b"]]", "malformed_json"),
    ):
        with pytest.raises(MalformedBody) as error:
            split_array(body, 1)
        assert error.value.code == code


def test_brackets_without_end_are_given_up() -> None:
    """Looking for the end of an element that nests millions deep is not worth it."""
    deep = b"[" * 600_000 + b"]" * 600_000
    with pytest.raises(MalformedBody) as error:
        split_array(b"[" + deep + b", 2]")
    assert error.value.code == "malformed_json"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(json_values))
def test_elements_are_those_that_a_json_reader_sees(elements: list[object]) -> None:
    """With NaN among them or not."""
    for form in (elements, {"requests": elements}):
        cut = split_array(json.dumps(form).encode())
        assert [json.dumps(json.loads(element)) for element in cut] == [
            json.dumps(element) for element in elements
        ]


@given(st.binary(max_size=60))
def test_no_body_breaks_the_cutting(body: bytes) -> None:
    """It is an array, or it is refused."""
    for attempt in (body, b"[NaN," + body, b"[" + body + b"]"):
        with suppress(MalformedBody):
            split_array(attempt)
