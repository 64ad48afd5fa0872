"""Windows and blocks, step by step beside a plain model."""

from collections import Counter, defaultdict

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from plain_limits import PlainLimits
from store_machine import StoreMachine

from session.limits import Ask, BlockRule, Decision, Window

LENGTHS_SECONDS = {"minute": 60.0, "hour": 3600.0, "fleet": 60.0}

users = st.sampled_from(["ann", "ann", "bob"])
tags = st.sampled_from("1234")
names = st.lists(st.sampled_from(sorted(LENGTHS_SECONDS)), unique=True)
steps = st.sampled_from([0.25, 19.75, 60.0, 1800.0, 3600.0, 90_000.0])
numbers = st.integers(0, 3)


class LimitsMachine(StoreMachine):
    """Two users with windows of their own and one in common, and a clock that may be set back."""

    def __init__(self) -> None:
        super().__init__()
        self.model = PlainLimits()
        self.limits: dict[str, int] = {}
        self.was_set_back = self.was_purged = False
        self.counted: defaultdict[tuple[str, float], list[tuple[str, float]]] = defaultdict(list)
        """By key and length of a window what the store has admitted: the tag and when."""
        self.highest: Counter[tuple[str, float]] = Counter()
        """By key and length of a window: its limit at most."""
        self.admitted: list[Ask] = []
        self.asked = 0

    @initialize(minute=st.integers(0, 4), hour=st.integers(1, 5), fleet=st.integers(1, 5))
    def configure(self, minute: int, hour: int, fleet: int) -> None:
        self.limits = {"minute": minute, "hour": hour, "fleet": fleet}

    @rule(names=names, limit=st.integers(0, 5))
    def change_limits(self, names: list[str], limit: int) -> None:
        """The operator starts June with other settings."""
        self.limits |= dict.fromkeys(names, limit)

    def ask(self, user: str, tag: str, names: list[str], *, is_blockable: bool) -> Ask:
        rule = BlockRule(f"block of {user}", 3, 60.0, shortest_seconds=30, longest_seconds=100)
        return Ask(
            tag=f"{user} {tag}",
            windows=tuple(
                Window(
                    "turns of all" if name == "fleet" else f"turns of {user}",
                    self.limits[name],
                    LENGTHS_SECONDS[name],
                    name,
                    leads_to_block=name != "fleet",
                )
                for name in names
            ),
            block=rule if is_blockable else None,
        )

    @rule(user=users, tag=tags, names=names, is_blockable=st.booleans())
    def admit(self, user: str, tag: str, names: list[str], is_blockable: bool) -> None:
        self.check(self.ask(user, tag, names, is_blockable=is_blockable))

    @rule(
        user=users,
        names=names,
        is_new=st.booleans(),
        times=st.integers(4, 9),
        every_seconds=st.sampled_from([0.0, 0.25, 15.0]),
    )
    def insist(
        self, *, user: str, names: list[str], is_new: bool, times: int, every_seconds: float
    ) -> None:
        """On one thing, or on a new one each time."""
        for _ in range(times):
            self.asked += is_new
            self.check(self.ask(user, f"new {self.asked}", names, is_blockable=True))
            self.now += every_seconds

    @rule(user=users, tag=tags, names=names, is_blockable=st.booleans(), early=st.booleans())
    def wait_as_told(
        self, *, user: str, tag: str, names: list[str], is_blockable: bool, early: bool
    ) -> None:
        """Exactly so long, or a moment less."""
        ask = self.ask(user, tag, names, is_blockable=is_blockable)
        decision = self.check(ask)
        self.now += max(0.0, decision.retry_after_seconds - 0.25 * early)
        self.check(ask)

    @precondition(lambda self: self.admitted)
    @rule(number=numbers)
    def ask_again(self, number: int) -> None:
        """For what was admitted, but now it may be too old."""
        self.check(self.admitted[-1 - number % len(self.admitted)])

    def check(self, ask: Ask) -> Decision:
        expected = self.model.admit(ask, self.now)
        decision = self.run(self.store.limits.admit(ask, now=self.now))
        assert (decision.allowed, decision.reason, decision.retry_after_seconds) == (
            expected.allowed,
            expected.reason,
            expected.retry_after_seconds,
        )
        assert decision.near in (expected.near or {None})
        if decision.allowed:
            self.admitted.append(ask)
            for window in ask.windows:
                self.count(window, ask.tag)
        return decision

    def count(self, window: Window, tag: str) -> None:
        of = window.key, window.seconds
        counted = self.counted[of]
        counted[:] = [one for one in counted if self.now - one[1] < window.seconds]
        if tag not in dict(counted):
            counted.append((tag, self.now))
        self.highest[of] = max(self.highest[of], window.limit)
        assert self.was_set_back or len(counted) <= self.highest[of]

    @rule(seconds=steps)
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    # A purge by a clock that was wrong takes hits that are missed when it is right again.
    @precondition(lambda self: not self.was_purged)
    @rule(seconds=steps)
    def set_back(self, seconds: float) -> None:
        self.now -= seconds
        self.was_set_back = True

    @rule()
    def purge(self) -> None:
        """Nothing that still counts is garbage."""
        self.run(self.store.sessions.purge(seen_before=0, now=self.now))
        self.was_purged = True
