"""Shows skills to the model, and to June herself: a phrase uses the same tools as a model."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from livekit.agents import RunContext, function_tool, llm
from pydantic import BaseModel, ConfigDict, create_model

from session.outcomes import ANSWER, BEGIN, LEAVE
from skills import AnyMode
from skills.registry import Registry
from skills.triggers import slots_of_mode

SkillTool = llm.RawFunctionTool[..., Any]

TEXT = {"type": "string"}

Used = Callable[[str, Mapping[str, Any], RunContext[None]], Awaitable[str | None]]
"""Given the tool's name, its arguments as they came, and LiveKit's context; what it answers."""


def tools_of(registry: Registry, use: Used) -> list[SkillTool]:
    """All of them; which ones a model is shown, `shown` decides from turn to turn."""
    own = {
        LEAVE: "Go back to normal conversation when the caller asks for it.",
        ANSWER: "Pass on what the caller answered.",
    }
    schemas = [
        *(_schema(one.name, one.description, one.arguments) for one in registry.abilities.values()),
        *(
            _told(BEGIN + mode.name, mode.description, dict.fromkeys(slots_of_mode(mode), TEXT))
            for mode in registry.modes.values()
        ),
        *(_schema(name, description, Nothing) for name, description in own.items()),
    ]
    return [_tool(schema, use) for schema in schemas]


class Nothing(BaseModel):
    """No arguments."""


def begin_arguments(mode: AnyMode) -> type[BaseModel]:
    """What a mode may be begun with: the slots of its triggers, none of which must be given.

    For the model each is a text: fifty names of languages would be paid for in every request.
    """
    fields: dict[str, Any] = {
        name: (kind | str | None, None) for name, kind in slots_of_mode(mode).items()
    }
    return create_model(
        f"begin_{mode.name}",
        __config__=ConfigDict(extra="forbid", hide_input_in_errors=True),
        **fields,
    )


def is_for_model(name: str, registry: Registry, mode: AnyMode | None) -> bool:
    """Whether a model may use this tool while this mode, or none, has the floor."""
    if name == ANSWER:
        return False
    if name == LEAVE:
        return mode is not None
    of_modes = {one.name: other for other in registry.modes.values() for one in other.abilities}
    if name in of_modes:
        return of_modes[name] is mode
    return mode is None or not mode.takes_all


def _schema(name: str, description: str, arguments: type[BaseModel]) -> dict[str, Any]:
    """Short, because the model is told of every tool in every request."""
    full = arguments.model_json_schema()
    properties = {key: _slim(rules) for key, rules in full.get("properties", {}).items()}
    more = {key: full[key] for key in ("$defs", "required") if key in full}
    return _told(name, description, properties, **more)


def _told(
    name: str, description: str, properties: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    parameters = {"type": "object", "properties": dict(properties), **more}
    return {"name": name, "description": description, "parameters": parameters}


def _slim(rules: dict[str, Any]) -> dict[str, Any]:
    """Without titles, and without the null that stands for "not given"."""
    some = [one for one in rules.get("anyOf", ()) if one != {"type": "null"}]
    kind = some[0] if len(some) == 1 else {"anyOf": some} if some else {}
    left = {key: value for key, value in rules.items() if key not in ("title", "anyOf")}
    if left.get("default", "") in (None, ""):
        left.pop("default", None)
    return {**kind, **left}


def _tool(schema: dict[str, Any], use: Used) -> SkillTool:
    async def run(raw_arguments: dict[str, object], context: RunContext[None]) -> str | None:
        return await use(schema["name"], raw_arguments, context)

    return function_tool(run, raw_schema=schema)
