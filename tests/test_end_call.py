"""Hanging up: what surely ends a call, and all that only sounds like it."""

import pytest
from pydantic import ValidationError
from skill_fakes import FakePorts

import skills.end_call as module
from skills.collecting import skill_of_module
from skills.end_call import end_call
from skills.registry import Registry, Use
from skills.words import words_of

REGISTRY = Registry([skill_of_module(module, "end_call")])

ENDS = [
    "Goodbye.",
    "Bye!",
    "Good bye, June.",
    "Good-by.",
    "Okay, bye bye.",
    "Thanks, that's all, goodbye.",
    "Thank you very much. Bye now!",
    "Please hang up.",
    "End the call, please.",
    "ok june goodbye now",
    "well, bye then",
    "Alright, goodbye for now.",
    "Okay goodbye June, thanks",
    "Bye, have a good one.",
    "Goodbye, see you tomorrow.",
    "Goodbye and thank you for your help",
    "thanks for your help, bye",
    "that's all for today, thank you, bye",
    "I'm done talking, goodbye",
    "We're done here, goodbye.",
    "It was nice talking to you, bye.",
    "Nice talking to you. Bye!",
    "I gotta go, bye",
    "I've got to go now.",
    "I need to leave, goodbye",
    "see you later",
    "See you tomorrow, June.",
    "Talk to you later, bye.",
    "Have a nice day!",
    "have a great evening, bye",
    "Good night.",
    "good night, sleep well",
    "Take care.",
    "you can hang up now",
    "Could you hang up, please?",
    "I want to hang up",
    "hang up the phone",
    "End this conversation.",
    "Let's end the call here.",
    "drop the call",
    "disconnect the call",
]

GOES_ON = [
    "Don't say goodbye.",
    "What does goodbye mean?",
    "How do you say goodbye?",
    "I never said bye.",
    "She said goodbye to me and then went home in the rain.",
    "Goodbye is a word with seven letters.",
    "What time is it?",
    "Can I buy a ticket?",
    "",
    "say goodbye to my sister in French",
    "I don't want to say goodbye",
    "I said goodbye",
    "My dog said bye",
    "bye bye birdie",
    "good night moon",
    "a goodbye party",
    "the goodbye girl",
    "By the way, who are you?",
    "stand by",
    "I have to go",
    "I have to go to the bathroom",
    "I need to leave at six",
    "I have to run a marathon",
    "I'm going now to the shop",
    "don't hang up",
    "please do not hang up",
    "never hang up on me",
    "why did you hang up",
    "should I hang up?",
    "hang up the laundry",
    "hang the picture up",
    "how do I end a call",
    "he ended the call",
    "when does the conference call end",
    "Goodbye wait don't hang up",
    "have a nice day is what she said",
    "I had a nice day",
    "take care of my cat",
    "see you later alligator is a song",
    "that's all",
    "that's all I know about goodbyes",
    "stop",
    "end",
    "leave",
]


@pytest.mark.parametrize("said", ENDS)
async def test_a_goodbye_ends_the_call(said: str) -> None:
    """June says her own line then, so the skill says nothing."""
    found = REGISTRY.find(words_of(said))
    assert isinstance(found, Use)
    ports = FakePorts()
    arguments = found.ability.arguments.model_validate(dict(found.slots))
    assert await found.ability.use(ports, arguments) == ""
    assert ports.hung_up


@pytest.mark.parametrize("said", GOES_ON)
def test_who_talks_about_goodbyes_is_not_hung_up_on(said: str) -> None:
    """A call that ends by mistake is worse than one that goes on."""
    assert REGISTRY.find(words_of(said)) is None


def test_a_model_knows_when_to_use_it() -> None:
    """By its description; it takes nothing."""
    assert "goodbye" in end_call.description
    assert not end_call.arguments.model_fields
    with pytest.raises(ValidationError):
        end_call.arguments.model_validate({"reason": "rude"})
