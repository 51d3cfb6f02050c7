"""Playing a history to the product and to the second model, and comparing what they say.

What is done at once has happened in some order: the model tries them all, and one of them must explain
every answer and all that is recorded.
"""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ledger.services.proof.rebuilding import rebuild
from ledger.services.proof.verification import verify
from tests.naive_history import NaiveHistory
from tests.properties.histories import AtOnce, History, Operation, RunInvoices, Single
from tests.properties.history_model import Answer, Model
from tests.properties.history_product import Product


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
    for explained, candidate in _explanations(model, together):
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


def _explanations(model: Model, together: Sequence[Single]) -> Iterator[tuple[list[Answer], Model]]:
    """Every way in which operations that were started together may have happened, one after the other."""
    for order in itertools.permutations(range(len(together))):
        for parts in _splits(model.history, [(place, together[place]) for place in order]):
            candidate = model.copy()
            answers: list[Answer] = [None] * len(together)
            for place, operation in parts:
                answer = candidate.do(operation)
                answers[place] = _joined(answers[place], answer)
            yield answers, candidate


def _splits(
    history: History, order: Sequence[tuple[int, Single]]
) -> Iterator[list[tuple[int, Single]]]:
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
    """`verify` holds and `rebuild` changes no byte, of all that the database holds."""
    verified = await verify(product.database, product.clock)
    if not verified["ok"]:
        failed = [check for check in verified["checks"] if not check["ok"]]
        raise Disagreement(f"verify: {failed}")
    rebuilt = await rebuild(product.database, product.clock)
    if changed := [each for each in rebuilt["projections"] if not each["identical"]]:
        raise Disagreement(f"rebuild: {changed}")
