"""The sentence of consent that a caller repeats, with words that no recording holds already."""

import random

from skills.mockingbird.word_list import KINDS, NUMBERS, THINGS

CONSENT = "June is allowed to speak with my voice."
"""What is consented to. Heard rightly in 701 of n = 718, from three voices. Of six other wordings,
by five voices (n = 60 each), one with "Yes" before it was heard in 55, the others in 24 to 48:
"allow June to" became "allow you to". With the fresh words it takes 3.9 s (Piper) to 5.3 s (`rms`)
to say."""


def fresh_sentence(source: random.Random) -> str:
    """A sentence to say after June: what is consented to, two words, and a number in words.

    `source` must be one that nobody can foresee, as `random.SystemRandom` is. A sentence kept from
    another time is the one asked for with a chance of 1 in
    `len(KINDS) * len(THINGS) * len(NUMBERS)`, which is less than 1 in 100,000.
    """
    kind, thing, number = (source.choice(words) for words in (KINDS, THINGS, NUMBERS))
    return f"{CONSENT} {kind.capitalize()} {thing} {number}."
