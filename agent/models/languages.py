"""Which languages June's voice speaks, and how it is told to."""

from typing import Any

from livekit.agents import tts

from agent.config import Config
from agent.lines import primary
from agent.settings import OPENAI_URL
from session.outcomes import CallCan


def languages_of_voice(config: Config) -> frozenset[str] | None:
    """By tag; None for any."""
    if config.provider_of("tts") == "local":
        return frozenset({"en"})
    if config.tts.url == OPENAI_URL:
        return None
    return frozenset(map(primary, [config.agent.language, *config.tts.voices]))


def call_can(config: Config, language: str, *, clones: bool = False) -> CallCan:
    """What a call in this language can do for a skill."""
    return CallCan(
        has_model=config.provider_of("llm") != "local",
        speaks=languages_of_voice(config),
        language=primary(language),
        clones=clones,
    )


class LanguageOfVoice:
    """Lives as long as one call. A reply is spoken in the language of the last call of it."""

    def __init__(self, config: Config, voice: tts.TTS[Any] | None) -> None:
        self._voices = {primary(tag): name for tag, name in config.tts.voices.items()}
        self._usual = config.tts.voice
        self._voice: Any = voice if self._voices and config.provider_of("tts") != "local" else None

    def speak_in(self, language: str) -> None:
        """Of the tag's language, or the usual voice where there is no other."""
        if self._voice is not None:
            self._voice.update_options(voice=self._voices.get(primary(language), self._usual))
