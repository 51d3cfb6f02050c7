"""Playing a history to the product and to the second model, and comparing what they say.

What is done at once has happened in some order: the model tries them all, and one of them must explain
every answer and all that is recorded.

A batch records all that counts at one moment. What it refuses or only records as seen it has decided
a moment earlier, when it looked the key up, and another batch may complete the key in between. Both
answers are right for that key, so it may follow an order of its own.
"""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ledger.services.proof.rebuilding import rebuild
from ledger.services.proof.verification import verify
from tests.naive import read_record
from tests.naive_history import NaiveHistory
from tests.properties.histories import (
    Adjust,
    AtOnce,
    Condense,
    History,
    Operation,
    RunInvoices,
    Send,
    Single,
)
from tests.properties.history_model import Answer, Key, Model
from tests.properties.history_product import Product

Part = tuple[int, Single]  # the place of an operation among those at once; of a run perhaps a part
WITHIN_THE_FENCE = (Send, Adjust, RunInvoices, Condense)  # those go on beside each other


class Disagreement(AssertionError):
    """The product and the second model say different things, or the product contradicts itself."""


async def play(product: Product, history: History, *, every_step: bool = False) -> None:
    """Play a history. `every_step`: all is compared after each operation, not only at the end.

    Raises:
        Disagreement: it says after which operation, and what is different.
    """
    product.begin(history)
    model = Model(history, NaiveHistory([], history.begins_at), history.begins_at)
    last = len(history.operations) - 1
    for step, operation in enumerate(history.operations):
        is_compared = every_step or step == last
        try:
            model = await _step(product, model, operation, is_compared=is_compared)
            if is_compared:
                await _check_ledger(product)
        except Disagreement as found:
            raise Disagreement(f"history {history.number}, step {step}: {found}") from None


async def _step(
    product: Product, model: Model, operation: Operation, *, is_compared: bool
) -> Model:
    """Do one operation on both sides; gives the model that agrees.

    The answers are compared in any case, and what is recorded where several orders are possible.
    """
    if not isinstance(operation, AtOnce):
        operation = AtOnce((operation,), (0,))
    together = operation.operations
    pauses = zip(together, operation.pauses_ms, strict=True)
    answers = list(await asyncio.gather(*(_do_after(product, *each) for each in pauses)))
    state = None
    if is_compared or len(together) > 1:
        state = await product.state(model.history.span)
    differences = []
    for explained, candidate in explanations(model, together, answers):
        difference = {} if explained == answers else {"answers": (answers, explained)}
        if state is not None:
            difference |= state.differences(candidate.state())
        if not difference:
            return candidate
        differences.append(difference)
    raise Disagreement(f"{operation}\nproduct and model: {min(differences, key=len)}")


async def _do_after(product: Product, operation: Single, pause_ms: int) -> Answer:
    if pause_ms:
        await asyncio.sleep(pause_ms / 1000)
    return await product.do(operation)


def explanations(
    model: Model, together: Sequence[Single], told: Sequence[Answer]
) -> Iterator[tuple[list[Answer], Model]]:
    """Every way in which operations that were started together may have happened, one after the other.

    `told` are the product's answers. They say which keys of a batch were decided early.
    """
    for order in itertools.permutations(range(len(together))):
        for parts in _splits(model.history, [(place, together[place]) for place in order]):
            explanation = _Explanation(model, together, told)
            explanation.play(parts)
            yield explanation.answers, explanation.model


