"""Who is owed a June."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent.visits import COME_WITHIN_SECONDS, GHOST_SECONDS, Dispatch, NextStep, Present, Visits

NOBODY = Present(frozenset(), frozenset())
CALLER = Present(frozenset({"visit-1"}), frozenset())
CALLER_WITH_JUNE = Present(frozenset({"visit-1"}), frozenset({"june-1"}))
CALLER_AGAIN = Present(frozenset({"visit-2"}), frozenset())

ASK = NextStep(withdraw=(), ask=True)
WAIT = NextStep(withdraw=(), ask=False)


def waiting(name: str) -> Dispatch:
    return Dispatch(name, frozenset())


def test_nobody_is_owed_nothing() -> None:
    """June does not wait in empty rooms."""
    assert not Visits().is_june_owed(NOBODY, 0)


def test_who_joins_is_owed_a_june() -> None:
    """And she is asked at once."""
    visits = Visits()
    assert visits.is_june_owed(CALLER, 0)
    assert visits.next_step([], 0) == ASK


def test_she_is_not_asked_twice_while_she_is_on_her_way() -> None:
    """Until the time within which she must come is over."""
    visits = Visits()
    visits.is_june_owed(CALLER, 0)
    visits.asked("a", 0)
    assert visits.next_step([waiting("a")], COME_WITHIN_SECONDS - 0.1) == WAIT


def test_a_dispatch_that_brought_nobody_is_withdrawn_and_asked_again() -> None:
    """LiveKit drops a job for which no worker was free, and says nothing."""
    visits = Visits()
    visits.asked("a", 0)
    assert visits.next_step([waiting("a")], COME_WITHIN_SECONDS) == NextStep(("a",), ask=True)


def test_a_dispatch_that_somebody_else_made_is_waited_for_too() -> None:
    """A token may have brought one."""
    visits = Visits()
    assert visits.next_step([waiting("theirs")], 100) == WAIT
    assert visits.next_step([waiting("theirs")], 110) == NextStep(("theirs",), ask=True)


def test_a_dispatch_that_is_gone_from_the_server_is_asked_anew() -> None:
    """The server was started again: it remembers nothing."""
    visits = Visits()
    visits.asked("a", 0)
    assert visits.next_step([], 0.5) == ASK


def test_nobody_is_sent_to_a_caller_on_whom_june_hung_up() -> None:
    """She has said goodbye; coming back at once would be absurd."""
    visits = Visits()
    visits.is_june_owed(CALLER_WITH_JUNE, 0)
    assert not visits.is_june_owed(CALLER, 60)


def test_who_comes_back_is_owed_a_june_again() -> None:
    """And the dispatch of the first one, which LiveKit still lists, is withdrawn."""
    visits = Visits()
    visits.asked("a", 0)
    visits.is_june_owed(CALLER_WITH_JUNE, 1)
    visits.is_june_owed(NOBODY, 20)
    assert visits.is_june_owed(CALLER_AGAIN, 30)
    assert visits.next_step([waiting("a")], 30) == NextStep(("a",), ask=True)


def test_who_comes_back_while_june_is_still_leaving_gets_a_new_one() -> None:
    """She takes some seconds to go, and the server longer to notice one that was killed."""
    visits = Visits()
    visits.is_june_owed(CALLER_WITH_JUNE, 0)
    leaving = Present(CALLER_AGAIN.visits, CALLER_WITH_JUNE.junes)
    assert not visits.is_june_owed(leaving, 10)
    assert not visits.is_june_owed(leaving, 29)
    assert visits.is_june_owed(CALLER_AGAIN, 30)


def test_who_lost_the_network_and_came_back_to_the_same_june_had_their_june() -> None:
    """The way back counts as a new visit for LiveKit, and not for the caller."""
    visits = Visits()
    visits.is_june_owed(CALLER_WITH_JUNE, 0)
    same_june = Present(CALLER_AGAIN.visits, CALLER_WITH_JUNE.junes)
    visits.is_june_owed(same_june, 10)
    visits.is_june_owed(same_june, 10 + GHOST_SECONDS)
    assert not visits.is_june_owed(CALLER_AGAIN, 60)


def test_a_june_who_was_there_first_is_the_callers_june() -> None:
    """Somebody else sent her ahead."""
    visits = Visits()
    visits.is_june_owed(Present(frozenset(), frozenset({"june-1"})), 0)
    visits.is_june_owed(CALLER_WITH_JUNE, 5)
    assert not visits.is_june_owed(CALLER, 10)


class Room(RuleBasedStateMachine):
    """A room in which anything may happen, and the loop that looks into it."""

    @initialize()
    def begin(self) -> None:
        self.visits = Visits()
        self.now = 0.0
        self.caller: str | None = None
        self.june: str | None = None
        self.dispatches: dict[str, frozenset[str]] = {}
        self.made = 0
        self.on_their_way: set[str] = set()

    def new(self, what: str) -> str:
        self.made += 1
        return f"{what}-{self.made}"

    @rule()
    def caller_joins(self) -> None:
        self.caller = self.new("visit")

    @rule()
    def caller_leaves(self) -> None:
        self.caller = None

    @rule()
    def june_leaves(self) -> None:
        self.june = None

    @rule()
    def server_restarts(self) -> None:
        self.caller = self.june = None
        self.dispatches.clear()
        self.on_their_way.clear()

    @rule()
    def june_arrives(self) -> None:
        if self.on_their_way and self.june is None:
            self.on_their_way.clear()
            self.june = self.new("june")

    @rule(seconds=st.floats(0.1, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def loop_looks(self) -> None:
        present = Present(
            frozenset(one for one in [self.caller] if one),
            frozenset(one for one in [self.june] if one),
        )
        if not self.visits.is_june_owed(present, self.now):
            return
        assert self.caller is not None, "sent to an empty room"
        assert self.june is None, "sent where she is"
        step = self.visits.next_step(
            [Dispatch(name, junes) for name, junes in self.dispatches.items()], self.now
        )
        for name in step.withdraw:
            del self.dispatches[name]
            self.on_their_way.discard(name)
        if step.ask:
            name = self.new("dispatch")
            self.dispatches[name] = frozenset()
            self.on_their_way.add(name)
            self.visits.asked(name, self.now)

    @invariant()
    def one_june_at_most_is_on_her_way(self) -> None:
        """Whatever happens, LiveKit is never asked for two at once."""
        assert len(self.on_their_way) <= 1


TestRoom = Room.TestCase
