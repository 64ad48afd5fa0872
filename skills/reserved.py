"""Phrases that no skill may take: they belong to skills that June will have."""

from collections.abc import Mapping, Sequence

RESERVED: Mapping[str, Sequence[str]] = {
    "mockingbird": (
        "use your skill mockingbird",
        "activate mockingbird",
        "mockingbird mode",
        "show me voice cloning",
        "demonstrate voice cloning",
        "mimic my voice",
        "copy my voice",
    ),
}
"""By the name of the skill that may use them."""

RESERVED_HEARD_AS: Mapping[str, Sequence[str]] = {
    "mockingbird": (
        "activate mocking bert",
        "mammic my voice",
    ),
}
"""What speech recognition really makes of them."""
