"""One clock per turn: models may take so much of it together, tools as long as they like."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.turn_clock import TURN_SECONDS, TurnClock


class Scene:
    """A clock, and the time that it is shown."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.clock = TurnClock(lambda: self.now)

    @property
    def left_seconds(self) -> float:
        return self.clock.left_seconds


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_nobody_waits_before_the_first_turn(scene: Scene) -> None:
    """A greeting takes what it takes."""
    scene.now += 60
    assert scene.left_seconds == math.inf


def test_time_runs_out_and_no_further(scene: Scene) -> None:
    scene.clock.begin("a")
    assert scene.left_seconds == TURN_SECONDS
    scene.now += 1
    assert scene.left_seconds == pytest.approx(TURN_SECONDS - 1)
    scene.now += 60
    assert scene.left_seconds == 0


def test_each_turn_has_all_its_time(scene: Scene) -> None:
    """Also after one that took too long, or in which June spoke."""
    scene.clock.begin("a")
    scene.now += 60
    scene.clock.begin("b")
    assert scene.left_seconds == TURN_SECONDS
    scene.clock.heard()
    scene.clock.begin("c")
    assert scene.left_seconds == TURN_SECONDS


def test_a_step_after_a_tool_has_what_is_left(scene: Scene) -> None:
    """What the tool took does not count, what the first step took does."""
    scene.clock.begin("a")
    scene.now += 1
    scene.clock.pause()
    scene.now += 60
    assert scene.left_seconds == math.inf
    scene.clock.begin("a")
    assert scene.left_seconds == pytest.approx(TURN_SECONDS - 1)
    scene.now += 1
    assert scene.left_seconds == pytest.approx(TURN_SECONDS - 2)


def test_what_is_said_after_a_turn_is_not_late(scene: Scene) -> None:
    """A timer that rings 20 s later has nothing to do with it."""
    scene.clock.begin("a")
    scene.clock.pause()
    scene.now += 20
    assert scene.left_seconds == math.inf


def test_asking_again_wins_no_time(scene: Scene) -> None:
    """Nor do two steps without a tool between them."""
    scene.clock.begin("a")
    scene.now += 1
    scene.clock.begin("a")
    assert scene.left_seconds == pytest.approx(TURN_SECONDS - 1)


def test_after_the_first_sound_nobody_waits_in_this_turn(scene: Scene) -> None:
    """Not in its later steps either."""
    scene.clock.begin("a")
    scene.clock.heard()
    scene.clock.begin("a")
    scene.now += 60
    assert scene.left_seconds == math.inf
    scene.clock.pause()
    scene.clock.begin("a")
    assert scene.left_seconds == math.inf


STEPS = st.one_of(
    st.sampled_from(["begin", "pause", "heard"]), st.floats(min_value=0, max_value=3).map(float)
)


@given(st.lists(STEPS, max_size=40))
def test_a_turn_waits_no_longer_than_its_time(steps: list[str | float]) -> None:
    """Seconds pass, in any order with all else; whoever asks is told what is really left."""
    scene = Scene()
    scene.clock.begin("turn")
    is_waiting, is_heard, waited = True, False, 0.0
    for step in steps:
        match step:
            case "begin":
                scene.clock.begin("turn")
                is_waiting = True
            case "pause":
                scene.clock.pause()
                is_waiting = False
            case "heard":
                scene.clock.heard()
                is_heard = True
            case float():
                scene.now += step
                waited += step if is_waiting else 0.0
        left = math.inf if is_heard or not is_waiting else max(0.0, TURN_SECONDS - waited)
        assert scene.left_seconds == pytest.approx(left, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 100)), max_size=40))
def test_stages_that_keep_to_it_are_in_time_together(steps: list[tuple[float, float]]) -> None:
    """Each takes a part of what it is told, or all of it, and has a tool called after it."""
    scene, waited = Scene(), 0.0
    for part, tool_seconds in steps:
        scene.clock.begin("turn")
        takes = part * scene.left_seconds
        scene.now += takes
        waited += takes
        scene.clock.pause()
        scene.now += tool_seconds
    assert waited <= TURN_SECONDS + 1e-6
