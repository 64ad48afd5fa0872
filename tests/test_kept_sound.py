"""What is kept of a caller's sound: little in silence, and never too much."""

from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc

from agent.models.kept_sound import BEFORE_SECONDS, LONGEST_SECONDS, KeptSound

RATE = 16_000
FRAME_SECONDS = 0.125
"""Adds up without rounding."""

IN_SILENCE = int(BEFORE_SECONDS / FRAME_SECONDS)
AT_MOST = int(LONGEST_SECONDS / FRAME_SECONDS)


def frame(seconds: float = FRAME_SECONDS) -> rtc.AudioFrame:
    samples = int(seconds * RATE)
    return rtc.AudioFrame(bytes(2 * samples), RATE, 1, samples)


def add(kept: KeptSound, count: int) -> list[rtc.AudioFrame]:
    added = [frame() for _ in range(count)]
    for one in added:
        kept.add(one)
    return added


def test_in_silence_only_the_newest_second_is_kept() -> None:
    kept = KeptSound()
    assert not kept.frames
    added = add(kept, 3 * IN_SILENCE)
    assert list(kept.frames) == added[-IN_SILENCE:]


def test_speech_is_kept_whole_with_what_came_just_before_it() -> None:
    kept = KeptSound()
    before = add(kept, 2 * IN_SILENCE)[-IN_SILENCE:]
    kept.keep_all()
    spoken = add(kept, AT_MOST - IN_SILENCE)
    assert list(kept.frames) == before + spoken


def test_of_very_long_speech_the_end_is_kept() -> None:
    kept = KeptSound()
    kept.keep_all()
    added = add(kept, 2 * AT_MOST)
    assert list(kept.frames) == added[-AT_MOST:]


def test_what_is_understood_goes_with_the_next_sound() -> None:
    kept = KeptSound()
    kept.keep_all()
    add(kept, 5 * IN_SILENCE)
    kept.keep_little()
    added = add(kept, 1)
    assert len(kept.frames) == IN_SILENCE
    assert kept.frames[-1] is added[0]


def test_what_is_to_be_forgotten_is_gone_at_once() -> None:
    """And is not counted any more."""
    kept = KeptSound()
    kept.keep_all()
    add(kept, 5 * IN_SILENCE)
    kept.forget(kept.all_seconds)
    assert not kept.frames
    kept.keep_little()
    added = add(kept, IN_SILENCE)
    assert list(kept.frames) == added


def test_what_lies_before_a_place_can_be_forgotten() -> None:
    """Somebody may have begun to speak anew since."""
    kept = KeptSound()
    kept.keep_all()
    add(kept, 5 * IN_SILENCE)
    place = kept.all_seconds
    newer = add(kept, 3 * IN_SILENCE)
    kept.forget(place)
    assert list(kept.frames) == newer


def test_one_frame_that_is_too_long_by_itself_is_kept() -> None:
    """Whoever listens next must have the newest sound."""
    kept = KeptSound()
    kept.add(frame(BEFORE_SECONDS * 2))
    assert len(kept.frames) == 1
    kept.add(newest := frame())
    assert list(kept.frames) == [newest]


@given(
    steps=st.lists(
        st.one_of(
            st.sampled_from(["all", "little", "forget"]), st.sampled_from([0.01, 0.125, 0.5, 4.0])
        ),
        max_size=80,
    )
)
def test_it_is_always_the_newest_and_never_too_much(steps: list[str | float]) -> None:
    kept = KeptSound()
    added: list[rtc.AudioFrame] = []
    most_seconds = BEFORE_SECONDS
    for step in steps:
        match step:
            case "all":
                kept.keep_all()
                most_seconds = LONGEST_SECONDS
            case "little":
                kept.keep_little()
                most_seconds = BEFORE_SECONDS
            case "forget":
                kept.forget(kept.all_seconds)
                assert not kept.frames
            case float():
                added.append(frame(step))
                kept.add(added[-1])
                seconds = sum(one.duration for one in kept.frames)
                assert len(kept.frames) == 1 or seconds <= most_seconds + 1e-6
        count = len(kept.frames)
        assert list(kept.frames) == added[len(added) - count :]
