"""When a provider is asked no more, and when again: what is asked, said and answered, as values.

A *circuit* is one provider for one stage, such as `llm https://api.openai.com/v1 gpt-6-luna`; its
name is compared letter by letter. It opens after `FAILURES` within `WINDOW_SECONDS`, also if
others succeed in between: three callers who heard nothing are enough. While it is open nobody asks
(`OPEN_SECONDS`, or as long as the provider says); then one caller of all processes may, whose probe
is a lease: it closes the circuit, opens it again, or dies and is followed by another one.

Each opening and each probe has a fence of its own, and a verdict counts only with the present one.
So of many requests that were under way when it opened, none says anything any more.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

FAILURES = 3
WINDOW_SECONDS = 30.0
OPEN_SECONDS = 30.0

PROBE_SECONDS = 10.0
"""A turn, which is over within 4 s, and some patience."""

BUSY_SECONDS = (1.0, 30.0, 600.0)
"""After a 429: at least, if the provider says nothing, and at most, whatever it says."""

FORBIDDEN_SECONDS = 600.0
"""After a 401 or 403: somebody must change a key first."""

LONGEST_BY_HAND_SECONDS = 604_800.0

FAILED, BUSY, FORBIDDEN, BY_HAND = "failed", "busy", "forbidden", "by_hand"
"""Why it is open."""


class Phase(StrEnum):
    CLOSED = "closed"
    HALF_OPEN = "half_open"
    """One caller asks, or the next one may."""
    OPEN = "open"


@dataclass(frozen=True)
class Verdict:
    """What one request says about its provider."""

    kind: Literal["useful", "failed", "busy", "forbidden", "nothing"]
    retry_after_seconds: float | None = None
    """As a 429 may say it."""


USEFUL = Verdict("useful")
"""It brought what can be heard or used: an open stream that says nothing is no success."""

FAILURE = Verdict("failed")

FORBIDDING = Verdict("forbidden")
"""401 or 403."""

NOTHING = Verdict("nothing")
"""The caller cut in, or the request was wrong: any other 4xx."""


def busy(retry_after_seconds: float | None = None) -> Verdict:
    """429; not counted as a failure."""
    return Verdict("busy", retry_after_seconds)


@dataclass(frozen=True)
class Permit:
    """The answer to "may this provider be asked now?". Whoever may ask reports what came of it."""

    circuit: str
    allowed: bool
    fence: int
    is_probe: bool = False
    """All others wait for it: report soon, and `NOTHING` where there is no verdict."""
    reason: str | None = None
    """Of a refusal: why it is open."""
    retry_after_seconds: float = 0.0
    """Of a refusal: after so long one may ask again, unless a probe under way ends earlier."""
    stands_in: bool = False
    """This process gave it for itself, because the store is away."""


@dataclass(frozen=True)
class Effect:
    """What a verdict did to its circuit."""

    phase: Phase | None = None
    """What it became by it, also if it opened anew; None where it stayed as it was."""
    seconds: float = 0.0
    """For how long it opened."""
    is_alert: bool = False
    """The provider refuses June's key, for the first time since the circuit was last closed."""


NO_EFFECT = Effect()


@dataclass(frozen=True)
class CircuitState:
    """As an operator sees it."""

    phase: Phase
    reason: str | None = None
    """Why it is open, or was until now; None while it is closed."""
    seconds_left: float = 0.0
    """Until somebody may ask; 0 while it is closed, and where the next one may."""
    prober: str | None = None
    """Whose probe all others wait for."""
