"""What we call the providers that sources call otherwise."""

import re

_OURS = {
    "cohere_chat": "cohere",
    "fireworks-ai": "fireworks",
    "fireworks_ai": "fireworks",
    "fireworks_ai-embedding-models": "fireworks",
    "gemini": "google",
    "text-completion-codestral": "codestral",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "togetherai": "together",
    "x-ai": "xai",
}
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9._-]+|^\.+")
_LENGTH_MAX = 100


def our_name(provider: str) -> str:
    """Give the name under which records and tables know a provider."""
    return _OURS.get(provider) or _NOT_IN_A_NAME.sub("-", provider.lower())[:_LENGTH_MAX] or "-"
