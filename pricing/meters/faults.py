"""What can be wrong with a stated meter, gathered so that it is all shown together."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from pricing.files.problems import shown

Path = tuple[str | int, ...]
_T = TypeVar("_T")


class MeterFault(Struct, frozen=True):
    """One thing that is wrong with a stated meter.

    Attributes:
        path: The keys, and the indices from 0, that lead to it.
        code: What is wrong, for programs.
        detail: What is wrong and what would be right.
    """

    path: Path
    code: str
    detail: str

    @property
    def field(self) -> str:
        """The path as one text: `tiers[1].rate`. A key that cannot be printed is escaped."""
        parts = [
            f"[{part}]" if isinstance(part, int) else f".{_printed(part)}" for part in self.path
        ]
        return "".join(parts).removeprefix(".")


class MeterFaults:
    """The faults of one meter while it is being read."""

    def __init__(self) -> None:
        self.found: list[MeterFault] = []

    def add(self, path: Path, code: str, detail: str) -> None:
        """Note a fault."""
        self.found.append(MeterFault(path, code, detail))

    def attempt(
        self, path: Path, code: str, parse: Callable[[Any], _T], value: object
    ) -> _T | None:
        """Parse a value; note a ValueError as a fault and give None instead."""
        try:
            return parse(value)
        except ValueError as error:
            self.add(path, code, str(error))
            return None

    def refuse_others(
        self, path: Path, what: str, stated: Iterable[str], known: Collection[str]
    ) -> None:
        """Note every stated key that is not one of the known."""
        for key in stated:
            if key not in known:
                detail = f"{what} has no {shown(key)}; it has {', '.join(known)}"
                self.add((*path, key), "unknown_field", detail)


def present(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is stated: a key with None says nothing."""
    return {key: value for key, value in stated.items() if value is not None}


def _printed(key: str) -> str:
    """Give a key as it can be printed, cut to a length that a message can bear."""
    return shown(key)[1:-1]
