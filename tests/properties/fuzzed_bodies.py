"""Bodies that strangers send, drawn by hypothesis: hostile, damaged and good records in every way of sending.

A drawn body names good records by their place in an endless list, so that each is sent once as new and may
be sent again; everything else in it is bytes.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import zstandard
from hypothesis import strategies as st

JSON, NDJSON = "application/json", "application/x-ndjson"
BOM = b"\xef\xbb\xbf"
NEW = b"\x00new"  # stands for the next good record
AGAIN = b"\x00again"  # stands for one that was sent before

FIELDS = (
    *("request_id", "customer_id", "connection_id", "model", "provider", "endpoint", "status"),
    *("provider_key_type", "timestamp", "created_at", "input_tokens", "prompt_tokens"),
    *("cached_input_tokens", "output_tokens", "input_seconds", "images", "gpu_seconds", "batch"),
    *("service_tier", "meter_slug", "metadata", "usage", "model_usage", "cost", "reported_cost"),
    *("response_id", "region", "extra", "unheard_of", "api_key", ""),
)
HOSTILE = (
    *("NaN", "-Infinity", "1e999", "-1", "-0", "0.1", "1E400", "00", "9" * 400, "1" * 5000),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\x00"', '"\\x"', '""', '"' + "x" * 300 + '"'),
    *("null", "true", "[]", "{}", "[[[]]]", "[" * 40 + "]" * 40, '{"a":' * 33 + "1" + "}" * 33),
    *('"2026-11-19T08:00:00"', '"9999-12-31T23:59:59Z"', '"0001-01-01T00:00:00Z"', "1e5", "'a'"),
    *('{"a":"b","a":"c"}', '{"prompt_tokens":-1}', '{"prompt_tokens":1,"input_tokens":2}'),
    *('"completed"', '"pending"', '"error"', '"POST https://api.fireworks.ai/"', '"\u202e"'),
)
DEEP = b"[" * 2000 + b"]" * 2000
PLAIN = {
    "request_id": '"fuzz"',
    "customer_id": '"fuzz"',
    "model": '"accounts/fireworks/models/deepseek-v4-pro"',
    "timestamp": '"2026-11-19T08:00:00Z"',
    "input_tokens": "10",
    "output_tokens": "1",
}


@dataclass(frozen=True)
class Drawn:
    """A body as it is drawn: records or places of good ones, and what is done to the whole.

    `form` is single, array, wrapped or lines; `damage` a share of the body that is cut off, or a byte that is
    put into it; `said` what the headers say instead of the truth.
    """

    form: str
    elements: tuple[bytes, ...]
    gap: bytes
    has_bom: bool
    encoding: str
    cut: float | None
    stray: tuple[float, bytes] | None
    said: tuple[str, str] | None

    @property
    def stands(self) -> bool:
        """Whether nothing is wrong with the whole, so that every good record in it must land."""
        whole = self.cut is None and self.stray is None and self.said is None
        if self.form in ("array", "wrapped"):
            return whole and all(is_element(each) for each in self.elements)
        return whole

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it."""
        stated = {"Content-Type": NDJSON if self.form == "lines" else JSON}
        if self.encoding != "identity":
            stated["Content-Encoding"] = self.encoding
        return stated | dict([self.said] if self.said else [])

    @property
    def path(self) -> str:
        """Where it goes."""
        return "/v1/requests" if self.form == "single" else "/v1/requests/batch"

    def body(self, records: list[bytes]) -> bytes:
        """The bytes, with records in place of the elements."""
        match self.form:
            case "lines":
                plain = self.gap.join(each.replace(b"\n", b" ") for each in records)
            case "single":
                plain = records[0]
            case form:
                array = b"[" + (b"," + self.gap).join(records) + b"]"
                plain = array if form == "array" else b'{"requests":' + self.gap + array + b"}"
        plain = (BOM if self.has_bom else b"") + plain
        if self.stray is not None:
            at = int(self.stray[0] * len(plain))
            plain = plain[:at] + self.stray[1] + plain[at:]
        packed = COMPRESS[self.encoding](plain)
        return packed if self.cut is None else packed[: int(self.cut * len(packed))]


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": partial(gzip.compress, compresslevel=1, mtime=0),
    "zstd": zstandard.ZstdCompressor().compress,
}


def is_element(raw: bytes) -> bool:
    """Whether an element leaves the array around it readable: strict or not, its syntax is whole."""
    if raw in (NEW, AGAIN):
        return True
    try:
        json.loads(raw.decode("utf-8", "surrogateescape"), parse_int=str, parse_float=str)
    except ValueError:
        return False
    except RecursionError:
        return raw == DEEP
    return True


def _record(fields: list[tuple[str, str]]) -> bytes:
    """A record with a few fields changed, added or stated twice."""
    pairs = [*PLAIN.items(), *fields]
    return ("{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}").encode()


def _changed(change: tuple[bytes, float, int, bytes]) -> bytes:
    """A record with some bytes taken out and others put in."""
    raw, place, taken, put = change
    at = int(place * len(raw))
    return raw[:at] + put + raw[at + taken :]


shares = st.floats(0, 1, exclude_max=True)
fields = st.tuples(st.sampled_from(FIELDS), st.sampled_from(HOSTILE))
hostile_records = st.lists(fields, min_size=1, max_size=4).map(_record)
changed_records = st.tuples(hostile_records, shares, st.integers(0, 3), st.binary(max_size=3)).map(
    _changed
)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=5)
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())
bad = st.one_of(
    hostile_records,
    changed_records,
    values,
    st.binary(max_size=40),
    st.sampled_from(HOSTILE).map(str.encode),
    st.sampled_from([b'{"request_id":"\xff"}', b'"\xed\xa0\x80"', DEEP]),
)
elements = st.one_of(st.just(NEW), st.just(NEW), st.just(AGAIN), bad, bad)


@st.composite
def drawn_bodies(draw: st.DrawFn) -> Drawn:
    """One body."""
    form = draw(st.sampled_from(["single", "array", "wrapped", "lines", "lines"]))
    most = 1 if form == "single" else 8
    gaps = [b"\n", b"\r\n", b"\n\n \t\r\n"] if form == "lines" else [b"", b" ", b"\r\n"]
    is_damaged = draw(st.integers(0, 3)) == 0
    harm = draw(st.sampled_from(["cut", "stray", "said"])) if is_damaged else None
    return Drawn(
        form=form,
        # What is put into the middle of a good record could make another good one of it.
        elements=tuple(
            draw(st.lists(bad if harm == "stray" else elements, min_size=1, max_size=most))
        ),
        gap=draw(st.sampled_from(gaps)),
        has_bom=draw(st.booleans()),
        encoding=draw(st.sampled_from(["identity", "identity", "gzip", "zstd"])),
        cut=draw(shares) if harm == "cut" else None,
        stray=draw(st.tuples(shares, st.binary(min_size=1, max_size=3)))
        if harm == "stray"
        else None,
        said=draw(st.sampled_from(UNTRUE)) if harm == "said" else None,
    )


UNTRUE = [
    ("Content-Type", "text/plain"),
    ("Content-Type", "multipart/form-data; boundary=x"),
    ("Content-Type", ""),
    ("Content-Type", JSON),
    ("Content-Type", NDJSON),
    ("Content-Encoding", "gzip"),
    ("Content-Encoding", "zstd"),
    ("Content-Encoding", "br"),
    ("Content-Encoding", "gzip, gzip"),
    ("Content-Encoding", "identity"),
]
