"""Who is owed a June."""

import pytest

from agent.owed import Dispatch, Inside, Person, Why, answering, chosen, concerning, in_vain, owed
from session import CloseReason, Session
from session.records import Status
from session.resume import FRESH_SECONDS

NOW = 10_000.0
ANN = Person("ann", NOW - 60)
WITH_ANN = Inside((ANN,))
ASKED = Dispatch("d", NOW - 61)


def session(reason: CloseReason | None = None, *, over_at: float = NOW - 5) -> Session:
    return Session(
        session_id="s",
        room_name="room",
        user="hash",
        created_at=NOW - 60,
        seen_at=over_at,
        status=Status.OPEN if reason is None else Status.CLOSED,
        closed_at=None if reason is None else over_at,
        close_reason=reason,
    )


def test_an_empty_room_is_owed_nothing() -> None:
    assert owed(Inside(), session(), [ASKED], NOW) is None


def test_a_room_that_nobody_asked_june_into_is_not_hers() -> None:
    """Others use the same LiveKit server."""
    assert owed(WITH_ANN, None, [], NOW) is None


def test_a_june_without_an_end_has_died() -> None:
    """Also where a LiveKit server that was started anew knows of no dispatch."""
    assert owed(WITH_ANN, session(), [ASKED], NOW) is Why.DIED
    assert owed(WITH_ANN, session(), [], NOW) is Why.DIED
    assert owed(WITH_ANN, session(CloseReason.CRASH), [ASKED], NOW) is Why.DIED


def test_a_dead_june_who_is_still_listed_is_dead() -> None:
    inside = Inside((ANN,), frozenset({"agent-1"}))
    assert owed(inside, session(), [ASKED], NOW) is Why.DIED


@pytest.mark.parametrize("reason", [CloseReason.DRAIN, CloseReason.NETWORK_LOST])
def test_a_june_who_had_to_leave_is_owed(reason: CloseReason) -> None:
    assert owed(WITH_ANN, session(reason), [ASKED], NOW) is Why.LEFT


@pytest.mark.parametrize(
    "reason",
    sorted(set(CloseReason) - {CloseReason.CRASH, CloseReason.DRAIN, CloseReason.NETWORK_LOST}),
)
def test_a_call_that_june_ended_is_over(reason: CloseReason) -> None:
    """Who was refused, or said goodbye, is not called back."""
    assert owed(WITH_ANN, session(reason), [ASKED], NOW) is None


@pytest.mark.parametrize("reason", [CloseReason.LIMIT, CloseReason.GOODBYE, CloseReason.IDLE])
def test_who_joined_just_before_a_call_was_over_is_not_called_back(reason: CloseReason) -> None:
    """One who is refused is so as soon as they join."""
    over_at = NOW - 5
    just = Inside((Person("ann", over_at - 0.3),))
    assert owed(just, session(reason, over_at=over_at), [ASKED], NOW) is None


def test_who_joins_as_june_misses_her_caller_has_come_back() -> None:
    over_at = NOW - 5
    just = Inside((Person("ann", over_at - 0.3),))
    left = session(CloseReason.CALLER_LEFT, over_at=over_at)
    assert owed(just, left, [ASKED], NOW) is Why.JOINED


def test_one_who_waited_in_vain_is_no_failure() -> None:
    """She came, and left without a conversation."""
    taken = Dispatch("d", NOW - 200, junes=frozenset({"june-1"}))
    assert owed(WITH_ANN, None, [taken], NOW) is Why.JOINED


@pytest.mark.parametrize("reason", [None, CloseReason.CRASH, CloseReason.DRAIN])
def test_who_waits_for_longer_than_a_conversation_lasts_is_owed_a_new_one(
    reason: CloseReason | None,
) -> None:
    """No worker was there."""
    old = session(reason, over_at=NOW - FRESH_SECONDS - 60)
    asked = Dispatch("d", NOW - FRESH_SECONDS - 100)
    assert owed(WITH_ANN, old, [asked], NOW) is Why.UNANSWERED


def test_a_sign_of_life_in_the_future_is_fresh() -> None:
    """A clock was set back."""
    assert owed(WITH_ANN, session(over_at=NOW + 3600), [ASKED], NOW) is Why.DIED


def test_who_joins_after_that_is_owed_another() -> None:
    again = Inside((Person("ann", NOW - 2),))
    assert owed(again, session(CloseReason.GOODBYE), [ASKED], NOW) is Why.JOINED
    assert owed(again, session(CloseReason.GOODBYE), [], NOW) is None
    expected = owed(again, session(CloseReason.GOODBYE), [], NOW, is_expected=True)
    assert expected is Why.JOINED


def test_who_asks_for_her_after_that_is_owed_another() -> None:
    """The same people, and a dispatch that is newer than the end and was taken by nobody."""
    asked_again = Dispatch("d2", NOW - 4)
    assert owed(WITH_ANN, session(CloseReason.IDLE), [ASKED, asked_again], NOW) is Why.UNANSWERED


def test_a_dispatch_that_nobody_took_is_owed() -> None:
    assert owed(WITH_ANN, None, [ASKED], NOW) is Why.UNANSWERED


