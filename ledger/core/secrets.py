"""Secrets stay out: what looks like one by its name is replaced by a hint before anything is stored."""

import json
import re

_SECRET_PAIR = re.compile(
    rb'("(?:[^"\\]*[_\-.])?(?:secret|token|key|authorization|password)"\s*:\s*)"((?:[^"\\]|\\.)*)"?',
    re.IGNORECASE,
)
_SHOWN = 4


def hide_secrets_in_bytes(raw: bytes) -> bytes:
    """The same record, JSON or not, with every string under a secret's name replaced by a hint.

    A secret's name ends in `secret`, `token`, `key`, `authorization` or `password`.
    """
    if _SECRET_PAIR.search(raw) is None:
        return raw
    return _SECRET_PAIR.sub(lambda pair: pair[1] + json.dumps(_hint_bytes(pair[2])).encode(), raw)


def _hint_bytes(secret: bytes) -> str:
    text = secret.decode("utf-8", "replace")
    return f"{text[:_SHOWN]}… ({len(text)} characters)"
