"""What an error is, for the log: types, codes and frames, no word of what it says, which may hold values."""

from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb

_ROOT = Path(__file__).parents[1]
_MOST_CAUSES = 5


def story_of(error: BaseException) -> str:
    """The types of an error and its causes, innermost frame first; no word of what they say."""
    return "; caused by ".join(
        f"{_kind(each)} at {' < '.join(_frames(each)) or 'no frame'}"
        for each in _with_causes(error)
    )


def _frames(error: BaseException) -> list[str]:
    frames = [
        f"{_shortened(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    return frames[::-1]


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it; of a group its first."""
    following: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if following is None:
            return
        yield following
        if isinstance(following, BaseExceptionGroup):
            following = following.exceptions[0]
        else:
            hidden = following.__suppress_context__
            following = following.__cause__ or (None if hidden else following.__context__)


def _kind(error: BaseException) -> str:
    """The type, and the codes that programs give beside it."""
    codes = [
        f"{name} {value}"
        for name in ("sqlstate", "table_name", "constraint_name", "errno")
        if isinstance(value := getattr(error, name, None), str | int)
    ]
    return " ".join([f"{type(error).__module__}.{type(error).__qualname__}", *codes])


def _shortened(file: str) -> str:
    _, is_package, within = file.rpartition("/site-packages/")
    return within if is_package else file.removeprefix(f"{_ROOT}/")
