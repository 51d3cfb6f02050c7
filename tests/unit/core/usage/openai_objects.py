"""Usage objects of OpenAI, and what is read of them."""

import json
from typing import Any

import pytest

from ledger.core.usage.shapes import ReadUsage, read_usage
from ledger.core.usage.stated import FaultyField


def read(usage: object, provider: str | None = "openai") -> ReadUsage:
    """What a usage object says."""
    return read_usage(json.dumps(usage).encode(), provider)


def refused(usage: object, provider: str | None = "openai") -> tuple[str | None, str, str]:
    """Field, code and detail of the refusal."""
    with pytest.raises(FaultyField) as faulty:
        read(usage, provider)
    error = faulty.value.error
    return error.field, error.code, error.detail


def chat(prompt: int, completion: int, **details: Any) -> dict[str, Any]:
    """A chat usage object whose total is right; `input_` and `output_` lead the details."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": part(details, "input_"),
        "completion_tokens_details": part(details, "output_"),
    }


def responses(whole_input: int, whole_output: int, **details: Any) -> dict[str, Any]:
    """The same of the Responses interface."""
    return {
        "input_tokens": whole_input,
        "output_tokens": whole_output,
        "total_tokens": whole_input + whole_output,
        "input_tokens_details": part(details, "input_"),
        "output_tokens_details": part(details, "output_"),
    }


def part(details: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The details of one side, with the names they have there."""
    return {
        name.removeprefix(prefix): value
        for name, value in details.items()
        if name.startswith(prefix)
    }
