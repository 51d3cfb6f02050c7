"""Names that are data: whatever they look like to a URL, to SQL, to a spreadsheet or to a terminal."""

import json
from typing import Any

NAMES = [
    "plain",
    'it\'s "quoted" `so`',
    "back\\slash \\n \\u0041",
    "'; DROP TABLE ledger.customer; --",
    "$1 {customer_id} %s :name",
    "/leading",
    "trailing/",
    "do//ubled",
    "/",
    "//",
    "a/b/c",
    ".",
    "..",
    "../../etc/hosts",
    "a/../b",
    "%",
    "100%",
    "%2F",
    "%00",
    "a%20b+c",
    "a b",
    " spaces ",
    "?x=1&y=2#z;w",
    "batch",
    "explain",
    "a/explain",
    "a/adjustments",
    "null",
    "tab\there",
    "line\nbreak",
    "windows\r\nbreak",
    "\x1b[2J\x1b]0;title\x07",
    "\x7f\x80\x9b31m",
    "\u202egpj.acme\u202c",
    "\u2066inside\u2069\u200f\u200e",
    "\ufeffmarked",
    "zero\u200bwidth",
    "\u2028\u2029",
    "שלום, مرحبا",
    "東京",
    "👩\u200d💻🏳\ufe0f\u200d🌈",
    "e\u0301",
    "é",  # one character, and another name than the two above
    "ﬁ",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "a,b;c|d",
    "x" * 255,
    "😀" * 255,
    "[bold red]markup[/]",
    ":smile:",
    "\U0010ffff\ue000",
]
AT = "2026-11-19T08:00:00Z"
SPAN = {"from": "2026-11-01", "to": "2026-12-01"}


def named_record(name: str) -> dict[str, Any]:
    """A record that has the name wherever a record takes one. Its model has no price."""
    return {
        "request_id": name,
        "customer_id": name,
        "provider": name,
        "model": name,
        "service_tier": name,
        "response_id": name,
        "metadata": {name: name},
        "note": {name: [name]},
        "timestamp": AT,
        "input_tokens": 10,
        "output_tokens": 1,
    }


def named_lines() -> bytes:
    """All of them as NDJSON."""
    return b"\n".join(json.dumps(named_record(name)).encode() for name in NAMES)
