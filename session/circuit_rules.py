"""What becomes of a circuit that is asked for or reported on: the arithmetic all stores share."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import FiniteFloat

from session.circuits import (
    BUSY,
    BUSY_SECONDS,
    BY_HAND,
    FAILED,
    FAILURES,
    FORBIDDEN,
    FORBIDDEN_SECONDS,
    LONGEST_BY_HAND_SECONDS,
    NO_EFFECT,
    OPEN_SECONDS,
    PROBE_SECONDS,
    WINDOW_SECONDS,
    CircuitState,
    Effect,
    Permit,
    Phase,
    Verdict,
)
from session.records import Record

T = TypeVar("T")


class Circuit(Record):
    """As a store keeps it. Times are in Unix seconds."""

    name: str
    fence: int = 0
    until: FiniteFloat | None = None
    """Nobody may ask until then, and then one; None while it is closed."""
    seconds: FiniteFloat = 0.0
    """How long that lasts in all: longer only if the clock was set back."""
    reason: str = ""
    prober: str | None = None
    """`until` is the end of its lease."""
    has_alerted: bool = False
    failures: tuple[FiniteFloat, ...] = ()
    """When they were reported while it was closed; fewer than `FAILURES`."""
    changed_at: FiniteFloat = 0.0

    @property
    def is_closed(self) -> bool:
        return self.until is None

    @property
    def over_at(self) -> float:
        """From then on nothing of it matters much: it may be collected a while later."""
        return max(self.changed_at, self.until or 0.0)


Rule = Callable[[Circuit], tuple[Circuit, T]]
"""What becomes of a circuit, and what is answered; the same one if there is nothing to write."""


def acquired(circuit: Circuit, owner: str, now: float) -> tuple[Circuit, Permit]:
    """`owner` is who asks, as the operator is to see it."""
    if circuit.until is None:
        return circuit, Permit(circuit.name, allowed=True, fence=circuit.fence)
    until = min(circuit.until, now + circuit.seconds)
    if until > now:
        refused = Permit(
            circuit.name,
            allowed=False,
            fence=circuit.fence,
            reason=circuit.reason,
            retry_after_seconds=until - now,
        )
        if until < circuit.until:  # the clock was set back
            return _changed(circuit, now, until=until), refused
        return circuit, refused
    fence = circuit.fence + 1
    probing = _changed(
        circuit, now, fence=fence, until=now + PROBE_SECONDS, seconds=PROBE_SECONDS, prober=owner
    )
    return probing, Permit(circuit.name, allowed=True, fence=fence, is_probe=True)


def reported(
    circuit: Circuit, permit: Permit, verdict: Verdict, now: float
) -> tuple[Circuit, Effect]:
    if not permit.allowed or permit.fence != circuit.fence:
        return circuit, NO_EFFECT
    match verdict.kind:
        case "failed":
            return _failed(circuit, now)
        case "busy":
            return _opened(circuit, BUSY, _busy_seconds(verdict), now)
        case "forbidden":
            opened, effect = _opened(circuit, FORBIDDEN, FORBIDDEN_SECONDS, now)
            is_alert = not circuit.has_alerted
            alerted = opened.model_copy(update={"has_alerted": True})
            return alerted, Effect(effect.phase, effect.seconds, is_alert)
    if circuit.is_closed:
        return circuit, NO_EFFECT
    if verdict.kind == "useful":
        return _closed(circuit, now), Effect(Phase.CLOSED)
    # A probe without a verdict: the next one may ask at once.
    return _changed(circuit, now, until=now, seconds=0.0, prober=None), NO_EFFECT


def opened_by_hand(circuit: Circuit, seconds: float, now: float) -> tuple[Circuit, Effect]:
    """Instead of whatever it was; a probe under way says nothing any more."""
    return _opened(circuit, BY_HAND, min(max(0.0, seconds), LONGEST_BY_HAND_SECONDS), now)


def closed_by_hand(circuit: Circuit, now: float) -> tuple[Circuit, bool]:
    """Whether it was not closed. What was under way says nothing any more."""
    if circuit.is_closed and not circuit.failures:
        return circuit, False
    closed = _closed(circuit, now)
    return closed.model_copy(update={"fence": circuit.fence + 1}), not circuit.is_closed


def state_of(circuit: Circuit, now: float) -> CircuitState:
    if circuit.until is None:
        return CircuitState(Phase.CLOSED)
    left = max(0.0, min(circuit.until - now, circuit.seconds))
    is_probed = circuit.prober is not None and left > 0
    return CircuitState(
        phase=Phase.HALF_OPEN if is_probed or not left else Phase.OPEN,
        reason=circuit.reason,
        seconds_left=left,
        prober=circuit.prober if is_probed else None,
    )


def _failed(circuit: Circuit, now: float) -> tuple[Circuit, Effect]:
    # Those of the future are of now: the clock was set back.
    recent = (*(min(at, now) for at in circuit.failures if now - at < WINDOW_SECONDS), now)
    if circuit.is_closed and len(recent) < FAILURES:
        return _changed(circuit, now, failures=recent), NO_EFFECT
    return _opened(circuit, FAILED, OPEN_SECONDS, now)


def _busy_seconds(verdict: Verdict) -> float:
    least, unsaid, most = BUSY_SECONDS
    said = verdict.retry_after_seconds
    return unsaid if said is None or math.isnan(said) else min(max(least, said), most)


def _opened(circuit: Circuit, reason: str, seconds: float, now: float) -> tuple[Circuit, Effect]:
    opened = _changed(
        circuit,
        now,
        fence=circuit.fence + 1,
        until=now + seconds,
        seconds=seconds,
        reason=reason,
        prober=None,
    )
    return opened, Effect(Phase.OPEN, seconds)


def _closed(circuit: Circuit, now: float) -> Circuit:
    return Circuit(name=circuit.name, fence=circuit.fence, changed_at=now)


def _changed(circuit: Circuit, now: float, **changes: Any) -> Circuit:
    return circuit.model_copy(update=changes | {"changed_at": now})
