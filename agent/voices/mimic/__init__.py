"""The offline cloner: June's own voice, moved to the caller's. A likeness, and honest about it."""

from agent.voices.mimic.mimic import Mimic

__all__ = ["Mimic"]
