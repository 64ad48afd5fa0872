"""The cloner that `[mockingbird] cloner` names."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from livekit.agents import tts

from agent.config import Config
from agent.errors import CannotStart
from agent.models.build import voice_name
from agent.voices.cloner import Cloner
from skills.importing import IMPORT_SECONDS, import_file, in_time

MAKER = "make_cloner"
"""What a file of the operator's own has: a function that takes nothing and returns a `Cloner`."""

VERBS = sorted(name for name in vars(Cloner) if not name.startswith("_"))


OPENAI = "openai "
"""Before the server in the name of a cloner: a voice is deleted where it was made."""


def name_of_cloner(config: Config, cloner: str | None = None) -> str:
    """Under which what it made is kept; of the one that is configured, unless it is given."""
    cloner = cloner or config.mockingbird.cloner_in_use
    return f"{OPENAI}{config.tts.url}" if cloner == "openai" else str(config.cloner_file or cloner)


def cloner_for(config: Config, june: tts.TTS[str]) -> Cloner | None:
    """A new one, for one call or one clean-up; None where callers are not cloned.

    `june` is her own voice, which `mimic` moves; it stays its owner's to close. It may block for
    a moment: what is chosen is imported now.

    Raises:
        CannotStart: if the operator's file is no cloner.
    """
    match config.mockingbird.cloner:
        case "off":
            return None
        case "openai":
            from agent.voices.openai_voices import OpenAIVoices  # noqa: PLC0415 (only if chosen)

            return OpenAIVoices(config.tts, config.key_of("tts"))
        case _ if config.cloner_file is not None:
            return made_by(config.cloner_file)
        case _:
            from agent.voices.mimic import Mimic  # noqa: PLC0415 (WORLD is heavy)

            return Mimic(june, voice_name(config))


def made_by(file: Path) -> Cloner:
    """A cloner of the operator's own. Raises `CannotStart`, in words for the operator."""
    make = maker_in(file)
    try:
        made = make()
    except Exception as error:
        raise _wrong(file, f"its `{MAKER}` raises {_named(error)}") from error
    missing = [name for name in VERBS if not hasattr(made, name)]
    if missing:
        has_not = ", ".join(f"`{name}`" for name in missing)
        raise _wrong(file, f"what its `{MAKER}` returns has no {has_not}")
    return made


@cache
def maker_in(file: Path) -> Callable[[], Cloner]:
    """Imports the file, once in a process. Raises `CannotStart`."""
    if not file.is_file():
        raise _wrong(file, "there is no such file")
    imported = in_time(lambda: import_file(file), IMPORT_SECONDS)
    if imported.error is not None:
        raise _wrong(file, f"it cannot be imported: {_named(imported.error)}")
    maker: Callable[[], Cloner] | None = getattr(imported.value, MAKER, None)
    if not callable(maker):
        raise _wrong(file, f"it has no function `{MAKER}`")
    return maker


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _wrong(file: Path, why: str) -> CannotStart:
    return CannotStart(
        f"`mockingbird.cloner` is `{file}`, and {why}\n"
        "hint: compare it with docs/voice-cloner.md, or set `cloner` to `mimic` or `off`"
    )
