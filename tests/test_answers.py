"""Yes, no, or neither, in everyday words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.answers import answer_in
from skills.words import words_of

YES = [
    *("yes", "Yeah.", "yep", "sure", "okay", "Yes, please!", "go ahead", "yeah go ahead", "do it"),
    *("of course", "absolutely", "why not", "sure, why not", "uh huh", "sounds good", "fine"),
    *("I'm sure", "yes I am sure", "I do", "let's do it", "go for it", "by all means", "please do"),
    *("That's fine with me.", "you bet", "certainly", "yes yes", "yes, of course", "proceed"),
    *("I think so", "okay, let's go", "definitely", "yes, do that", "I'd love that", "no problem"),
    *("mm-hmm", "no worries", "no objections", "I'm ready", "yes you may", "good idea"),
    *("I don't mind", "that would be great", "I'd love to", "yes I guess so", "alrighty"),
    *("All right.", "no, I mean yes", "I would like to", "Yes, go ahead, thanks", "yup", "right"),
]
NO = [
    *("no", "Nope.", "nah", "no thanks", "No, thank you.", "not now", "maybe later", "never mind"),
    *("I'd rather not", "no way", "don't", "please don't", "I changed my mind", "not today"),
    *("cancel", "stop", "forget it", "another time", "I don't think so", "absolutely not", "no no"),
    *("not really", "not yet", "I don't want to", "no, don't do it", "leave it", "better not"),
    *("maybe another time", "some other time", "no, I'm good", "on second thought, no", "later"),
    *("definitely not", "let's not", "yes, I mean no", "I guess not", "not at the moment", "pass"),
    *(
        "no, that's wrong",
        "I'm not interested",
        "hell no",
        "no, not at all",
        "yeah, no",
        "don't do it",
    ),
    *("of course not", "I'd rather you didn't", "no you can't", "not a chance", "please no"),
    *("hmm, no", "I've changed my mind"),
]
UNCLEAR = [
    *("", "hm", "what do you mean", "I'm not sure", "yes and no", "maybe", "what was the question"),
    *("tell me more first", "how long does it take", "the weather is nice", "I said nothing"),
    *("who is there", "could you repeat that", "yesterday", "nobody knows", "I know", "what"),
    *("no wait yes", "yes no", "no, do it", "maybe yes", "huh?", "what", "wait", "hold on"),
    *("no idea", "no one", "I don't know", "yes but not now", "right, what?", "well", "please"),
    *("pardon", "say that again", "is it safe", "what happens to my voice", "not sure", "no idea"),
]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        *((said, "yes") for said in YES),
        *((said, "no") for said in NO),
        *((said, "unclear") for said in UNCLEAR),
    ],
)
def test_an_answer_is_understood(said: str, answer: str) -> None:
    """What is neither is unclear, and asked again."""
    assert answer_in(words_of(said)) == answer


@given(st.text(max_size=200))
def test_any_words_are_an_answer_or_unclear(said: str) -> None:
    """Nothing raises."""
    assert answer_in(words_of(said)) in ("yes", "no", "unclear")
