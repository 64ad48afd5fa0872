"""Texts of a length that an ear, a model and a store can bear."""

import re

_SENTENCE_ENDS = re.compile(r"[.!?\u2026]['\")\]\u2019\u201d]*(?=\s)")


def cut(text: str, characters: int) -> str:
    """At most so many characters: whole sentences, or whole words where no sentence fits.

    A half of a character, which nothing could encode, becomes a question mark.
    """
    # Looked at no further than needed: a skill may return a text of any size.
    text = text[: characters + 1].encode("utf-8", "replace").decode("utf-8")
    if len(text) <= characters:
        return text
    ends = [end.end() for end in _SENTENCE_ENDS.finditer(text)]
    if ends:
        return text[: ends[-1]]
    words = (
        text[:characters] if text[characters].isspace() else text[:characters].rpartition(" ")[0]
    )
    return words.rstrip() or text[:characters]
