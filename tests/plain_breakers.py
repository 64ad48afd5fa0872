"""Breakers as plainly as they can be said: who may still speak for a circuit, and why it is shut.

Of `session.circuits` only the questions and answers are used. There are no fences: whoever may no
longer speak is struck off a list.
"""

from dataclasses import dataclass, field

from session.circuits import CircuitState, Effect, Permit, Phase, Verdict

DAY_SECONDS = 86_400.0


@dataclass
class Shut:
    """Nobody may ask for so long, and then one."""

    since: float
    seconds: float
    why: str
    prober: str | None = None


@dataclass
class PlainCircuit:
    shut: Shut | None = None
    speakers: list[Permit] = field(default_factory=list)
    failures: list[float] = field(default_factory=list)
    has_alerted: bool = False
    changed_at: float | None = None
    """None: nothing was ever written of it."""


class PlainBreakers:
    def __init__(self) -> None:
        self.circuits: dict[str, PlainCircuit] = {}

    def of(self, name: str) -> PlainCircuit:
        return self.circuits.setdefault(name, PlainCircuit())

    def wait_seconds(self, name: str, now: float) -> float | None:
        """Of who asks now: 0 for whom the probe is; None where it is closed."""
        circuit = self.of(name)
        if (shut := circuit.shut) is None:
            return None
        if shut.since > now:  # whoever finds it in the future lets it begin now
            shut.since = now
            circuit.changed_at = now
        return max(0.0, shut.since + shut.seconds - now)

    def give(self, permit: Permit, owner: str, now: float) -> None:
        circuit = self.of(permit.circuit)
        if circuit.shut is not None:
            circuit.speakers.clear()
            circuit.shut = Shut(now, 10.0, circuit.shut.why, owner)
            circuit.changed_at = now
        circuit.speakers.append(permit)

    def report(self, permit: Permit, verdict: Verdict, now: float) -> Effect:
        circuit = self.of(permit.circuit)
        if not any(one is permit for one in circuit.speakers):
            return Effect()
        match verdict.kind:
            case "failed":
                circuit.changed_at = now
                circuit.failures = [min(at, now) for at in circuit.failures]
                circuit.failures = [at for at in circuit.failures if at + 30 > now] + [now]
                if circuit.shut is None and len(circuit.failures) < 3:
                    return Effect()
                return self.open(permit.circuit, "failed", 30.0, now)
            case "busy":
                said = verdict.retry_after_seconds
                seconds = 30.0 if said is None else sorted([1.0, said, 600.0])[1]
                return self.open(permit.circuit, "busy", seconds, now)
            case "forbidden":
                is_first, circuit.has_alerted = not circuit.has_alerted, True
                self.open(permit.circuit, "forbidden", 600.0, now)
                return Effect(Phase.OPEN, 600.0, is_first)
            case "useful" if circuit.shut is not None:
                self._close(circuit, now)
                return Effect(Phase.CLOSED)
            case "nothing" if circuit.shut is not None:
                circuit.shut = Shut(now, 0.0, circuit.shut.why)
                circuit.changed_at = now
        return Effect()

    def open(self, name: str, why: str, seconds: float, now: float) -> Effect:
        circuit = self.of(name)
        circuit.shut = Shut(now, seconds, why)
        circuit.speakers.clear()
        circuit.failures.clear()
        circuit.changed_at = now
        return Effect(Phase.OPEN, seconds)

    def close_by_hand(self, name: str, now: float) -> bool:
        circuit = self.of(name)
        was_shut = circuit.shut is not None
        if was_shut or circuit.failures:
            self._close(circuit, now)
            circuit.speakers.clear()
        return was_shut

    def _close(self, circuit: PlainCircuit, now: float) -> None:
        circuit.shut = None
        circuit.failures.clear()
        circuit.has_alerted = False
        circuit.changed_at = now

    def states(self, now: float) -> dict[str, CircuitState]:
        known = {name: one for name, one in self.circuits.items() if one.changed_at is not None}
        return {name: state(known[name], now) for name in sorted(known)}

    def longest_over_seconds(self, now: float) -> float:
        """Of all that are known."""
        return max((now - over_at(one) for one in self.circuits.values()), default=0.0)


def state(circuit: PlainCircuit, now: float) -> CircuitState:
    if (shut := circuit.shut) is None:
        return CircuitState(Phase.CLOSED)
    left = max(0.0, min(shut.seconds, shut.since + shut.seconds - now))
    if left == 0:
        return CircuitState(Phase.HALF_OPEN, shut.why)
    phase = Phase.OPEN if shut.prober is None else Phase.HALF_OPEN
    return CircuitState(phase, shut.why, left, shut.prober)


def over_at(circuit: PlainCircuit) -> float:
    shut = circuit.shut
    ends_at = 0.0 if shut is None else shut.since + shut.seconds
    return max(circuit.changed_at or 0.0, ends_at)
