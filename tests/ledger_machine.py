"""Money, step by step beside a plain model."""

from collections import Counter
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from plain_ledger import PlainLedger
from store_machine import NOW, StoreMachine

from session.limits import Ask, Budget
from session.money import Account, Breaker, Charge, Reservation

DAY_SECONDS = 600.0
"""A short one, so that an example sees several."""

ids = st.sampled_from("1234")
amounts = st.sampled_from([0, 1, 20, 40, 60])
limits = st.sampled_from([None, 40, 100, 140])
tight_limits = st.sampled_from([None, 20, 60])
chosen = st.lists(st.sampled_from(["day", "user", "session"]), unique=True).map(sorted)
charges = st.builds(
    Charge,
    micros=amounts,
    tokens=amounts,
    is_estimate=st.booleans(),
    is_unpriced=st.booleans(),
    requests=st.integers(0, 3),
)


class LedgerMachine(StoreMachine):
    """A day's, a user's and a session's budget, and a clock that goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.model = PlainLedger()
        self.budgets: dict[str, Budget] = {}
        self.used: dict[str, Budget] = {}
        self.beyond: Counter[tuple[str, str]] = Counter()
        """What was used without being asked for, by account and kind."""

    @initialize(day=st.tuples(limits, limits, limits), user=tight_limits, session=tight_limits)
    def configure(self, day: tuple[int | None, ...], user: int | None, session: int | None) -> None:
        micros, tokens, requests = day
        requests = None if requests is None else requests // 20
        self.budgets = {
            "day": Budget("day", "out_of_budget", micros, tokens, requests, trips_breaker=True),
            "session": Budget("session", "session_budget", tokens=session),
            "user": Budget("user", "user_budget", micros=user),
        }

    def budgets_now(self, names: list[str], *, days_ago: int = 0) -> tuple[Budget, ...]:
        day = self.now // DAY_SECONDS - days_ago
        ends_at = (day + 1) * DAY_SECONDS
        budgets = tuple(
            budget if name == "session" else replace(budget, key=f"{name} {day:g}", ends_at=ends_at)
            for name, budget in self.budgets.items()
            if name in names
        )
        self.used |= {budget.key: budget for budget in budgets}
        return budgets

    @rule(
        name=ids,
        names=chosen,
        days_ago=st.sampled_from([0, 0, 0, 1]),
        micros=amounts,
        tokens=amounts,
        seconds=st.sampled_from([30.0, 120.0]),
        is_request=st.booleans(),
        must=st.sampled_from([False, False, False, True]),
    )
    def reserve(
        self,
        *,
        name: str,
        names: list[str],
        days_ago: int,
        micros: int,
        tokens: int,
        seconds: float,
        is_request: bool,
        must: bool,
    ) -> None:
        budgets = self.budgets_now(names, days_ago=days_ago)
        wanted = Reservation(name, budgets, micros, tokens, seconds, is_request, must)
        if must and self.model.reserved(name) is None:
            for budget in budgets:
                self.use_beyond(budget.key, micros, tokens, int(is_request))
        expected = self.model.reserve(wanted, self.now)
        assert self.run(self.store.ledger.reserve(wanted, now=self.now)) == expected

    @rule(name=ids, charge=charges)
    def settle(self, name: str, charge: Charge) -> None:
        reserved = self.model.reserved(name)
        expected = self.model.settle(name, charge, self.now)
        settled = self.run(self.store.ledger.settle(name, charge, now=self.now))
        assert settled == expected
        if reserved is not None:
            for budget in reserved.budgets:
                more_micros = max(0, charge.micros - reserved.micros)
                more_tokens = max(0, charge.tokens - reserved.tokens)
                self.use_beyond(budget.key, more_micros, more_tokens, max(0, charge.requests - 1))
        for account in settled:
            self.check_limits(account)

    def use_beyond(self, key: str, micros: int, tokens: int, requests: int) -> None:
        self.beyond += Counter(
            {(key, "micros"): micros, (key, "tokens"): tokens, (key, "requests"): requests}
        )

    @rule(names=chosen, days_ago=st.sampled_from([0, 0, 0, 1]))
    def admit(self, names: list[str], days_ago: int) -> None:
        """A turn, by its budgets alone."""
        budgets = self.budgets_now(names, days_ago=days_ago)
        ask = Ask(tag="turn", windows=(), budgets=budgets)
        expected = self.model.look(budgets, self.now)
        assert self.run(self.store.limits.admit(ask, now=self.now)) == expected

    @rule(seconds=st.sampled_from([-5.0, 0.0, 5.0, 200.0, 900.0]))
    def open_breaker(self, seconds: float) -> None:
        breaker = Breaker(self.now + seconds, f"for {seconds:g} s")
        self.model.open_breaker(breaker)
        self.run(self.store.ledger.open_breaker(breaker, now=self.now))

    @rule()
    def close_breaker(self) -> None:
        was_open = self.run(self.store.ledger.close_breaker(now=self.now))
        assert was_open == (self.model.breaker(self.now) is not None)
        self.model.latest_breaker = None

    @rule(seconds=st.sampled_from([0.25, 10.0, 30.0, 119.75, 250.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.model.next_end(self.now) is not None)
    @rule(early=st.booleans())
    def let_one_run_out(self, early: bool) -> None:
        """Or nearly."""
        ends_at = self.model.next_end(self.now)
        assert ends_at is not None
        self.now = max(self.now, ends_at - 0.25 * early)

    @rule()
    def purge(self) -> None:
        """Nothing of today is garbage."""
        self.run(self.store.sessions.purge(seen_before=0, now=self.now))

    @rule()
    def read(self) -> None:
        breaker = self.run(self.store.ledger.breaker(now=self.now))
        assert breaker == self.model.breaker(self.now)
        # Not after every step: others must find what has run out, too.
        keys = ["unused", *self.used]
        accounts = self.run(self.store.ledger.accounts(keys, now=self.now))
        assert accounts == tuple(self.model.account(key, self.now) for key in keys)
        for account in accounts[1:]:
            self.check_limits(account)

    def check_limits(self, account: Account) -> None:
        """What is spent and reserved is what fitted, and what nobody could refuse."""
        budget = self.used[account.key]
        for kind, used, limit in (
            ("micros", account.spent_micros + account.reserved_micros, budget.micros),
            ("tokens", account.spent_tokens + account.reserved_tokens, budget.tokens),
            ("requests", account.requests, budget.requests),
        ):
            assert limit is None or used <= limit + self.beyond[account.key, kind]

    def teardown(self) -> None:
        self.read()
        self.now = NOW + 1e6
        self.read()
