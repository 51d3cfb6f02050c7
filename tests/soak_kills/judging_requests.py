"""Whether the rows of a request are what was acknowledged of it, each whole and at a price of its time.

revision 0      what announced it        only if it was announced
revision 1      its statement            the acknowledged one, or one that was not answered
revision 2k     the negation of 2k-1
revision 2k+1   a correction, or the same with the price that was missing
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from math import inf

from tests.naive import KEY_TYPES, read_time
from tests.naive_history import Row
from tests.naive_prices import Quantities, called_as
from tests.soak_kills.cells import Wrong, costs, holds, number_of, require_negation, says
from tests.soak_kills.evidence import Cells
from tests.soak_kills.memory import Adjusting, Answer, Memory, Record, Request
from tests.soak_kills.published import Publication, money_of, quantities_of

ZERO = Decimal(0)


@dataclass
class Judged:
    """Rows as the naive ledger has them, and what was wrong."""

    rows: list[Row] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def judge_requests(memory: Memory, usage: Sequence[Cells]) -> Judged:
    """Judge all rows by all that was sent."""
    judged = Judged()
    recorded: dict[tuple[str, str], list[Cells]] = {}
    for cells in usage:
        recorded.setdefault((cells["customer_id"], cells["request_id"]), []).append(cells)
    for key in recorded.keys() - memory.requests.keys():
        judged.findings.append(f"{key} is there and was never sent")
    for key, request in memory.requests.items():
        try:
            judged.rows += _Case(memory, request).rows(recorded.get(key, ()))
        except Wrong as wrong:
            history = [(each.statement, str(each.answer)) for each in request.sendings]
            judged.findings.append(f"{key}: {wrong}; sent and answered: {history}")
    return judged


class _Case:
    """One request."""

    def __init__(self, memory: Memory, request: Request) -> None:
        self._memory = memory
        self._request = request

    def rows(self, recorded: Sequence[Cells]) -> list[Row]:
        """Its rows that count."""
        revisions = [int(cells["revision"]) for cells in recorded]
        if len(set(revisions)) < len(revisions):
            raise Wrong(f"rows twice: {revisions}")
        by_revision = dict(zip(revisions, recorded, strict=True))
        self._judge_sighting(by_revision.pop(0, None))
        if sorted(by_revision) != list(range(1, len(by_revision) + 1)):
            raise Wrong(f"revisions {revisions}")
        if not by_revision:
            self._require_nothing_owed(bool(revisions))
            return []
        statement = self._statement(by_revision[1])
        return self._chain(statement, [by_revision[number] for number in sorted(by_revision)])

    def _judge_sighting(self, cells: Cells | None) -> None:
        request = self._request
        announcing = [each for each in request.sendings if not request.is_metered(each.statement)]
        if cells is None:
            if any(each.answer is Answer.ACCEPTED for each in announcing):
                raise Wrong("its announcement was accepted and is not there")
        elif not announcing:
            raise Wrong("it was never announced")
        elif cells["kind"] != "pending" or number_of(cells["requests"]) or cells["cost"]:
            raise Wrong(f"an announcement that counts: {cells}")

    def _require_nothing_owed(self, is_announced: bool) -> None:  # noqa: FBT001 - a fact of the case
        """Nothing that completes it may have been acknowledged; nor anything at all if nothing is there."""
        for each in self._request.sendings:
            if each.is_acknowledged and (
                self._request.is_metered(each.statement) or not is_announced
            ):
                raise Wrong("it was acknowledged and is not there")
            if each.answer is Answer.CONFLICT:
                raise Wrong("it was in conflict with nothing")

    def _statement(self, first: Cells) -> int:
        """Which of its statements stands: the one that was acknowledged, else one nobody answered."""
        request = self._request
        metered = {number for number in request.numbers if request.is_metered(number)}
        taken = metered & {each.statement for each in request.sendings if each.is_acknowledged}
        refused = request.answered(Answer.CONFLICT)
        unanswered = metered & request.answered(Answer.NONE)
        if len(taken) > 1 or taken & refused:
            raise Wrong(f"acknowledged {sorted(taken)}, in conflict {sorted(refused)}")
        possible = taken or (unanswered - refused)
        for number in possible:
            if says(first, request.statements[number]):
                return number
        raise Wrong(f"it says {dict(first)}, of {[request.statements[n] for n in possible]}")

    def _chain(self, number: int, recorded: Sequence[Cells]) -> list[Row]:
        """Each row from the one before; the adjustments in their order, the last one perhaps."""
        statement = self._request.statements[number]
        waiting = list(self._request.adjustings)
        quantities = quantities_of(statement)
        begin_s, end_s = self._first_stretch(number)
        rows = [self._priced(statement, quantities, recorded[0], begin_s, end_s)]
        self._judge_told(recorded[0])
        for before, cells in pairwise(recorded):
            if int(cells["revision"]) % 2 == 0:
                require_negation(before, cells)
                rows.append(rows[-1].negated())
                continue
            if holds(cells, quantities) and rows[-1].table is None:  # it has got its price
                rows.append(self._priced(statement, quantities, cells, begin_s, inf))
                continue
            if not waiting or waiting[0].kind == "void":
                raise Wrong(f"nobody stated {dict(cells)}")
            adjusting = waiting.pop(0)
            quantities = {**quantities, **adjusting.quantities}
            rows.append(self._corrected(statement, quantities, cells, rows[-1], adjusting))
        if rows[-1].sign < 0:
            self._require_void(waiting)
        if any(each.is_answered for each in waiting):
            raise Wrong(f"adjustments are lost: {waiting}")
        return rows

    def _require_void(self, waiting: list[Adjusting]) -> None:
        if not waiting or waiting[0].kind != "void":
            raise Wrong("nobody took it back")
        waiting.pop(0)

    def _first_stretch(self, number: int) -> tuple[float, float]:
        """From the first sending of a statement until it must have been recorded."""
        sendings = [each for each in self._request.sendings if each.statement == number]
        answered_s = [each.answered_s for each in sendings if each.is_acknowledged]
        return min(each.sent_s for each in sendings), min(answered_s, default=inf)

    def _corrected(
        self,
        statement: Record,
        quantities: Quantities,
        cells: Cells,
        before: Row,
        adjusting: Adjusting,
    ) -> Row:
        """What has a price keeps its version."""
        if before.table is None:
            end_s = adjusting.answered_s
            return self._priced(statement, quantities, cells, adjusting.sent_s, end_s)
        version = self._publication(before)
        return self._row(statement, quantities, cells, [version])

    def _publication(self, row: Row) -> Publication:
        return next(e for e in self._memory.shelf.publications if e.table is row.table)

    def _priced(
        self, statement: Record, quantities: Quantities, cells: Cells, begin_s: float, end_s: float
    ) -> Row:
        moment = read_time(statement["timestamp"])
        shelf = self._memory.shelf
        versions = list(shelf.admissible(statement["provider"], moment, begin_s, end_s))
        return self._row(statement, quantities, cells, versions)

    def _row(
        self,
        statement: Record,
        quantities: Quantities,
        cells: Cells,
        versions: Sequence[Publication | None],
    ) -> Row:
        """The row at one of some versions of the prices. It names the version, if that prices it."""
        if not holds(cells, quantities):
            raise Wrong(f"quantities {dict(cells)}, not {dict(quantities)}")
        terms = self._memory.terms_of(statement)
        for version in versions:
            money = money_of(statement, quantities, version, terms)
            if costs(cells, money, version, statement):
                table = version.table if version and money else None
                return self._naive(statement, quantities, money or (ZERO, ZERO), table)
        names = [version and version.version for version in versions]
        raise Wrong(f"money {dict(cells)} is by none of {names}")

    def _naive(
        self,
        statement: Record,
        quantities: Quantities,
        money: tuple[Decimal, Decimal],
        table: object,
    ) -> Row:
        return Row(
            customer=statement["customer_id"],
            provider=statement["provider"],
            model=statement["model"],
            key_type=KEY_TYPES[statement["provider_key_type"]],
            occurred_at=read_time(statement["timestamp"]),
            quantities=quantities,
            called=called_as(statement),
            cost=money[0],
            fee=money[1],
            request_id=statement["request_id"],
            terms=self._memory.terms_of(statement),
            table=table,  # type: ignore[arg-type]
        )

    def _judge_told(self, first: Cells) -> None:
        """What the answer 201 said of a completed record is what was recorded."""
        told = self._request.told
        if told is None or told["status"] != "completed":
            return
        if any((told[name] or "") != first[name] for name in ("rate_version", "cost", "spend")):
            raise Wrong(f"it was told {told}, and is {dict(first)}")
