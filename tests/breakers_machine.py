"""Breakers, step by step beside a plain model."""

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from plain_breakers import DAY_SECONDS, PlainBreakers
from store_machine import StoreMachine

from session.circuits import FAILURE, FORBIDDING, NOTHING, USEFUL, Permit, Verdict, busy

circuits = st.sampled_from(["llm", "llm", "llm", "LLM"])
owners = st.sampled_from(["w1/a", "w2/b"])
verdicts = st.sampled_from(
    [USEFUL, USEFUL, FAILURE, FAILURE, FAILURE, NOTHING, FORBIDDING, busy(), busy(0.5), busy(12.25)]
)
numbers = st.integers(0, 5)
steps = st.sampled_from([0.25, 1.0, 9.75, 10.0, 29.75, 30.0, 600.0])
jumps = st.sampled_from([0.5, 8.0, 30.0, 1800.0])


class BreakersMachine(StoreMachine):
    """Callers who ask two providers, and report early, late, twice or never."""

    def __init__(self) -> None:
        super().__init__()
        self.model = PlainBreakers()
        self.permits: list[Permit] = []
        self.passed_seconds = 0.0
        """Really, whatever the clock says."""
        self.probing: dict[str, float] = {}
        """By circuit: until when the last prober was told that it alone asks."""

    @rule(circuit=circuits, owner=owners)
    def acquire(self, circuit: str, owner: str) -> None:
        self.ask(circuit, owner)

    def ask(self, circuit: str, owner: str) -> Permit:
        wait = self.model.wait_seconds(circuit, self.now)
        permit = self.run(self.store.breakers.acquire(circuit, owner, now=self.now))
        assert permit.circuit == circuit
        assert (permit.allowed, permit.is_probe) == (not wait, wait == 0)
        assert permit.retry_after_seconds == (wait or 0)
        shut = self.model.of(circuit).shut
        assert permit.reason == (shut.why if shut is not None and wait else None)
        if permit.allowed:
            assert self.probing.get(circuit, 0) <= self.passed_seconds
            self.model.give(permit, owner, self.now)
            if permit.is_probe:
                self.probing[circuit] = self.passed_seconds + 10
        self.permits.append(permit)
        return permit

    @rule(circuit=circuits, owner=owners, early=st.booleans())
    def wait_as_told(self, circuit: str, owner: str, early: bool) -> None:
        """Exactly so long, or a moment less."""
        refused = self.ask(circuit, owner)
        self.pass_time(max(0.0, refused.retry_after_seconds - 0.25 * early))
        self.ask(circuit, owner)

    @precondition(lambda self: self.permits)
    @rule(number=numbers, verdict=verdicts)
    def report(self, number: int, verdict: Verdict) -> None:
        """On one of the last requests, which may have been refused, or be reported on already."""
        self.say(self.permits[-1 - number % len(self.permits)], verdict)

    @rule(circuit=circuits, owner=owners, verdict=verdicts, times=st.integers(1, 4))
    def ask_and_report(self, circuit: str, owner: str, verdict: Verdict, times: int) -> None:
        for _ in range(times):
            self.say(self.ask(circuit, owner), verdict)

    def say(self, permit: Permit, verdict: Verdict) -> None:
        expected = self.model.report(permit, verdict, self.now)
        effect = self.run(self.store.breakers.report(permit, verdict, now=self.now))
        assert effect == expected
        if effect.phase is not None or verdict is NOTHING:
            self.end_of_probe(permit.circuit)

    def end_of_probe(self, circuit: str) -> None:
        shut = self.model.of(circuit).shut
        if shut is None or shut.prober is None:
            self.probing.pop(circuit, None)

    @rule(circuit=circuits, seconds=st.sampled_from([0.0, 5.0, 3600.0]))
    def open_by_hand(self, circuit: str, seconds: float) -> None:
        expected = self.model.open(circuit, "by_hand", seconds, self.now)
        effect = self.run(self.store.breakers.open(circuit, seconds=seconds, now=self.now))
        assert effect == expected
        self.end_of_probe(circuit)

    @rule(circuit=circuits)
    def close_by_hand(self, circuit: str) -> None:
        expected = self.model.close_by_hand(circuit, self.now)
        assert self.run(self.store.breakers.close(circuit, now=self.now)) == expected
        self.end_of_probe(circuit)

    @rule(seconds=steps)
    def pass_time(self, seconds: float) -> None:
        self.passed_seconds += seconds
        self.now += seconds

    @rule(seconds=jumps)
    def set_back(self, seconds: float) -> None:
        self.now -= seconds

    @rule(seconds=jumps)
    def set_forward(self, seconds: float) -> None:
        self.now += seconds
        self.probing.clear()

    @precondition(lambda self: self.model.longest_over_seconds(self.now) <= DAY_SECONDS)
    @rule()
    def purge(self) -> None:
        """Nothing that was over within a day is garbage."""
        self.run(self.store.sessions.purge(seen_before=0, now=self.now))

    @rule()
    def lose_everything(self) -> None:
        """The store is emptied under its users, who wait for their answers no longer."""
        self.opened.empty()
        self.model = PlainBreakers()
        self.permits.clear()
        self.probing.clear()

    @invariant()
    def the_states_are_the_models(self) -> None:
        states = self.run(self.store.breakers.states(now=self.now))
        assert list(states.items()) == list(self.model.states(self.now).items())
