"""The tales that June can tell without a language model, and how they are told in pieces."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "tales"

MOST_PIECES = 9
"""So the caller can hear a whole tale, and some of it again, before the mode's last turn."""

MOST_SENTENCES = 4
PIECE_WORDS = (80, 100)
"""Of a piece at most: the fewer, unless the tale would then have too many pieces."""

HEAD = ("Title", "Author", "Translator", "Year", "Source", "Copy", "Rights", "Changes")


@dataclass(frozen=True)
class Tale:
    """One tale. Lives as long as the process."""

    name: str
    """Its file's, without the ending."""
    title: str
    author: str
    sentences: tuple[str, ...]
    ends: tuple[int, ...]
    """For each sentence: where the piece ends that begins with it."""

    def piece(self, first: int) -> str:
        """The sentences from `first` on that are told in one go."""
        return " ".join(self.sentences[first : self.ends[first]])


def tales_in(folder: Path) -> Mapping[str, Tale]:
    """All tales of a folder by name, in the order of their names.

    A file has a head of `Name: value` lines, an empty line, and then one sentence a line.

    Raises:
        ValueError: names the file that cannot be told, or the folder if it has no tale.
        OSError: if a file cannot be read.
    """
    tales = {file.stem: _read(file) for file in sorted(folder.glob("*.txt"))}
    if not tales:
        raise ValueError(f"`{folder}` has no tale")
    return tales


def _read(file: Path) -> Tale:
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    empty = lines.index("") if "" in lines else len(lines)
    head = dict(line.partition(": ")[::2] for line in lines[:empty])
    if missing := [name for name in HEAD if not head.get(name)]:
        raise ValueError(f"`{file.name}` does not say its `{missing[0]}`")
    sentences = tuple(line for line in lines[empty:] if line)
    if not sentences:
        raise ValueError(f"`{file.name}` tells nothing")
    ends = _ends(sentences)
    if ends is None:
        raise ValueError(f"`{file.name}` is too long to be told in {MOST_PIECES} pieces")
    return Tale(file.stem, head["Title"], head["Author"], sentences, ends)


def _ends(sentences: tuple[str, ...]) -> tuple[int, ...] | None:
    for most_words in PIECE_WORDS:
        ends = tuple(_end(sentences, first, most_words) for first in range(len(sentences)))
        if pieces(ends) <= MOST_PIECES:
            return ends
    return None


def _end(sentences: tuple[str, ...], first: int, most_words: int) -> int:
    words = 0
    for place, sentence in enumerate(sentences[first : first + MOST_SENTENCES], first):
        words += len(sentence.split())
        if words > most_words and place > first:
            return place
    return min(first + MOST_SENTENCES, len(sentences))


def pieces(ends: tuple[int, ...]) -> int:
    """How many pieces it is, told from the beginning."""
    count = place = 0
    while place < len(ends):
        place = ends[place]
        count += 1
    return count
