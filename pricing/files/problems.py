"""What can be wrong with a rate file, gathered so that it is all shown together."""

from collections.abc import Callable
from typing import TypeVar

import yaml
from msgspec import Struct

PROBLEMS_MAX = 100
_SHOWN_LENGTH_MAX = 80

T = TypeVar("T")


class RateFileProblem(Struct, frozen=True):
    """One thing that is wrong, and where it stands.

    Attributes:
        file: The name under which the file was given.
        line: The line in the file, counted from 1.
        message: What is wrong and what would be right.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class RateFileError(ValueError):
    """A rate file cannot be used.

    Attributes:
        problems: Everything found wrong with it, in the order of lines; never empty.
    """

    def __init__(self, problems: tuple[RateFileProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Problems:
    """The problems of one file while it is being read."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[RateFileProblem] = []
        self._count = 0

    def add(self, line: int, message: str) -> None:
        """Note a problem on a line, counted from 1. Beyond the first hundred they are only counted."""
        self._count += 1
        if self._count <= PROBLEMS_MAX:
            self._found.append(RateFileProblem(self._file, line, message))

    def attempt(self, what: str, node: yaml.Node, parse: Callable[[yaml.Node], T]) -> T | None:
        """Parse a node; note a ValueError as a problem of `what` and give None instead."""
        try:
            return parse(node)
        except ValueError as error:
            self.add(line_of(node), f"{what}: {error}")
            return None

    def failure(self) -> RateFileError:
        """Give what has been noted so far as one error, ordered by line."""
        problems = sorted(self._found, key=lambda problem: problem.line)
        if self._count > PROBLEMS_MAX:
            more = f"and {self._count - PROBLEMS_MAX} more problems"
            problems.append(RateFileProblem(self._file, problems[-1].line, more))
        return RateFileError(tuple(problems))

    def raise_if_any(self) -> None:
        """Raise what has been noted so far.

        Raises:
            RateFileError: At least one problem was noted.
        """
        if self._found:
            raise self.failure()


def line_of(node: yaml.Node | yaml.Event) -> int:
    """Give the line, counted from 1, on which a node or an event begins."""
    # The parser always sets the mark; only its types allow none.
    return int(getattr(node.start_mark, "line", 0)) + 1


def shown(text: str) -> str:
    """Quote text from a file for a message, cut to a length that a message can bear."""
    return repr(text if len(text) <= _SHOWN_LENGTH_MAX else text[:_SHOWN_LENGTH_MAX] + "...")
