"""Answers on their way: how many may be at once, for all callers and for each."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.core.errors import TooBusy


class Streams:
    """Places for answers that last as long as their readers like. One caller gets half of them at most."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._most_of_one = max(1, most // 2)
        self._under_way: Counter[str] = Counter()

    @property
    def free(self) -> int:
        """How many places nobody has."""
        return self.most - self._under_way.total()

    @contextmanager
    def place_for(self, caller: str) -> Iterator[None]:
        """A place in the block; `caller` is any name that is the caller's own.

        Raises:
            TooBusy: there is none, or the caller has its share.
        """
        if self._under_way[caller] >= self._most_of_one:
            raise TooBusy(
                f"{self._most_of_one} exports may run at once for a key; wait for one of them to end"
            )
        if not self.free:
            raise TooBusy("as many exports as may run at once are running")
        self._under_way[caller] += 1
        try:
            yield
        finally:
            self._under_way[caller] -= 1
            self._under_way += Counter()  # forgets those who have none
