"""What every store can hold."""

import math

from pydantic import JsonValue

from session.records import Message, SkillSession, Unheard


def storable(text: str) -> str:
    """What UTF-8 cannot hold (lone surrogates) and NUL are replaced."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def storable_json(value: JsonValue) -> JsonValue:
    """A copy with such texts; a number that JSON does not have is null."""
    match value:
        case str():
            return storable(value)
        case float() if not math.isfinite(value):
            return None
        case list():
            return [storable_json(one) for one in value]
        case dict():
            return {storable(key): storable_json(one) for key, one in value.items()}
        case _:
            return value


def storable_message(message: Message) -> Message:
    """A copy with such texts."""
    texts = {name: storable(value) for name, value in message if isinstance(value, str)}
    return message.model_copy(update=texts)


def storable_skill(skill: SkillSession) -> SkillSession:
    """A copy with such texts."""
    unheard, under = skill.unheard, skill.under
    if unheard is not None:
        unheard = Unheard(said=storable(unheard.said), heard=storable(unheard.heard))
    return skill.model_copy(
        update={
            "name": storable(skill.name),
            "state": {storable(key): storable_json(one) for key, one in skill.state.items()},
            "unheard": unheard,
            "under": None if under is None else storable_skill(under),
        }
    )
