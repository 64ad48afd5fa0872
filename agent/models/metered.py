"""What all metered models do: reserve before a request, and settle after it, however it ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.models.refused import Refused, is_turned_away
from session.usage import Held, ModelUsed, Purse, Usage


@dataclass
class Meter:
    """Of one request; brought up to date while it is answered."""

    estimate: Usage
    """What it has used if it ends now."""
    counted: Usage | None = None
    """What it used, once that is known."""
    has_answer: bool = False
    """Whether anything of an answer has come."""

    def settle(self, purse: Purse, held: Held, error: BaseException | None) -> None:
        if self.counted is not None:
            purse.settle(held, self.counted, is_estimate=False)
        elif error is not None and not self.has_answer and is_turned_away(error):
            purse.settle(held, Usage(), is_estimate=True)
        else:
            purse.settle(held, self.estimate, is_estimate=True)


async def reserve(purse: Purse, model: ModelUsed, at_most: Usage) -> Held:
    """Whoever is cancelled here has reserved nothing; between it and `settling` nobody may wait.

    Raises:
        Refused: nothing is reserved, and the request must not be made.
    """
    held = await purse.reserve(model, at_most)
    if not held.decision.allowed:
        raise Refused(held.decision)
    return held


@contextmanager
def settling(purse: Purse, held: Held, meter: Meter) -> Iterator[None]:
    """The request is made inside."""
    try:
        yield
    except BaseException as error:
        meter.settle(purse, held, error)
        raise
    meter.settle(purse, held, None)


def count_of(told: object) -> int:
    """A count as a provider told it, which may be anything."""
    return told if isinstance(told, int) and told > 0 else 0
