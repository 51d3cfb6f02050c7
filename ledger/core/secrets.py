"""Secrets stay out: what looks like one is replaced by a hint before anything is stored.

By its name: the texts under one that ends in `key`, `access_tokens`, `authorization` and the like. By its
look: a key of our own, wherever it stands. Patterns find them and no parser does, so that all else stays as
it came, and what is no JSON, or the mere beginning of some, hides its secrets too. In JSON they are exact: a
letter, a quote and a colon end a name there, and stand so nowhere else.
"""

import json
import re

_WORDS = ("secret", "token", "key", "authorization", "password", "passwd", "credential", "bearer")
# Before `tokens` these make counts of ours; what is wrong with one is seen by its text.
_COUNTED = tuple(
    f"{word}_".encode()
    for word in (
        *("input", "output", "prompt", "completion", "cache_write", "cache_write_1h"),
        *("reasoning", "training"),
    )
)
_MOST_BEFORE = max(map(len, _COUNTED))

_TEXT = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+'
_PLAIN = (
    r"(?i:-?\d++(?:\.\d++)?+(?:e[+-]?\d++)?+|true|false|null|nan|-?infinity)"
    r'(?=[\s,:\[\]{}"]|\Z)'
)
# A text, or what stands where one should.
_HIDDEN = rf"""(?:{_TEXT}|(?!{_PLAIN})[^\s,:\[\]{{}}"]++)"""
_COUNT = r'"-?\d{1,13}(?:\.\d{1,12})?"(?!\s*+:)'


def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.DOTALL)


def _parts_passing_over(*passed: str) -> re.Pattern[bytes]:
    """The parts of a value that matter, one after the other; texts in a row are one."""
    texts = rf"{_HIDDEN}(?!\s*+:)(?:\s*+,\s*+{_HIDDEN}(?!\s*+:))*+"
    return _compiled(
        rf"(?:[\s,:]|{'|'.join(passed)})*+(?:(?P<secret>{texts})|(?P<name>{_HIDDEN})"
        r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<end>\Z))"
    )


# A secret's name from its last word on, in lower case, and that neither a number nor nothing stands under it.
# Cheap: it is looked for in every record of which something is kept.
_NAME = _compiled(
    rf'((?:{"|".join(_WORDS)})s?)(?:[_.-]?values?)?"\s*+:\s*+(?=[^\s,:\]}}])(?!{_PLAIN})'
)
# `key`, `provider_key`, `x-api-key`, `apikey`, `key_value`, and `apiKey`; not `monkey`. The last letter of
# an escaped character is none.
_BEFORE_WORD = re.compile(rb"(?:\A|[^A-Za-z]|\\(?:[bfnrt]|u[0-9A-Fa-f]{4}))(?i:api|auth|access)?\Z")
_BEFORE_CAPITAL = re.compile(rb"[a-z0-9](?:API|Api|Auth|Access)?\Z")
_PARTS = _parts_passing_over(_PLAIN)
_PARTS_AMONG_COUNTS = _parts_passing_over(_PLAIN, _COUNT)
_IS_COUNT, _EACH = _compiled(_COUNT), _compiled(_HIDDEN)

_MOST_SHOWN = 4
_IS_HINT = re.compile(
    r"…|(?:.{0,4}|lk_[0-9a-z]{10}_)… \(\d{1,9} characters(?:, first of \d{1,9})?\)", re.DOTALL
)
# Of a record with more than some hundred secrets the rest gets the short one: a hint is longer than most.
_MOST_PIECES = 500
_SHORT_HINT = rb'"\u2026"'

# `ledger.core.keys` says how they are made; the one of the first start has no id.
_OWN_KEY = r"(lk_(?:[0-9a-z]{10}_)?)(?:[A-Za-z0-9_-]{43}%s)"
_OWN_KEY_IN_TEXT = re.compile(_OWN_KEY % "")
# What is cut off at its end may end in a part of one.
_OWN_KEY_IN_BYTES = _compiled(_OWN_KEY % r"|[A-Za-z0-9_-]{1,42}(?:\\[u0-9A-Fa-f]{0,5})?\Z")
_ESCAPED = _compiled(r"\\(?:u00([2-7][0-9A-Fa-f])|.)")


