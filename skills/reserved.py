"""Phrases that no skill may take: they belong to skills that June will have."""

from collections.abc import Mapping, Sequence

RESERVED: Mapping[str, Sequence[str]] = {
    "mockingbird": (
        "use your skill mockingbird",
        "activate mockingbird",
        "mockingbird mode",
        "(show me|demonstrate|try|do|start|use) [the] voice cloning",
        "(mimic|copy|clone|imitate|use|do|take|borrow) my voice [for (a bit|a while|a moment)]",
        "(start|turn on|switch on|enter|go into|begin) [the] mockingbird [mode|skill|thing]",
        "[do] [the] mockingbird [thing|skill]",
        "(speak|talk|answer|reply) (in|with) my voice",
        "(speak|talk|sound) like me",
        "[i would like to|i want to] hear you (sound|speak|talk) like me",
    ),
}
"""By the name of the skill that may use them."""

RESERVED_HEARD_AS: Mapping[str, Sequence[str]] = {
    "mockingbird": (
        "activate mocking (bert|burt)",
        "use your (skill|skilled|skull|still) (mockingbird|mocking bert|mocking burt|mocking berth"
        "|making bird|macking bird|mackling bird|maquing bird|ma king bird)",
        "mockingbird (moat|moaned)",
        "(shall me|shall we|jummy|jomi|shami|chummy) (voice|boy's|boys) cloning",
        "show me voice clothing",
        "(demon street|demon straight|damon straight|damon's straight) (voice|boy's|boys) cloning",
        "(mammic|mammick|lymick|vimick) my voice",
        "(hopping|cocking) my voice",
    ),
}
"""What speech recognition really makes of them."""
