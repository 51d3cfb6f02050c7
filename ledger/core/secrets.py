"""Secrets stay out: what looks like one by its name is replaced by a hint before anything is stored."""

import json
import re

_WORDS = ("secret", "token", "key", "authorization", "password")
_ANY_CASE = "|".join(_WORDS)
_CAMEL_CASE = "|".join(word.capitalize() for word in _WORDS)
# `key`, `provider_key`, `x-api-key`, `apikey`, `apiKey`; not `monkey`, not `input_tokens`.
_NAME = (
    rf'(?:[^"\\]*[^A-Za-z"\\])?(?i:(?:api|auth|access)?(?:{_ANY_CASE}))'
    rf'|[^"\\]*[a-z0-9](?:{_CAMEL_CASE})'
)
_TEXT = r'"(?:[^"\\]|\\.)*+"?'
_SECRET_PAIR = re.compile(
    rf'("(?:{_NAME})"\s*:\s*)({_TEXT}|\[\s*{_TEXT}(?:\s*,\s*{_TEXT})*+)'.encode(), re.DOTALL
)
_SECRET = re.compile(_TEXT.encode(), re.DOTALL)
_ENDS_OF_NAMES = tuple(f'{word}"'.encode() for word in _WORDS)
_MOST_SHOWN = 4
_IS_HINT = re.compile(r".{0,24}(?:…|\\u2026) \(\d{1,9} characters\)", re.DOTALL)


def hide_secrets_in_bytes(raw: bytes) -> bytes:
    """The same record, JSON or not, with every text under a secret's name replaced by a hint.

    A secret's name ends in `secret`, `token`, `key`, `authorization` or `password`, as a word. Under it
    stands a text, or an array that begins with texts.
    """
    lowered = raw.lower()
    if not any(end in lowered for end in _ENDS_OF_NAMES):
        return raw
    return _SECRET_PAIR.sub(lambda pair: pair[1] + _SECRET.sub(_hint, pair[2]), raw)


def _hint(secret: re.Match[bytes]) -> bytes:
    """Its first characters, never more than a quarter of it, and how long it is."""
    text = secret[0].decode("utf-8", "replace").strip('"')
    if _IS_HINT.fullmatch(text):  # hidden before: so hiding again changes nothing
        return secret[0]
    shown = text[: min(_MOST_SHOWN, len(text) // 4)]
    return json.dumps(f"{shown}… ({len(text)} characters)").encode()