def test_she_is_not_sent_while_she_may_be_on_her_way() -> None:
    """A dispatch is taken at once or never; how long it is there is not told by LiveKit's clock."""
    young = Dispatch("d2", NOW - 1)
    assert owed(WITH_ANN, None, [ASKED, young], NOW, new={"d2"}) is None
    drained = session(CloseReason.DRAIN, over_at=NOW - 4)
    assert owed(WITH_ANN, drained, [young], NOW, new={"d2"}) is None
    assert owed(WITH_ANN, drained, [young], NOW) is Why.LEFT


def test_an_old_one_that_is_seen_for_the_first_time_is_lost() -> None:
    """As by a watcher that has just begun."""
    assert owed(WITH_ANN, None, [ASKED], NOW, new={"d"}) is Why.UNANSWERED


def test_she_is_on_her_way_who_was_asked_for_during_a_goodbye() -> None:
    """It began before that, and its last words were kept after."""
    ended = session(CloseReason.DRAIN, over_at=NOW - 6).model_copy(update={"seen_at": NOW - 1})
    assert owed(WITH_ANN, ended, [Dispatch("d2", NOW - 2)], NOW, new={"d2"}) is None


def test_one_who_came_and_died_at_once_is_not_on_her_way() -> None:
    """Her session was seen after the dispatch that brought her."""
    young = Dispatch("d2", NOW - 2)
    assert owed(WITH_ANN, session(over_at=NOW - 1), [young], NOW, new={"d2"}) is Why.DIED


@pytest.mark.parametrize("ahead_seconds", [-3600.0, -4.0, 2.0, 3600.0])
def test_a_livekit_clock_that_is_wrong_delays_nothing_for_ever(ahead_seconds: float) -> None:
    assert owed(WITH_ANN, None, [Dispatch("d", NOW + ahead_seconds)], NOW) is Why.UNANSWERED


def test_a_livekit_clock_that_is_ahead_brings_nobody_back_after_a_goodbye() -> None:
    """The dispatch that she took seems to be younger than the end of her call."""
    taken = Dispatch("d", NOW + 3, junes=frozenset({"june-1"}))
    assert owed(WITH_ANN, session(CloseReason.GOODBYE, over_at=NOW - 2), [taken], NOW) is None
    untaken = Dispatch("d", NOW + 3)
    goodbye = session(CloseReason.GOODBYE, over_at=NOW - 2)
    assert owed(WITH_ANN, goodbye, [untaken], NOW) is Why.UNANSWERED


def test_a_june_whom_this_store_does_not_know_is_let_be() -> None:
    """Another worker's, with a store of its own, or one who died before she was known."""
    inside = Inside((ANN,), frozenset({"agent-1"}))
    assert owed(inside, None, [ASKED], NOW) is None
    assert owed(inside, session(CloseReason.GOODBYE), [], NOW, is_expected=True) is None


def test_a_conversation_of_yesterday_is_no_sign_of_life() -> None:
    """It says nothing about a room of the same name today."""
    old = session(over_at=NOW - FRESH_SECONDS - 10)
    assert owed(WITH_ANN, old, [], NOW) is None
    assert owed(WITH_ANN, old, [ASKED], NOW) is Why.UNANSWERED


def test_only_the_one_whom_she_listens_to_counts() -> None:
    """If the dispatch names one."""
    assert WITH_ANN.of("bob").people == ()
    assert WITH_ANN.of("ann") == WITH_ANN == WITH_ANN.of(None)


FOR_ANN = '{"identity": "ann"}'
FOR_BOB = '{"identity": "bob"}'


@pytest.mark.parametrize("identity", ["ann", None])
@pytest.mark.parametrize("metadata", [FOR_ANN, ""])
def test_who_is_answered_already_needs_no_other_june(identity: str | None, metadata: str) -> None:
    """She is on her way, or there."""
    coming = Dispatch("d", NOW, metadata)
    assert answering([coming], Inside(), identity) == coming
    taken = Dispatch("d", NOW, metadata, frozenset({"june-1"}))
    assert answering([taken], Inside((), frozenset({"june-1"})), identity) == taken


def test_one_who_has_come_and_gone_answers_nobody() -> None:
    taken = Dispatch("d", NOW, FOR_ANN, frozenset({"june-1"}))
    assert answering([taken], Inside((ANN,)), "ann") is None


def test_one_who_is_there_for_somebody_else_answers_nobody() -> None:
    """As after a page was loaded again, and has another name."""
    coming = Dispatch("d", NOW, FOR_BOB)
    assert answering([coming], WITH_ANN, "ann") is None


def test_she_makes_way_only_where_nobody_is() -> None:
    """Whom she listens to."""
    for_ann, for_bob = Dispatch("a", NOW, FOR_ANN), Dispatch("b", NOW, FOR_BOB)
    for_all = Dispatch("c", NOW)
    assert in_vain([for_ann, for_bob, for_all], WITH_ANN) == (for_bob,)
    assert concerning([for_ann, for_bob, for_all], WITH_ANN) == (for_ann, for_all)


def test_who_is_interrupted_comes_before_who_waits() -> None:
    """And after a goodbye the one who waits comes first, whoever was asked for last."""
    served = Dispatch("a", NOW - 1, FOR_ANN, frozenset({"june-1"}))
    waits = Dispatch("b", NOW - 20, FOR_BOB)
    assert chosen([served, waits], is_interrupted=True, lost={"b"}) == served
    assert chosen([served, waits], is_interrupted=False, lost={"b"}) == waits
    assert chosen([waits], is_interrupted=True, lost=()) == waits
