"""Which provider an endpoint belongs to."""

from urllib.parse import urlsplit

PROVIDER_BY_HOST = {
    "api.fireworks.ai": "fireworks",
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "google",
    "api.mistral.ai": "mistral",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "xai",
}


def provider_of_endpoint(endpoint: str | None) -> str | None:
    """The provider that an endpoint's host belongs to, if it is a known one."""
    if endpoint is None:
        return None
    try:
        host = urlsplit(endpoint.rpartition(" ")[2]).hostname
    except ValueError:
        return None
    return PROVIDER_BY_HOST.get(host or "")
