"""Whether two embeddings are of one voice."""

from agent.voices.embedding import Embedding

LEAST_ALIKE = 0.75
"""Cosine of their angle."""


def is_same_speaker(one: Embedding, other: Embedding) -> bool:
    """Whoever is too near to tell apart is taken for the same, at the rate given above."""
    return float(one @ other) >= LEAST_ALIKE
