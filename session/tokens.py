"""How many tokens a text is for a model: estimated high, and better once a model has counted."""

import math
from collections import deque

BYTES_PER_TOKEN = 2
MESSAGE_TOKENS = 8
"""Role and separators: a message costs something by itself."""

LEAST_FACTOR = 0.2
"""Ten bytes to a token, more than any language has: a server that counts less counts wrongly."""

RECENT = 5


def estimate_tokens(text: str) -> int:
    """For one message of this text; rather too many than too few.

    English has about 4.4 bytes to a token, Chinese and Japanese up to 1.5 tokens to a character
    of three bytes, and most languages lie between. Only vocabularies that hardly know a script
    have more tokens than this, such as Amharic's in OpenAI's.
    """
    # Half a surrogate pair has no bytes of its own, but some transcripts contain one.
    size_bytes = len(text.encode("utf-8", errors="surrogatepass"))
    return -(-size_bytes // BYTES_PER_TOKEN) + MESSAGE_TOKENS


class TokenCount:
    """How one model counts. Lives as long as one call; at first the estimate is all there is."""

    def __init__(self) -> None:
        self._factors: deque[float] = deque(maxlen=RECENT)

    @property
    def factor(self) -> float:
        """What an estimate is multiplied by: over 0, at most 1."""
        # The highest: a caller who changes from English to Japanese must not be counted too low.
        return max(self._factors, default=1.0)

    def learn(self, *, estimated: int, counted: int) -> None:
        """The provider counted so many tokens in a request that `estimate_tokens` puts at so many.

        A request has more in it than was estimated, such as tools; that errs high as well.
        """
        if estimated > 0 and counted > 0:
            self._factors.append(min(1.0, max(LEAST_FACTOR, counted / estimated)))

    def of(self, text: str) -> int:
        """For one message of this text, as this model counts."""
        return math.ceil(estimate_tokens(text) * self.factor)
