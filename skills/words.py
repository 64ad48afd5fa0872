"""An utterance as words, the same however speech recognition happened to write them."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from skills.numbers import number_at

LONGEST_CHARACTERS = 4_000
"""Of an utterance that is looked at; what comes after is no phrase of anybody's."""

MOST_SENTENCES = 5
"""Who says more than that tells something."""

_SENTENCE_END = re.compile(r"(?<=[^\W_][^\W_])[.!?…]+(?=\s)|\n")
_TOKEN = re.compile(
    r"[ap]\.\s?m\b\.?|o\.k\b\.?|\d{1,3}(?:,\d{3})+\b|\d+\.\d+|\d+|[^\W\d_]+(?:'[^\W\d_]+)*",
    re.IGNORECASE,
)
_STOP = re.compile(r"[,.;:!?\n\u2026\u2013\u2014]")
_SILENT = frozenset({"um", "uhm", "uh", "er", "erm", "hm", "hmm", "mm", "ah", "eh"})
_OPENING = frozenset({"Ps", "Pi", "Sc"})
_CLOSING = frozenset({"Mn", "Mc", "Me", "So", "Sk", "Sm", "Sc", "Pe", "Pf", "Cf"})
_CONTRACTIONS = {
    "i'd": "i would",
    "i'm": "i am",
    "i'll": "i will",
    "i've": "i have",
    "you'd": "you would",
    "you're": "you are",
    "you'll": "you will",
    "you've": "you have",
    "he's": "he is",
    "she's": "she is",
    "we'd": "we would",
    "we're": "we are",
    "we'll": "we will",
    "we've": "we have",
    "they're": "they are",
    "let's": "let us",
    "lets": "let us",
    "what's": "what is",
    "whats": "what is",
    "who's": "who is",
    "how's": "how is",
    "where's": "where is",
    "when's": "when is",
    "that's": "that is",
    "thats": "that is",
    "that'll": "that will",
    "that'd": "that would",
    "it's": "it is",
    "it'll": "it will",
    "there's": "there is",
    "here's": "here is",
    "time's": "time is",
    "what're": "what are",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "gimme": "give me",
    "c'mon": "come on",
    "dunno": "don't know",
    "lemme": "let me",
    "y'all": "you all",
    "i'ma": "i am going to",
}
_SPELLINGS = {
    "okay": "ok",
    "o.k": "ok",
    "o.k.": "ok",
    "alright": "all right",
    "cancelled": "canceled",
    "cancelling": "canceling",
    "colour": "color",
    "favourite": "favorite",
    "thankyou": "thank you",
    "nevermind": "never mind",
    "goodbye": "good bye",
    "byebye": "bye bye",
    "grey": "gray",
    "mins": "minutes",
    "secs": "seconds",
    "hrs": "hours",
    "dont": "don't",
    "cant": "can't",
}
_TOGETHER = {
    ("mocking", "bird"): "mockingbird",
    ("mockin", "bird"): "mockingbird",
    ("story", "teller"): "storyteller",
    ("good", "by"): "good bye",
    ("any", "more"): "anymore",
    ("uh", "huh"): "mhm",
    ("mm", "hm"): "mhm",
    ("mm", "hmm"): "mhm",
    ("m", "hm"): "mhm",
    ("m", "hmm"): "mhm",
}


@dataclass(frozen=True)
class Token:
    """One word, or a number of several words."""

    plain: str
    """Normalised; of a contraction it is two words."""
    start: int
    end: int
    """Where it stands in the original text."""


@dataclass(frozen=True)
class Words:
    """What somebody said."""

    text: str
    """As it came."""
    tokens: tuple[Token, ...]

    @property
    def plain(self) -> str:
        """All of it in normalised words, with single blanks."""
        return " ".join(token.plain for token in self.tokens)

    def set_off(self) -> frozenset[int]:
        """The tokens with a stop or a comma before them."""
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return frozenset(
            place
            for place, (before, token) in enumerate(pairs, start=1)
            if _STOP.search(self.text, before.end, token.start)
        )

    def original(self, first: int, end: int) -> str:
        """The original text from one token to before another, with signs that belong to it."""
        if first >= end:
            return ""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end]


def words_of(text: str) -> Words:
    """Lower case, no punctuation, no hesitations; numbers in digits, one spelling a word."""
    seen = text[:LONGEST_CHARACTERS].replace("\u2019", "'").replace("\u2018", "'")
    raw = _joined(
        [Token(match[0].casefold(), *_extent(seen, match)) for match in _TOKEN.finditer(seen)]
    )
    said = [token for token in raw if token.plain not in _SILENT] or raw
    return Words(text, tuple(_normalised(said)))


def _extent(text: str, match: re.Match[str]) -> tuple[int, int]:
    """From where to where, with accents that are characters of their own, and "$", "%" or ")"."""
    start, end = match.span()
    while start > 0 and (
        text[start - 1] == '"' or unicodedata.category(text[start - 1]) in _OPENING
    ):
        start -= 1
    if text[start].isdigit() and text[max(0, start - 2) : start] in (" -", " +"):
        start -= 1
    place = end
    while place < len(text) and (
        text[place] in '%" ' or unicodedata.category(text[place]) in _CLOSING
    ):
        place += 1
        if text[place - 1] != " ":
            end = place
    return start, end


def _joined(said: list[Token]) -> list[Token]:
    """With the words together that are one."""
    together: list[Token] = []
    for token in said:
        before = together[-1] if together else None
        one = _TOGETHER.get((before.plain, token.plain)) if before is not None else None
        if before is None or one is None:
            together.append(token)
        else:
            together[-1] = Token(one, before.start, token.end)
    return together


def letters(text: str) -> str:
    """Only its letters and digits, in lower case: a voice, or a transcript, may lose the rest."""
    return "".join(character for character in text.casefold() if character.isalnum())


def sentences_of(words: Words) -> list[Words]:
    """Its sentences, as far as speech recognition or a keyboard has parted them; none of many."""
    parts = _SENTENCE_END.split(words.text[:LONGEST_CHARACTERS])
    sentences = [sentence for part in parts if (sentence := words_of(part)).tokens]
    return sentences if len(sentences) <= MOST_SENTENCES else []


def _normalised(said: list[Token]) -> Iterator[Token]:
    plain = [token.plain for token in said]
    place = 0
    while place < len(said):
        if (number := number_at(plain, place)) is not None:
            digits, end = number
            yield Token(digits, said[place].start, said[end - 1].end)
            place = end
        else:
            yield Token(_word(plain[place]), said[place].start, said[place].end)
            place += 1


def _word(word: str) -> str:
    if word[0] in "ap" and "." in word:
        return f"{word[0]}m"
    if word[0].isdigit():
        return word.replace(",", "")
    return _CONTRACTIONS.get(word) or _SPELLINGS.get(word, word)
