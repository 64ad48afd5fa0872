"""What a caller has said, and how much of it is not known to be understood yet."""

import asyncio

from agent.models.kept_sound import BEFORE_SECONDS, KeptSound


class OwedSpeech:
    """Lives as long as one stream. Where speech begins and ends is what the call's own VAD says."""

    def __init__(self) -> None:
        self.kept = KeptSound()
        self.has_words = False
        """Whether something was understood of the newest speech, final or not."""
        self.answered = asyncio.Event()
        """Set once all is known of what was said, be it that there was nothing in it."""
        self.answered.set()
        self._is_speaking = False
        self._is_told = False
        """All words that there were in the speech that still goes on are final."""
        self._ends: list[tuple[float, float]] = []
        """Of speech that is owed an answer: the place of its end, and its length in seconds."""

    @property
    def seconds(self) -> float:
        """Of speech that has ended and is owed an answer."""
        return sum(length for _, length in self._ends)

    def begin(self) -> None:
        self._is_speaking, self._is_told = True, False
        self.has_words = False
        self.answered.clear()
        self.kept.keep_all()

    def end(self, length_seconds: float) -> None:
        """Ears may know of it sooner than the VAD, which takes noise for speech as well."""
        self._is_speaking = False
        self._ends.append((self.kept.all_seconds, length_seconds))
        if self._is_told:
            self.close()

    def note_words(self) -> None:
        """They are not final yet."""
        self.has_words, self._is_told = True, False

    def tell(self, *, has_words: bool) -> None:
        """What the ears had to say of an utterance."""
        if self._is_speaking and self._ends:
            # It comes late, and is of the speech before.
            self.kept.forget(self._ends[-1][0])
            self._ends.clear()
            return
        self.has_words = self.has_words or has_words
        if self._is_speaking:
            self._is_told = True
            self.kept.forget(self.kept.all_seconds - BEFORE_SECONDS)
        else:
            self.close()

    def close(self) -> None:
        """Nothing more is to come of what was said so far."""
        self.kept.forget(self._ends[-1][0] if self._ends else self.kept.all_seconds)
        self._ends.clear()
        self.answered.set()
        if not self._is_speaking:
            self.kept.keep_little()
