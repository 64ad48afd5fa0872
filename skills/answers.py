"""Yes, no, or neither: the answer to a question of June's."""

from typing import Literal

from skills.phrases import Phrases
from skills.words import Words

Answer = Literal["yes", "no", "unclear"]

_YES = "(yes|yeah|yep|yup|yah|ya|aye|sure|ok|absolutely|definitely|certainly|indeed|affirmative)"
_NO = "(no|nope|nah|nay|negative)"

YES = Phrases(
    [
        _YES,
        f"{_YES} {_YES}",
        f"{_YES} (go ahead|do it|do that|i am|i do|i would|that is right|that is fine|let us do it"
        "|please do|of course|why not|thing|i am sure|i want to|let us go|that is ok|proceed"
        "|go on)",
        "(yes|yeah) of course",
        "of course [you can|i do|yes]",
        "(go ahead|go for it|do it|do that|do so|proceed|continue|carry on|go on|please do)",
        "(go ahead|do it|proceed|continue) [with (it|that)]",
        "(sounds|that sounds|it sounds) (good|great|fine|ok|perfect|lovely|nice)",
        "(good|great|perfect|fine|lovely|right|correct|exactly|agreed|deal|confirmed|confirm|true)",
        "[that is|it is|i am] (fine|right|correct|ok|good) [with me|by me|with that]",
        "(i am|i am very|i am quite|i am pretty|quite|very|pretty) sure",
        "i (do|would|am|agree|confirm|want to|would like to|would love to|want that)",
        "(sure|why) not",
        "(sure|ok|yes|yeah) why not",
        "(by all means|with pleasure|for sure|you bet|no problem|be my guest|why not|all right)",
        "(let us|we can) (do it|do that|go|try it|try that|try|start|begin)",
        "(uh huh|mhm|mm hm|hell yes|yes sir|yes ma'am|yes indeed|absolutely yes|yes absolutely)",
        "i (think|guess|suppose|believe) so",
        "i would (like|love) that",
        "(no i mean yes|no wait yes|no sorry yes)",
        "that works [for me]",
        "(yes|yeah) i (think|guess|suppose) so",
        "fire away",
        "make it so",
    ]
)
NO = Phrases(
    [
        _NO,
        f"{_NO} {_NO}",
        f"{_NO} {_NO} {_NO}",
        f"{_NO} (thank you|thanks|i don't|i do not|i am not|i would not|not now|never mind|don't"
        "|do not|that is ok|it is ok|i am good|i am fine|i changed my mind|stop|cancel|not really"
        "|not today|way|leave it|let us not|forget it|i would rather not|i don't think so"
        "|that is all"
        "|i don't want to|i don't want that|i have changed my mind|maybe later|not yet|sorry)",
        "(absolutely|definitely|certainly|of course|rather|maybe|probably|better|really) not",
        "not (now|today|yet|really|at all|right now|this time|for me|at the moment|interested)",
        "[maybe|perhaps|some|rather] (later|another time|some other time|next time|tomorrow)",
        "maybe (another|some other) (time|day)",
        "i (don't|do not) (want to|want that|want it|think so|agree|feel like it|like that|dare)",
        "i (would|'d) rather not",
        "(never|never ever|never mind|no way|forget it|forget about it|skip it|drop it|leave it)",
        "(i changed|i have changed) my mind",
        "(don't|do not) [do it|do that|bother|proceed|continue|you dare|worry about it]",
        "please (don't|do not) [do it|do that]",
        "(let us|better|i would|i would rather|rather|i would prefer) not [to|do it|do that]",
        "i am (good|fine|ok) [without|thanks|without it]",
        "(cancel|stop|abort|quit|exit) [it|that|this]",
        "(yes i mean no|yes wait no|yes sorry no|wait no|actually no|on second thought no)",
        "on second thought (no|never mind|let us not)",
        "(that is|it is) (ok|fine) (no|never mind|leave it|don't bother)",
        "i (am afraid|think|guess|suppose) not",
        "hard pass",
        "pass",
    ]
)
UNCLEAR = Phrases(["not sure", "i am not sure", "no idea", "yes and no", "ok what", "right what"])


def answer_in(words: Words) -> Answer:
    """Of the whole utterance; `unclear` if it is neither a yes nor a no."""
    if UNCLEAR.match(words) is not None:
        return "unclear"
    no, yes = NO.match(words), YES.match(words)
    if no is not None and yes is not None:
        # "No problem", "yes, I changed my mind": who shares more words with it is meant.
        return "yes" if yes.literal_words > no.literal_words else "no"
    if yes is not None:
        return "yes"
    return "unclear" if no is None else "no"
