"""Headers of a request, read where they stand."""

from litestar.types import Scope


def header_of(scope: Scope, name: bytes, default: str = "") -> str:
    """The first header of a name, which is in lower case.

    The framework would copy all of them into a map of texts first, for every request.
    """
    for stated, value in scope["headers"]:
        if stated == name:
            return value.decode("latin-1")
    return default