class _Explanation:
    """Operations one after the other: the model's answers, and the model after them.

    Within a batch the keys have nothing to do with each other; the records of one keep their order.
    """

    def __init__(self, model: Model, together: Sequence[Single], told: Sequence[Answer]) -> None:
        self.model = model.copy()
        self.answers: list[Answer] = [None] * len(together)
        self._told = told
        self._undecided: dict[int, dict[Key, list[int]]] = {}  # by place and key: which records
        for place, operation in enumerate(together):
            if isinstance(operation, Send):
                self.answers[place] = [None] * len(operation.records)
                self._undecided[place] = _by_key(operation)

    def play(self, parts: Sequence[Part]) -> None:
        for at, (place, operation) in enumerate(parts):
            if isinstance(operation, Send):
                self._send(place, operation, _sends_before_decisions(parts[at + 1 :]))
            else:
                answer = self.model.do(operation)
                self.answers[place] = _joined(self.answers[place], answer)

    def _send(self, place: int, send: Send, later: Sequence[tuple[int, Send]]) -> None:
        """Decide a batch key by key; later ones may have looked a key up before."""
        for key in list(self._undecided[place]):
            for other, rival in later:
                if self._was_early(other, rival, key):
                    self._decide(other, rival, key)
            self._decide(place, send, key)

    def _was_early(self, place: int, send: Send, key: Key) -> bool:
        """Whether a batch may decide a key now: as the product told, with nothing recorded that counts."""
        indices = self._undecided[place].get(key)
        if indices is None:
            return False
        trial = self.model.copy()
        answers = trial.do(_chosen(send, indices))
        as_told = answers == [self._told[place][index] for index in indices]
        return as_told and trial.naive.rows == self.model.naive.rows

    def _decide(self, place: int, send: Send, key: Key) -> None:
        indices = self._undecided[place].pop(key)
        for index, answer in zip(indices, self.model.do(_chosen(send, indices)), strict=True):
            self.answers[place][index] = answer


def _by_key(send: Send) -> dict[Key, list[int]]:
    """The places of the records of each key, in their order."""
    places: dict[Key, list[int]] = {}
    for index, raw in enumerate(send.records):
        record = read_record(raw)
        places.setdefault((record["customer_id"], record["request_id"]), []).append(index)
    return places


def _chosen(send: Send, indices: Sequence[int]) -> Send:
    return replace(send, records=tuple(send.records[index] for index in indices))


def _sends_before_decisions(parts: Sequence[Part]) -> list[tuple[int, Send]]:
    """The next batches, up to a decision that holds writers off: none of them is under way across it."""
    near = itertools.takewhile(lambda part: isinstance(part[1], WITHIN_THE_FENCE), parts)
    return [(place, each) for place, each in near if isinstance(each, Send)]


def _splits(history: History, order: Sequence[Part]) -> Iterator[list[Part]]:
    """A run over all customers looks at each at a moment of its own: at some first, at others last."""
    yield list(order)
    place, run = next(
        (each for each in order if isinstance(each[1], RunInvoices) and each[1].customer is None),
        (0, None),
    )
    if len(order) == 1 or not isinstance(run, RunInvoices):
        return
    others = [each for each in order if each[0] != place]
    for size in range(1, len(history.customers)):
        for first in itertools.combinations(history.customers, size):
            last = [name for name in history.customers if name not in first]
            early = [(place, replace(run, customer=name)) for name in first]
            yield [*early, *others, *((place, replace(run, customer=name)) for name in last)]


def _joined(earlier: Answer, later: Answer) -> Answer:
    """The answer of a run in parts is that of all of them."""
    return earlier | later if isinstance(earlier, dict) and isinstance(later, dict) else later


async def _check_ledger(product: Product) -> None:
    """`verify` holds and `rebuild` changes no byte, of all that the database holds.

    What all have spent is what each has spent, though the one is read from other sums than the other.
    """
    verified = await verify(product.database, product.clock)
    if not verified["ok"]:
        failed = [check for check in verified["checks"] if not check["ok"]]
        raise Disagreement(f"verify: {failed}")
    rebuilt = await rebuild(product.database, product.clock)
    if changed := [each for each in rebuilt["projections"] if not each["identical"]]:
        raise Disagreement(f"rebuild: {changed}")
    together, each = await product.spent_by_day()
    if together != each:
        raise Disagreement(f"all and each of them have spent: {together} {each}")
