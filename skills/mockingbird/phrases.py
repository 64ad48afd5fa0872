"""The phrases that begin Mockingbird, leave it, and delete what was made."""

from skills.answers import answer_in
from skills.phrases import Phrases
from skills.words import words_of

BEGIN = (
    "(copy|mimic|clone|imitate|use|do|take|borrow) my voice [for (a bit|a while|a moment)] [again]",
    "use your skill mockingbird",
    "activate mockingbird",
    "mockingbird mode",
    "(show me|demonstrate|try|do|start|use) [the] voice cloning",
    "(start|turn on|switch on|enter|go into|begin) [the] mockingbird [mode|skill|thing]",
    "[do] [the] mockingbird [thing|skill]",
    "(speak|talk|answer|reply) (in|with) my voice [again]",
    "(speak|talk|sound) like me [again]",
    "[i would like to|i want to] hear you (sound|speak|talk) like me",
)
BEGIN_HEARD_AS = (
    "activate mocking (bert|burt)",
    "use your (skill|skilled|skull|still) (mockingbird|mocking bert|mocking burt|mocking berth"
    "|making bird|macking bird|mackling bird|maquing bird|ma king bird)",
    "mockingbird (moat|moaned)",
    "(shall me|shall we|jummy|jomi|shami|chummy) (voice|boy's|boys) cloning",
    "show me voice clothing",
    "(demon street|demon straight|damon straight|damon's straight) (voice|boy's|boys) cloning",
    "(mammic|mammick|lymick|vimick) my voice",
    "(hopping|cocking) my voice",
)
"""What speech recognition really makes of them."""

EXITS = (
    "[please] (use|go back to|back to|switch [back] to|give me) "
    "(your|the) (default|own|normal|old|first|original) voice [again]",
    "(stop|quit|no more) (mimicking|copying|cloning|imitating|using) (me|my voice)",
    "give [me] [back] my voice [back]",
    "(stop|quit|leave|exit) [the] (voice|voice cloning|copying|mimicking)",
    "(stop|quit) (speaking|talking|answering) (with|in) my voice",
    "(don't|do not) use my voice [anymore|any longer|again]",
    "(speak|talk|answer) (in|with) your own voice [again]",
    "i want my voice back",
    "(change|switch) back",
)

DELETE = (
    "(delete|erase|remove|forget|destroy|wipe) my voice [now|completely|please]",
    "(delete|erase|remove|forget|destroy|wipe) (the|my|that) "
    "(copy of my voice|cloned voice|voice clone|voice copy|voice sample|clone of my voice)",
    "(delete|erase|remove) (the|my) (recording of my voice|clone|voice recording)",
    "(delete|erase|remove) my voice and stop",
    "(take back|withdraw|revoke) my (consent|voice consent|consent to use my voice)",
    "i (take back|withdraw|revoke) my consent",
)

AGAIN = Phrases(
    [
        "[let us] (try|do) [it|that] [once] (again|more|once more)",
        "[yes] (again|once more|another try|one more try|one more time|retry)",
        "(yes|try) [please] [try] [again]",
    ]
)

BEGINNING = Phrases(BEGIN, heard_as=BEGIN_HEARD_AS)

REPEAT = Phrases(
    [
        "(what|sorry|pardon|excuse me|huh|sorry what|what was that|what did you say|come again)",
        "[sorry] [can|could] [you] [please] (repeat|say) (that|it|this|the sentence) [once] "
        "[again|once more]",
        "(again|once more|one more time)",
        "i (didn't|did not) (get|catch|hear|understand) (that|it|you|the sentence)",
    ]
)
"""For a sentence to be said once more."""

_REFUSE = Phrases(
    [
        "no (thanks|thank you)",
        "i (don't|do not) (consent|agree|want to|want that|want this|allow (it|that|this))",
        "i (don't|do not) want (you|june) to [do (that|this|it)]",
        "i [have] changed my mind",
        "[i would] rather not",
        "(better|please) not",
        "not (now|today)",
    ]
)


def refuses(text: str) -> bool:
    """Whether somebody who is asked for their voice says that they do not want to."""
    words = words_of(text)
    return answer_in(words) == "no" or _REFUSE.match(words) is not None
