"""What is wrong with an item of a stage's `fallback`, which is a word or a table of settings."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import ErrorDetails

from agent.config_errors import Problem, rule
from agent.settings_models import ITEM_OF_FALLBACK, LlmModel, Server, SttModel, TtsModel

TABLES: Mapping[str, type[Server]] = {"stt": SttModel, "llm": LlmModel, "tts": TtsModel}


def is_of_an_item(error: ErrorDetails) -> bool:
    """Whether pydantic tells of an item, or of something in one."""
    match error["loc"]:
        case (section, "fallback", int(), *_):
            return section in TABLES
    return False


def wrong_item(path: Path, values: Mapping[str, Any], error: ErrorDetails) -> Problem:
    """One thing that pydantic found in a list of the file. Its items are counted from 1."""
    section, _, index, kind, *inner = error["loc"]
    place = f"item {int(index) + 1} of `{section}.fallback`"
    item = values[str(section)]["fallback"][index]
    if not inner:
        is_near = kind == "word" and difflib.get_close_matches(item.lower(), ["local"])
        meant = "; did you mean `local`?" if is_near else ""
        return Problem(f"`{path}`: {place}", f"must be {ITEM_OF_FALLBACK}{meant}", item)
    name = str(inner[0])
    known = TABLES[str(section)].model_json_schema()["properties"]
    where = f"`{path}`: `{name}` in {place}"
    if name in known:
        return Problem(where, rule(known[name]), item[name])
    if near := difflib.get_close_matches(name, known, n=1):
        return Problem(where, f"is not a setting; did you mean `{near[0]}`?", item[name])
    return Problem(where, f"is not a setting; there are {', '.join(f'`{one}`' for one in known)}")
