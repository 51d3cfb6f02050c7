"""What one event used, and what each part of it costs."""

from msgspec import Struct


# gc=False: the writer makes these by the million, and they can never be part of a cycle.
class Quantities(Struct, frozen=True, gc=False):
    """Usage of one event. The parts never overlap and are never negative.

    Attributes:
        uncached_input_tokens: Input tokens that were not read from a cache, and are not counted
            in `other` as written to one, audio or image.
        cached_input_tokens: Input tokens that were read from a cache.
        output_tokens: Tokens produced, but for those that `other` counts as reasoning and the like.
        other: Stored integers by the value of their `Unit` (seconds are microseconds). Holds
            only quantities that are not zero and never one of the three token kinds; None when
            there is nothing else, which is the common case.
    """

    uncached_input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    other: dict[str, int] | None = None


class Costs(Struct, frozen=True, gc=False):
    """What one event costs, by kind, in pico of the ledger's currency.

    Attributes:
        input_pico: The uncached input tokens.
        cached_input_pico: The cached input tokens.
        output_pico: The output tokens.
        other_pico: One amount for each entry of `Quantities.other`; None when that is None.
    """

    input_pico: int
    cached_input_pico: int
    output_pico: int
    other_pico: dict[str, int] | None = None

    @property
    def total_pico(self) -> int:
        """The sum of all parts, in pico."""
        tokens_pico = self.input_pico + self.cached_input_pico + self.output_pico
        if self.other_pico is None:
            return tokens_pico
        return tokens_pico + sum(self.other_pico.values())
