"""What the commands share: their options, their settings, and how they answer."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from agent.config import Config, load
from agent.errors import CannotStart
from agent.logs import setup_parent
from agent.redact import printable
from session import SessionService, StoreError, StoreUnusable, UnknownSession, open_sessions

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings; otherwise `agent.toml` in this folder, if any."),
]

JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


def kept_sessions(config: Config) -> SessionService:
    """What a worker keeps. Raises `CannotStart` where that is nothing between processes."""
    if config.store.url.startswith("memory:"):
        raise CannotStart(
            '`[store] url = "memory:"` keeps nothing between processes: there is nothing to see\n'
            "hint: name the store that the worker uses, in `[store] url` or `JUNE_STORE__URL`"
        )
    return open_sessions(config.session)


def settings_without_logs(path: Path | None) -> Config:
    """The settings, with only what goes wrong told, on standard error."""
    settings = load(path)
    setup_parent(quiet(settings))
    return settings


def quiet(settings: Config) -> Config:
    """A person reads along: of the log only what went wrong."""
    logs = settings.logs.model_copy(update={"level": "warning"})
    return settings.model_copy(update={"logs": logs})


def show(text: Coroutine[Any, Any, str]) -> None:
    """What a command says, or in a sentence why it cannot."""
    try:
        typer.echo(asyncio.run(text))
    except StoreUnusable:
        raise
    except UnknownSession as error:
        _fail(error, "run `./june sessions list` to see every id")
    except StoreError as error:
        _fail(error, "try again in a moment")


def say_progress(line: str) -> None:
    """Of what takes a while; what the command answers goes elsewhere."""
    typer.echo(f"june: {line}", err=True)


def _fail(error: Exception, hint: str) -> NoReturn:
    typer.echo(f"error: {printable(str(error))}\nhint: {hint}", err=True)
    raise typer.Exit(1)
