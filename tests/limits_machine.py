"""Windows and blocks, step by step beside a plain model."""

from collections import Counter, defaultdict

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from plain_limits import PlainLimits
from store_machine import StoreMachine

from session.limits import Ask, BlockRule, Window

LENGTHS_SECONDS = {"minute": 60.0, "hour": 3600.0, "fleet": 60.0}

users = st.sampled_from(["ann", "bob"])
tags = st.sampled_from("12345678")
names = st.lists(st.sampled_from(sorted(LENGTHS_SECONDS)), unique=True)
steps = st.sampled_from([0.25, 1.0, 19.75, 40.0, 60.0, 100.0, 900.0, 3600.0, 90_000.0])


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
        self.asked = 0

    @initialize(minute=st.integers(0, 5), hour=st.integers(1, 8), fleet=st.integers(1, 8))
    def configure(self, minute: int, hour: int, fleet: int) -> None:
        self.limits = {"minute": minute, "hour": hour, "fleet": fleet}

    @rule(names=names, limit=st.integers(0, 5))
    def change_limits(self, names: list[str], limit: int) -> None:
        """The operator starts June with other settings."""
        self.limits |= dict.fromkeys(names, limit)

    def ask(self, user: str, tag: str, names: list[str], *, is_blockable: bool) -> Ask:
        rule = BlockRule(f"block of {user}", 3, 60.0, shortest_seconds=100, longest_seconds=500)
        return Ask(
            tag=f"{user} {tag}",
            windows=tuple(
                Window(
                    "turns of all" if name == "fleet" else f"turns of {user}",
                    self.limits[name],
                    LENGTHS_SECONDS[name],
                    name,
                )
                for name in names
            ),
            block=rule if is_blockable else None,
        )

    @rule(user=users, tag=tags, names=names, is_blockable=st.booleans())
    def admit(self, user: str, tag: str, names: list[str], is_blockable: bool) -> None:
        self.check(self.ask(user, tag, names, is_blockable=is_blockable))

    @rule(user=users, times=st.integers(3, 9))
    def insist(self, user: str, times: int) -> None:
        """On one new thing after another."""
        for _ in range(times):
            self.asked += 1
            self.check(self.ask(user, f"new {self.asked}", ["minute", "hour"], is_blockable=True))

    def check(self, ask: Ask) -> None:
        expected = self.model.admit(ask, self.now)
        decision = self.run(self.store.limits.admit(ask, now=self.now))
        assert (decision.allowed, decision.reason, decision.retry_after_seconds) == (
            expected.allowed,
            expected.reason,
            expected.retry_after_seconds,
        )
        assert decision.near in (expected.near or {None})
        if decision.allowed:
            for window in ask.windows:
                self.count(window, ask.tag)

    def count(self, window: Window, tag: str) -> None:
        of = window.key, window.seconds
        counted = self.counted[of]
        counted[:] = [one for one in counted if self.now - one[1] < window.seconds]
        if tag not in dict(counted):
            counted.append((tag, self.now))
        self.highest[of] = max(self.highest[of], window.limit)
        assert self.was_set_back or len(counted) <= self.highest[of]

    @rule(user=users, tag=tags, names=names)
    def withdraw(self, user: str, tag: str, names: list[str]) -> None:
        ask = self.ask(user, tag, names, is_blockable=False)
        self.model.withdraw(ask)
        self.run(self.store.limits.withdraw(ask))
        for window in ask.windows:
            counted = self.counted[window.key, window.seconds]
            counted[:] = [one for one in counted if one[0] != ask.tag]

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
