"""Whether two embeddings are of one voice."""

from agent.voices.embedding import Embedding

LEAST_ALIKE = 0.80
"""Cosine between two embeddings of one voice; chosen on half of the speakers below.

Measured on the other half, a consent of 5 s with a sample of 8 s, people who read or talk (112
speakers, 101 of them in one sitting): of one voice 4 of 265 pairs refused (1.5 %), of two
voices 28 of 14,984 accepted (0.2 %). With samples of 4 s it is 8.3 % and 0.06 %; with white noise
20 dB below both voices 0.8 % and 0.3 %, below one of them 4 % and 0.07 %.

Through a telephone voices are more alike: with 8 kHz on both sides 0 % and 1.4 %, and with a
telephone's band from 300 Hz as well 0.4 % and 12 %. One side by telephone and the other one not is
nearly always refused. Made voices are alike too: of espeak's and flite's, 10 to 18 % are accepted.
"""


def is_same_speaker(one: Embedding, other: Embedding) -> bool:
    """Symmetric. What is not a number, or all zeros, is nobody."""
    return float(one @ other) >= LEAST_ALIKE
