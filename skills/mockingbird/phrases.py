"""The phrases that begin Mockingbird, leave it, and delete what was made."""

from skills.phrases import Phrases

BEGIN = (
    "use your skill mockingbird",
    "activate mockingbird",
    "mockingbird mode",
    "(show me|demonstrate|try|do|start|use) [the] voice cloning",
    "(mimic|copy|clone|imitate|use|do|take|borrow) my voice [for (a bit|a while|a moment)] [again]",
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
