"""Yes, no, or neither: the answer to a question of June's."""

from typing import Literal

from skills.phrases import Phrases
from skills.words import Words

Answer = Literal["yes", "no", "unclear"]

_YES = (
    "(yes|yeah|yep|yup|yah|ya|yea|aye|sure|ok|absolutely|definitely|certainly|indeed|affirmative"
    "|totally|mhm|okey dokey|alrighty|of course|please)"
)
_NO = "(no|nope|nah|nay|negative|naw)"
_GOOD = "(good|great|fine|ok|perfect|lovely|nice|wonderful|all right)"

YES = Phrases(
    [
        "(yes|yeah|yep|yup|yah|ya|yea|aye|sure|ok|absolutely|definitely|certainly|indeed"
        "|affirmative|totally|mhm|okey dokey|alrighty) [yes|yeah|sure|ok|please]",
        f"{_YES} (go ahead|do it|do that|i am|i do|i would|that is right|that is fine|let us do it"
        "|please do|of course|why not|thing|i am sure|i want to|let us go|that is ok|proceed"
        "|go on|it is|you can|you may|i guess|i guess so|i suppose|absolutely|definitely|indeed"
        "|sir|ma'am|go for it|i want that|i want it|that works|i confirm|i agree)",
        "(yes|yeah) (yes|yeah) (yes|yeah)",
        "of course [you can|you may|i do|yes]",
        "(go ahead|go for it|do so|carry on|go on|please do|proceed|continue|go|start|begin)",
        "(go ahead|proceed|continue|go on|start) [and do|with] (it|that)",
        "do (it|that|this)",
        f"[that|it|this] (sounds|works|would be|is) {_GOOD} [with me|by me|for me|to me]",
        "[that] works [for me]",
        "(good|great|perfect|fine|lovely|wonderful|excellent|right|correct|true|exactly) [idea]",
        "(agreed|deal|confirmed|confirm|ready|granted|approved|accepted|exactly|precisely)",
        "[that is|it is|you are] (fine|right|correct|ok|true) [with me|by me|with that]",
        "i am (ok|fine) with (that|it|this)",
        "i am (ready|in|game|for it|up for it)",
        "(i am|i am very|i am quite|i am pretty|quite|very|pretty|100 percent) sure",
        "i (do|would|am|agree|confirm|want to|would like to|would love to|want that|want it)",
        "[i] [would] (love|like) (to|that|it)",
        "i would be (happy|glad|delighted) to",
        "[sure|ok|yes|yeah] why not",
        "(by all means|with pleasure|for sure|you bet|be my guest|all right|hell yes|hell yeah)",
        "(let us|we can) (do it|do that|do this|go|try it|try that|try|start|begin|hear it)",
        "i (think|guess|suppose|believe|hope) so",
        "i (don't|do not) mind",
        "you (can|may) [do (it|that)]",
        "(you have my (permission|consent)|i (consent|give [you] my (permission|consent)))",
        "(fire away|make it so|count me in|bring it on|i am all ears|as you like|oh yes)",
    ]
)
YES_DESPITE_NO = Phrases(
    [
        "no (problem|worries|objection|objections|doubt)",
        "no (i mean|i meant) (yes|yeah)",
        "no (go ahead|it is fine go ahead|that is fine go ahead)",
    ]
)
NO = Phrases(
    [
        f"{_NO} [{_NO}]",
        "(i am not sure|not sure|i don't know) so no",
        "no no no [no]",
        "nah nah nah",
        f"{_NO} (thank you|thanks|i don't|i do not|i am not|i would not|not now|never mind|don't"
        "|do not|that is ok|it is ok|i am good|i am fine|i changed my mind|stop|cancel|not really"
        "|not today|leave it|let us not|forget it|i would rather not|i don't think so|that is all"
        "|i don't want to|i don't want that|i have changed my mind|maybe later|not yet|sorry|later"
        "|way|chance|it is not|it isn't|you can't|you cannot|you may not|not at all|not for me"
        "|need|thank you very much|thanks a lot|never|absolutely not|that is not right|sir|ma'am)",
        "(hell|god|heck) no",
        "(absolutely|definitely|certainly|of course|rather|maybe|probably|better|really|sure) not",
        "[please] not (now|today|yet|really|at all|right now|this time|for me|at the moment|ever"
        "|interested|tonight|necessary|ready|right|a chance|this|that)",
        "i am not (interested|ready|up for it|in the mood|ok with that|ready yet)",
        "(that is|it is|this is) (not (right|true|what i want|necessary|ok)|wrong|incorrect)",
        "[maybe|perhaps|some|rather] (later|another time|some other time|next time|tomorrow)",
        "maybe (another|some other) (time|day)",
        "i (don't|do not) [want to|want that|want it|think so|agree|feel like it|like that|dare"
        "|need to|need that|need it|consent|want to do that|want to do it|care for it]",
        "i (would|will) (rather not|not|prefer not [to])",
        "i would rather (you (didn't|did not)|wait)",
        "(never|never ever|never mind|no way|forget it|forget about it|skip it|drop it|leave it)",
        "(wrong|incorrect|i refuse|i decline|denied|hard pass|pass|i pass|i will pass|nothing)",
        "(i changed|i have changed) my mind",
        "(don't|do not) [do (it|that|this)|bother|proceed|continue|you dare|worry about it|start]",
        "(let us|better|i would prefer|rather) not [to|do it|do that]",
        "i am (good|fine|ok) [without|thanks|without it]",
        "(cancel|stop|abort|quit|exit) [it|that|this]",
        "(yes i mean no|yes wait no|yes sorry no|wait no|actually no|on second thought no|yeah no)",
        "on second (thought|thoughts) [no|never mind|let us not]",
        "(that is|it is) (ok|fine) (no|never mind|leave it|don't bother)",
        "i (am afraid|think|guess|suppose|hope) not",
        "you (can't|cannot|may not|must not|better not)",
    ],
    # "Nah", "maybe later". Of "go ahead" there is none: what was heard of it began with "don't".
    heard_as=["not", "(may be|may be a|made you) later"],
)
UNCLEAR = Phrases(
    ["[i am] not sure", "no idea", "yes [and|or] no", "no [and|or] yes", "no wait yes", "huh"]
)
WAVERING = frozenset({"no", "nope", "nah", "maybe", "perhaps", "wait", "what", "huh"})
"""Who says one of these did not say a plain yes; to be asked again costs less."""


def answer_in(words: Words) -> Answer:
    """Of the whole utterance; `unclear` if it is neither a yes nor a no."""
    if UNCLEAR.match(words) is not None:
        return "unclear"
    if YES_DESPITE_NO.match(words) is not None:
        return "yes"
    no, yes = NO.match(words), YES.match(words)
    if no is not None and yes is not None:
        # "Yes, I changed my mind": which shares more words with it is meant.
        return "yes" if yes.literal_words > no.literal_words else "no"
    if yes is not None:
        return "unclear" if WAVERING.intersection(words.plain.split()) else "yes"
    return "unclear" if no is None else "no"
