"""Which languages June's voice speaks, and that it goes back to its usual one."""

from pathlib import Path
from typing import Any

import pytest

from agent.config import Config, load
from agent.models.languages import LanguageOfVoice, languages_of_voice

VOICES = '{fr = "ff_siwis", pt-BR = "pf_dora"}'


def config(tmp_path: Path, **environ: str) -> Config:
    return load(environ={"HOME": str(tmp_path), **environ})


@pytest.mark.parametrize(
    ("environ", "languages"),
    [
        ({}, {"en"}),
        ({"OPENAI_API_KEY": "sk-1"}, None),
        ({"JUNE_TTS__BASE_URL": "http://127.0.0.1:1/v1"}, {"en"}),
        (
            {
                "JUNE_TTS__BASE_URL": "http://127.0.0.1:1/v1",
                "JUNE_TTS__VOICES": VOICES,
                "JUNE_AGENT__LANGUAGE": "de",
            },
            {"de", "fr", "pt"},
        ),
    ],
)
def test_a_voice_speaks_what_it_is_known_to(
    tmp_path: Path, environ: dict[str, str], languages: set[str] | None
) -> None:
    """OpenAI's speaks any language; the local one English."""
    assert languages_of_voice(config(tmp_path, **environ)) == languages


class Voice:
    """Keeps which voice it was told to have."""

    def __init__(self) -> None:
        self.voices: list[str] = []

    def update_options(self, *, voice: str) -> None:
        self.voices.append(voice)


def test_a_reply_in_another_language_has_its_voice(tmp_path: Path) -> None:
    """And the next one the usual voice again."""
    environ = {"JUNE_TTS__BASE_URL": "http://127.0.0.1:1/v1", "JUNE_TTS__VOICES": VOICES}
    voice: Any = Voice()
    language = LanguageOfVoice(config(tmp_path, **environ), voice)
    for tag in ("fr-CA", "", "pt", "ja"):
        language.speak_in(tag)
    assert voice.voices == ["ff_siwis", "marin", "pf_dora", "marin"]


def test_a_voice_without_others_is_let_be(tmp_path: Path) -> None:
    """So is a call that is only typed, and the local voice."""
    voice: Any = Voice()
    LanguageOfVoice(config(tmp_path, OPENAI_API_KEY="sk-1"), voice).speak_in("fr")
    LanguageOfVoice(config(tmp_path, JUNE_TTS__VOICES=VOICES), voice).speak_in("fr")
    LanguageOfVoice(config(tmp_path, JUNE_TTS__VOICES=VOICES), None).speak_in("fr")
    assert voice.voices == []
