"""An utterance as words, the same however speech recognition happened to write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from skills.numbers import number_at

LONGEST_CHARACTERS = 4_000
"""Of an utterance that is looked at; what comes after is no phrase of anybody's."""

_TOKEN = re.compile(
    r"[ap]\.\s?m\b\.?|o\.k\b\.?|\d{1,3}(?:,\d{3})+\b|\d+\.\d+|\d+|[^\W\d_]+(?:'[^\W\d_]+)*",
    re.IGNORECASE,
)
_SILENT = frozenset({"um", "uhm", "uh", "er", "erm", "hm", "hmm", "mm", "ah", "eh"})
_CONTRACTIONS = {
    "i'd": "i would",
    "i'm": "i am",
    "i'll": "i will",
    "i've": "i have",
    "you'd": "you would",
    "you're": "you are",
    "you'll": "you will",
    "you've": "you have",
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
    "it's": "it is",
    "there's": "there is",
    "here's": "here is",
    "time's": "time is",
    "what're": "what are",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "gimme": "give me",
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
    "storey": "story",
    "thankyou": "thank you",
    "goodbye": "good bye",
    "byebye": "bye bye",
    "mum": "mom",
    "grey": "gray",
    "mins": "minutes",
    "secs": "seconds",
    "hrs": "hours",
    "dont": "don't",
    "cant": "can't",
    "whenever's": "whenever is",
}
_TOGETHER = {
    ("mocking", "bird"): "mockingbird",
    ("mockin", "bird"): "mockingbird",
    ("story", "teller"): "storyteller",
    ("good", "by"): "good bye",
    ("time", "er"): "timer",
    ("any", "more"): "anymore",
    ("a", "gain"): "again",
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

    def original(self, first: int, end: int) -> str:
        """The original text from one token to before another."""
        if first >= end:
            return ""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end]


def words_of(text: str) -> Words:
    """Lower case, no punctuation, no hesitations; numbers in digits, one spelling a word."""
    seen = text[:LONGEST_CHARACTERS].replace("\u2019", "'").replace("\u2018", "'")
    raw = [
        Token(match[0].casefold(), match.start(), match.end()) for match in _TOKEN.finditer(seen)
    ]
    said = [token for token in raw if token.plain not in _SILENT] or raw
    return Words(text, tuple(_normalised(said)))


def _normalised(said: list[Token]) -> Iterator[Token]:
    plain = [token.plain for token in said]
    place = 0
    while place < len(said):
        joined = _TOGETHER.get((plain[place], plain[place + 1] if place + 1 < len(said) else ""))
        if joined is not None:
            yield Token(joined, said[place].start, said[place + 1].end)
            place += 2
        elif (number := number_at(plain, place)) is not None:
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
