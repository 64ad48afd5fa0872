"""Yes, no, and stop, in the language of a call. Phrases of skills are English everywhere."""

from collections.abc import Sequence

from skills import german
from skills.answers import Answer, answer_in
from skills.exits import is_exit
from skills.words import Words

OTHERS = {"de": german}
"""By language; where there is none, English is listened for, and the model understands the rest."""


def answers(words: Words, language: str) -> Answer:
    """Of the whole utterance; `unclear` if it is neither a yes nor a no."""
    others = OTHERS.get(language)
    if others is not None:
        said = _bare(words.plain, others.POLITE)
        if said in others.YES:
            return "yes"
        if said in others.NO or said in others.EXITS:
            return "no"
    return answer_in(words)


def leaves(words: Words, language: str, further: Sequence[str] = ()) -> bool:
    """Whether all of it asks to go back to normal."""
    others = OTHERS.get(language)
    if others is not None and _bare(words.plain, others.POLITE) in others.EXITS:
        return True
    return is_exit(words, further)


def _bare(said: str, polite: Sequence[str]) -> str:
    """Without what it is wrapped in, but never nothing."""
    before = ""
    while said != before:
        before = said
        for word in polite:
            said = said.removesuffix(f" {word}").removeprefix(f"{word} ")
    return said
