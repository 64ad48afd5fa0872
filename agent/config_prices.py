"""What is wrong with the operator's prices, which are a table for each model, by its name."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import ErrorDetails

from agent.config_errors import Problem
from session.prices import Price

RULE = "must be dollars, 0 or more"


def is_of_a_price(error: ErrorDetails) -> bool:
    """Whether pydantic tells of a model's table or something in it."""
    return error["loc"][0] == "prices" and len(error["loc"]) > 1


def wrong_price(path: Path, error: ErrorDetails) -> Problem:
    """One thing that pydantic found in `[prices]`."""
    _, model, *inner = map(str, error["loc"])
    where = f"`{path}`: `{'.'.join(map(_key, ('prices', model, *inner)))}`"
    value = error["input"]
    match error["type"], inner:
        case "value_error", _:
            return Problem(f"{where}:", error["msg"].removeprefix("Value error, "))
        case _, []:
            return Problem(where, f"must be a table, `[prices.{_key(model)}]`", value)
        case "extra_forbidden", _ if isinstance(value, dict):
            name = ".".join([model, *inner, *_path(value)])
            return Problem(where, f'is not a price; did you mean `[prices."{name}"]`?')
        case "extra_forbidden", [name, *_]:
            near = difflib.get_close_matches(name, Price.model_fields, n=1)
            meant = f"; did you mean `{near[0]}`?" if near else f"; there are {_all()}"
            return Problem(where, f"is not a setting{meant}", value)
    is_switch = Price.model_fields[inner[0]].annotation is bool
    return Problem(where, "must be `true` or `false`" if is_switch else RULE, value)


def _path(table: Mapping[str, Any]) -> list[str]:
    """The names below which a table's values stand: TOML reads each dot as another table."""
    match list(table.items()):
        case [(name, dict() as inner)]:
            return [name, *_path(inner)]
    return []


def _key(name: str) -> str:
    """As TOML writes it."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def _all() -> str:
    return ", ".join(f"`{name}`" for name in Price.model_fields)
