"""An ability: a typed async function with a docstring, from which everything else follows."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, create_model

Function = Callable[..., Awaitable[str]]

WANTS_PORTS = "Ports"


@dataclass(frozen=True)
class Ability:
    """One function. A model uses it as a tool, a caller by phrase."""

    name: str
    description: str
    """For the model: the docstring's first paragraph."""
    arguments: type[BaseModel]
    """What it takes, without the ports. It refuses what it does not know."""
    function: Function
    ports_argument: str | None
    """Under which name it wants `Ports`, if it does."""
    phrases: tuple[str, ...] = ()
    """By which a caller uses it, as `skills.phrases` reads them."""
    heard_as: tuple[str, ...] = ()
    """What speech recognition really makes of the phrases."""
    last_words: bool = False
    """Whether something said after a phrase takes it back: "Goodbye. No, wait." """

    @property
    def file(self) -> str:
        return inspect.getsourcefile(self.function) or "?"

    @property
    def slots(self) -> Mapping[str, Any]:
        """The type of each argument, as it is annotated."""
        hints = get_type_hints(self.function, include_extras=True)
        return {name: hints[name] for name in self.arguments.model_fields}

    def use(self, ports: Any, arguments: BaseModel) -> Awaitable[str]:
        """Begin it with arguments that were validated."""
        given = {name: getattr(arguments, name) for name in type(arguments).model_fields}
        if self.ports_argument is not None:
            given[self.ports_argument] = ports
        return self.function(**given)


@overload
def ability(function: Function) -> Ability: ...


@overload
def ability(
    function: None = None,
    *,
    phrases: Sequence[str] = (),
    heard_as: Sequence[str] = (),
    last_words: bool = False,
) -> Callable[[Function], Ability]: ...


def ability(
    function: Function | None = None,
    *,
    phrases: Sequence[str] = (),
    heard_as: Sequence[str] = (),
    last_words: bool = False,
) -> Ability | Callable[[Function], Ability]:
    """Make an ability of an async function.

    Its name and docstring are the tool's, its parameters the arguments' schema. A parameter that
    is annotated `Ports` is given June's ports. It returns what the caller is told.

    Raises:
        TypeError: if it is not async, has no docstring, or a parameter has no type.
    """

    def make(function: Function) -> Ability:
        return replace(_made(function, phrases, heard_as), last_words=last_words)

    return make if function is None else make(function)


def _made(function: Function, phrases: Sequence[str], heard_as: Sequence[str]) -> Ability:
    name = function.__name__
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"the ability `{name}` must be an `async def`")
    if isinstance(phrases, str) or isinstance(heard_as, str):
        raise TypeError(f"the phrases of the ability `{name}` must be a list")
    if not (described := inspect.getdoc(function)):
        raise TypeError(
            f"the ability `{name}` needs a docstring: it tells the model when to use it"
        )
    hints = get_type_hints(function, include_extras=True)
    ports_argument = None
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints:
            raise TypeError(f"`{parameter.name}` of the ability `{name}` has no type")
        if getattr(hints[parameter.name], "__name__", "") == WANTS_PORTS:
            ports_argument = parameter.name
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    arguments = create_model(
        name,
        __config__=ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True),
        __module__=function.__module__,
        **fields,
    )
    return Ability(
        name=name,
        description=described.partition("\n\n")[0].replace("\n", " "),
        arguments=arguments,
        function=function,
        ports_argument=ports_argument,
        phrases=tuple(phrases),
        heard_as=tuple(heard_as),
    )
