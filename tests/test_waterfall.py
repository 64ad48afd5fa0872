"""Turns as bars and numbers on a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from agent.waterfall import WIDTH, bar, waterfalls
from session import TurnMetrics
from session.records import Stages

QUICK = TurnMetrics(
    turn=1,
    at=0,
    stages=Stages(
        final_text=0.3, end_of_turn=0.45, first_token=0.6, first_clause=0.75, first_audio=0.9
    ),
)


def test_a_turn_has_a_bar_and_its_numbers() -> None:
    _, _, drawn, numbers, middle = waterfalls([QUICK]).splitlines()
    assert drawn == "turn 1    ░░░░░░░░▒▒▒▒▓▓▓▓████●●●●●"
    assert " ".join(numbers.split()) == (
        "words 0.30 end of turn 0.45 token 0.60 clause 0.75 sound 0.90"
    )
    assert middle == "median    0.90 of 1"


def test_what_is_odd_is_said() -> None:
    lines = waterfalls(
        [
            TurnMetrics(turn=0, at=0, first_word_seconds=1.5),
            QUICK.model_copy(update={"is_interrupted": True, "heard_characters": 12}),
            TurnMetrics(turn=2, at=0, is_typed=True, refused="too_long"),
            TurnMetrics(turn=3, at=0, reply_seconds=2.0),
            TurnMetrics(turn=4, at=0, stages=Stages(final_text=0.3)),
        ]
    )
    assert "greeting  first word after 1.50" in lines
    assert "interrupted after 12 characters" in lines
    assert "typed, refused: too_long, not measured" in lines
    assert "sound 2.00" in lines
    assert "no answer was heard" in lines
    assert "median    0.90 of 2" in lines


def test_a_session_without_turns_has_none() -> None:
    assert waterfalls([]) == ""


moments = st.none() | st.floats(-5, 100, allow_nan=False)


@given(
    st.lists(
        st.builds(
            TurnMetrics,
            turn=st.integers(-2, 2_000),
            at=st.just(0.0),
            stages=st.none()
            | st.builds(
                Stages,
                final_text=moments,
                end_of_turn=moments,
                first_token=moments,
                first_clause=moments,
                first_audio=moments,
            ),
            is_interrupted=st.booleans(),
        ),
        min_size=1,
        max_size=5,
    ),
    st.floats(1.5, 100),
)
def test_whatever_was_measured_fits(turns: list[TurnMetrics], seconds: float) -> None:
    assert all(len(line) <= 100 for line in waterfalls(turns).splitlines())
    assert all(len(bar(turn, seconds)) == WIDTH for turn in turns)
