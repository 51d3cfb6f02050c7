"""The two servers as clients see them: an answer, or none."""

import time
from random import Random
from types import TracebackType
from typing import Any, Self

import httpx

from tests.conftest import ADMIN_KEY
from tests.soak_kills.figures import Figures, Recovery
from tests.soak_kills.machines import Member
from tests.soak_kills.memory import Memory

PATIENCE_S = 30
NOBODY_ANSWERS = (429, 503)  # the caller may send it again
RECORDS = "/v1/requests"


class Doors:
    """Asks a server; what must not be answered is found."""

    def __init__(
        self, members: tuple[Member, Member], memory: Memory, figures: Figures, recovery: Recovery
    ) -> None:
        self.members = members
        self._memory = memory
        self._figures = figures
        self._recovery = recovery
        limits = httpx.Limits(max_keepalive_connections=40)
        self._http = httpx.AsyncClient(timeout=PATIENCE_S, limits=limits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    @property
    def are_open(self) -> bool:
        """Whether one of them listens, as far as is known."""
        return any(member.url for member in self.members)

    def any(self, dice: Random) -> Member:
        """One of the two; of those that listen if any does."""
        return dice.choice([each for each in self.members if each.url] or self.members)

    def other(self, member: Member) -> Member:
        """The one that is not this."""
        return self.members[self.members[0] is member]

    async def ask(
        self, member: Member, method: str, path: str, key: str = ADMIN_KEY, **said: Any
    ) -> httpx.Response | None:
        """The answer; None where there was none, or only that it must be asked again."""
        url, sent_s = member.url, time.monotonic()
        answer = None
        if url is not None:
            headers = {"Authorization": f"Bearer {key}", **said.pop("headers", {})}
            try:
                answer = await self._http.request(method, url + path, headers=headers, **said)
            except httpx.TimeoutException:
                self._memory.find(f"{member.name}: {method} {path}: no answer in {PATIENCE_S} s")
            except httpx.TransportError:
                pass  # it was killed, or is about to listen
        self._figures.answers["none" if answer is None else str(answer.status_code)] += 1
        if answer is None or answer.status_code in NOBODY_ANSWERS:
            return None
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            self._memory.find(f"{member.name}: {method} {path}: {answer.text}\n{member.said}")
            return None
        if method == "POST" and path.startswith(RECORDS):
            self._recovery.answered(member.name, sent_s)
        return answer
