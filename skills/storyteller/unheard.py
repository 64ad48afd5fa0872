"""Which sentence of a piece a caller, who interrupted it, is to hear next."""

from collections.abc import Sequence

from skills.words import letters


def first_unheard(sentences: Sequence[str], said: str, heard: str) -> int | None:
    """The first of the sentences in `said` that is not complete in `heard`, by its place.

    None if there is none: all were heard, or another reply was interrupted. Only letters and
    digits count, since a voice may lose the rest.
    """
    reply, reached = letters(said), len(letters(heard))
    place = 0
    for index, sentence in enumerate(sentences):
        wanted = letters(sentence)
        begin = reply.find(wanted, place)
        if begin < 0:
            return None
        place = begin + len(wanted)
        if place > reached:
            return index
    return None