def hide_secrets_in_bytes(raw: bytes) -> bytes:
    """The same record, JSON or not, with hints in the place of secrets; done again it changes nothing.

    Numbers, true, false and null stay under every name, and under `..._tokens` texts of digits do, which are
    counts. Texts of an array that follow each other become one hint.
    """
    # An escaped letter is that letter.
    plain = _ESCAPED.sub(_unescaped, raw) if b"\\u00" in raw else raw
    hidden = plain
    if b"lk_" in plain:
        hidden = _OWN_KEY_IN_BYTES.sub(
            lambda key: key[1] + rb"\u2026 (%d characters)" % len(key[0]), plain
        )
    hidden = _hide_named(hidden)
    return raw if hidden == plain else hidden


def hide_own_keys(text: str) -> str:
    """The same text with a hint in the place of each key of ours: its id, which is no secret."""
    return _OWN_KEY_IN_TEXT.sub(lambda key: f"{key[1]}… ({len(key[0])} characters)", text)


def _unescaped(escaped: re.Match[bytes]) -> bytes:
    character = bytes.fromhex(escaped[1].decode()) if escaped[1] else b"\\"
    return escaped[0] if character in b'"\\' else character


def _hide_named(plain: bytes) -> bytes:
    """Go from one secret's name to the next and hide what stands under it."""
    lowered = plain.lower()
    pieces: list[bytes] = []
    start = position = 0
    while name := _NAME.search(lowered, position):
        position = name.end()
        if _is_secret(plain, name):
            pieces.append(plain[start:position])
            parts = _PARTS_AMONG_COUNTS if name[1] == b"tokens" else _PARTS
            start = position = _hide_value(plain, position, parts, pieces)
    return b"".join((*pieces, plain[start:])) if pieces else plain


def _is_secret(plain: bytes, name: re.Match[bytes]) -> bool:
    """Whether the word that ends a name is a whole one, and what stands under it is no count."""
    before = plain[max(0, name.start() - _MOST_BEFORE) : name.start()]
    if name[1] == b"tokens" and (before.endswith(_COUNTED) or _IS_COUNT.match(plain, name.end())):
        return False
    is_capital = plain[name.start()] < ord("a")
    return bool(_BEFORE_WORD.search(before) or (is_capital and _BEFORE_CAPITAL.search(before)))


def _hide_value(plain: bytes, start: int, parts: re.Pattern[bytes], pieces: list[bytes]) -> int:
    """Hide a text, or all that stand in an array or object; give where it ends. Names in it stay."""
    depth = 0
    for part in parts.finditer(plain, start):
        kind = part.lastgroup
        if kind == "secret":
            hint = _hint(part["secret"]) if len(pieces) < _MOST_PIECES else _SHORT_HINT
            pieces += plain[start : part.start("secret")], hint
            start = part.end()
        depth += (kind == "open") - (kind == "close")
        if depth <= 0 and kind != "name":
            break
    pieces.append(plain[start : part.end()])
    return part.end()


def _hint(secret: bytes) -> bytes:
    """The first characters of a text, never more than a quarter of it, how long it is, and of how many."""
    texts = _EACH.findall(secret)
    text, count = _text_of(texts[0]), len(texts)
    if count == 1 and _IS_HINT.fullmatch(text):  # hidden before
        return secret
    shown = json.dumps(text[: min(_MOST_SHOWN, len(text) // 4)])[:-1]
    first_of = f", first of {count}" if count > 1 else ""
    return rf'{shown}\u2026 ({len(text)} characters{first_of})"'.encode()


def _text_of(written: bytes) -> str:
    """What a text says; what is no text in JSON is taken as it is written."""
    if b"\\" in written:
        try:
            return str(json.loads(written))
        except ValueError:
            pass
    return written.decode("utf-8", "replace").strip('"')
