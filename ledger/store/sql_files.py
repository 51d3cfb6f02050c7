"""Finding and reading the SQL that lives in `sql/`.

Queries keep PostgreSQL's own `$1`, so that what stands in the file is what the server gets.
"""

import re
from functools import cache
from pathlib import Path

import ledger

_HEADER = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def sql_folder() -> Path:
    """The folder with migrations and queries: inside the installed package, or beside it in a checkout."""
    package = Path(ledger.__file__).parent
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent / "sql"


def query(file: str, name: str) -> str:
    """The text of one named query of `sql/queries/<file>.sql`, its comment included.

    Raises:
        KeyError: no query of that name stands there.
    """
    return _queries(file)[name]


@cache
def _queries(file: str) -> dict[str, str]:
    text = (sql_folder() / "queries" / f"{file}.sql").read_text()
    _, *pairs = _HEADER.split(text)
    names, bodies = pairs[::2], pairs[1::2]
    if len(set(names)) < len(names):
        raise ValueError(f"{file}.sql names a query twice")
    return dict(zip(names, (body.strip() for body in bodies), strict=True))
