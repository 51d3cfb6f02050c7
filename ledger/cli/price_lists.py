"""Somebody else's price list as text: from a file, a wheel, or an installed package that is not run."""

import importlib.metadata
import importlib.util
import lzma
import re
import zipfile
import zlib
from pathlib import Path
from typing import IO, NamedTuple

from pricing.imports import SourceError

BYTES_MAX = 64 * 1024 * 1024

# Where the packages of the sources keep their prices.
_MEMBERS = {
    "genai-prices": "genai_prices/data.py",
    "litellm": "litellm/model_prices_and_context_window_backup.json",
}
# What a damaged archive ends in, by how its members are packed; bzip2 says OSError.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError),
    *(NotImplementedError, RuntimeError, UnicodeDecodeError, MemoryError),
)
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_WHEEL_VERSION = re.compile(r"[^/]+-(?P<version>[^-/]+)\.dist-info/METADATA")


class PriceList(NamedTuple):
    """A price list and where it was found.

    Attributes:
        text: The whole list.
        origin: What it came from, in words that will stand in the table.
    """

    text: str
    origin: str


def read_price_list(source: str, place: str) -> PriceList:
    """Read a price list from a file, from a wheel or another zip, or from an installed package.

    Raises:
        SourceError: It is too large, is not text, or does not hold the file that the source has.
        FileNotFoundError: There is neither a file nor an installed package of that name.
    """
    path = Path(place)
    if path.is_file():
        if zipfile.is_zipfile(path):
            return _from_archive(source, path)
        with path.open("rb") as stream:
            return PriceList(_text(stream, path.name), path.name)
    package = place.replace("-", "_")
    if source not in _MEMBERS or _PACKAGE.fullmatch(place) is None:
        raise FileNotFoundError(f"{place}: no such file")
    # Of a name without dots the specification is found without running the package.
    found = importlib.util.find_spec(package)
    folders = found.submodule_search_locations if found else None
    if not folders:
        raise FileNotFoundError(f"{place}: neither a file nor an installed package")
    return _from_package(source, place, Path(next(iter(folders))))


def _from_package(source: str, place: str, folder: Path) -> PriceList:
    member = _MEMBERS[source].partition("/")[2]
    path = folder / member
    if not path.is_file():
        raise SourceError(f"the package {place} has no file {member}, which {source} would have")
    try:
        version = importlib.metadata.version(place)
    except importlib.metadata.PackageNotFoundError:
        version = "of unknown version"
    with path.open("rb") as stream:
        return PriceList(_text(stream, place), f"{place} {version}, {member}")


def _from_archive(source: str, path: Path) -> PriceList:
    member = _MEMBERS.get(source)
    if member is None:
        raise SourceError(f"{path.name} is an archive; {source} is read from a JSON file")
    try:
        with zipfile.ZipFile(path) as archive:
            versions = map(_WHEEL_VERSION.fullmatch, archive.namelist())
            version = next((match["version"] for match in versions if match), "")
            with archive.open(member) as stream:
                text = _text(stream, f"{path.name}:{member}")
    except KeyError:
        raise SourceError(f"{path.name} holds no {member}, which {source} would have") from None
    except _DAMAGE as error:
        raise SourceError(f"{path.name} is no archive that can be read: {error}") from error
    return PriceList(text, " ".join(filter(None, (source, version, f"({path.name})"))))


def _text(stream: IO[bytes], name: str) -> str:
    """Read so far as the bound goes, whatever an archive says of its size."""
    content = stream.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise SourceError(f"{name} has more than {BYTES_MAX} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name} is not UTF-8 text") from error
