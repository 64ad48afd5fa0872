"""Growing guesses at an utterance as OpenAI tells them: by deltas, each appended to the last."""


class Deltas:
    """What has been told of one item. Lives as long as the item.

    A delta takes nothing back, and Moonshine changes its mind about early words: so what is told
    goes on after as many words as were told, right or wrong. The final transcript puts it right.
    """

    def __init__(self) -> None:
        self._words_told = 0

    def of_guess(self, text: str) -> str:
        """What a guess adds. Its last word may still be half a word, so it is not told yet."""
        return self._grow(text.split()[:-1])

    def of_final(self, text: str) -> str:
        """What the final words add."""
        return self._grow(text.split())

    def _grow(self, words: list[str]) -> str:
        told, self._words_told = self._words_told, max(self._words_told, len(words))
        added = " ".join(words[told:])
        return f" {added}" if told and added else added
