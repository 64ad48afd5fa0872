"""Leaving a mode: a whole utterance, never a part of one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.exits import is_exit
from skills.words import words_of

LEAVE = [
    *("exit", "Quit.", "Stop!", "cancel", "Back to normal.", "Normal mode", "disable skill"),
    *("turn off", "That's enough, thanks.", "okay stop", "Stop it, please.", "I'm done"),
    *("no more", "leave this mode", "please go back to normal mode", "turn it off", "June, stop"),
    *("Can you stop now please?", "exit the skill", "I've had enough of this"),
    *("enough", "that's enough for today", "let's stop here", "I want to stop", "never mind"),
    *("Okay that's enough for now, thank you.", "I don't want to go on", "switch off this skill"),
    *("stop the story", "Exit story mode", "leave the translator", "turn this skill off"),
    *("could we please stop now", "I'd like to stop now", "that's quite enough, thank you"),
    *("no, stop", "stop, please, stop", "all done", "I quit", "we can stop now", "that'll do"),
    *("no more stories", "Resume normal conversation.", "I don't want any more", "nevermind"),
    *("go back to normal", "Let's go back to normal conversation", "forget it", "we're done here"),
]
STAY = [
    *("the bus stop", "don't stop", "Stop by tomorrow.", "stop the car", "cancel culture is odd"),
    *("The exit was closed.", "I can't stop laughing", "never stop", "he said stop", "", "…"),
    *("what is a stop", "go on", "and then he quit his job", "turn off the light", "get back"),
    *("back to normal life", "that was not enough", "no more wolves", "the end", "more", "again"),
    *("please don't stop now", "stop the thief", "I'm done with my homework", "normal people"),
    *("go back to the start", "finish the story", "finish it", "that's not all", "I'm bored"),
    *("stop sign", "stop the music", "don't quit", "the end of it", "can't you stop it raining"),
    *("no exit", "leave a message", "end of the road", "I want to go back", "turn it up"),
    *("is that all there is", "enough money for a horse", "I need to stop at the shop"),
    *("exit to the left", "I quit smoking", "leave the door open", "cancel my flight", "wait"),
    *("how do you stop a horse", "she went back to normal", "non-stop", "quit it said the fox"),
]


@pytest.mark.parametrize("said", LEAVE)
def test_who_wants_to_leave_leaves(said: str) -> None:
    """However politely."""
    assert is_exit(words_of(said))


@pytest.mark.parametrize("said", STAY)
def test_who_only_speaks_of_it_stays(said: str) -> None:
    """A story has stops and exits of its own."""
    assert not is_exit(words_of(said))


def test_a_mode_has_exits_of_its_own() -> None:
    """Beside the usual ones."""
    assert not is_exit(words_of("stop translating"))
    assert is_exit(words_of("Please stop translating."), ("(stop|quit) translating",))
    assert is_exit(words_of("exit"), ("(stop|quit) translating",))


@given(st.text(max_size=200))
def test_any_words_can_be_asked_about(said: str) -> None:
    """And nearly none leave."""
    is_exit(words_of(said))
