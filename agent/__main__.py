"""The command line: `./june` and its commands."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.call_cli import call
from agent.command import (
    ConfigOption,
    JsonOption,
    quiet,
    say_progress,
    settings_without_logs,
    show,
)
from agent.config import ConfigError, counting_together, load
from agent.errors import CannotStart
from agent.money_cli import money
from agent.redact import printable
from session import StoreUnusable

app = typer.Typer(
    name="june",
    help="June answers calls. Without a command she brings up everything on this machine.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

sessions = typer.Typer(
    help="List, read and delete what June keeps. A worker may go on running.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(sessions, name="sessions")

app.add_typer(money, name="money")


@app.callback(invoke_without_command=True)
def june(context: typer.Context, config: ConfigOption = None) -> None:
    """June answers calls. Without a command: a LiveKit server, June, and how to join, all here."""
    context.obj = config
    if context.invoked_subcommand is None:
        settings = load(config)
        with counting_together():
            from agent.logs import setup_parent
            from agent.up import up

            setup_parent(settings)
            _run(up(settings))


@app.command()
def start(
    context: typer.Context,
    config: ConfigOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End if a configured provider cannot be used.")
    ] = False,
) -> None:
    """Run the worker for the LiveKit server at LIVEKIT_URL.

    At its start June asks each configured provider for its models, and says what is wrong.
    """
    settings = load(config or context.obj)
    with counting_together():
        from agent.logs import setup_parent
        from agent.worker import run_worker

        setup_parent(settings)
        _run(run_worker(settings, strict=strict))


app.command()(call)


@app.command()
def page() -> None:
    """Install what June's page needs, once: `livekit-client`, from npm.

    `./june` does so by itself; `./june start` only serves what is there. Without npm a Node is
    fetched from PyPI, and deleted again afterwards.
    """
    from agent.livekit_client import install_client

    print(asyncio.run(install_client(progress=say_progress)))


@app.command()
def console(
    context: typer.Context,
    *,
    text: Annotated[bool, typer.Option("--text", help="Type instead of speaking.")] = False,
    wav: Annotated[
        Path | None,
        typer.Option("--wav", help="Play this recording to June: wav, mp3, ogg, flac, m4a…"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="With --wav: write June's voice to this wav file.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="With --wav: four times as fast as real time.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            help="With --wav: what June chooses by chance is the same each time, such as the words "
            "in which a recording is to consent to the cloning of its voice.",
        ),
    ] = None,
    input_device: Annotated[
        str | None, typer.Option("--input-device", help="Microphone: number or part of its name.")
    ] = None,
    output_device: Annotated[
        str | None, typer.Option("--output-device", help="Loudspeaker: number or part of its name.")
    ] = None,
    list_devices: Annotated[
        bool, typer.Option("--list-devices", help="Show microphones and loudspeakers, and end.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show tools, timings and the log.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Talk to June here, without LiveKit. Say or type `bye` to end it.

    By microphone and loudspeaker, with headphones; by `--text`, also in a pipe: `echo hello |
    ./june console --text`; or by recordings: `./june console --wav question.wav --out answer.wav`.

    It is the same June as in a room, with a memory that lasts as long as the call.
    """
    from agent.console.way import Way, device
    from agent.logs import setup_parent

    way = Way(text, wav, out, fast, device(input_device), device(output_device), seed)
    way.check()
    if list_devices:
        from agent.console.portaudio import devices, load_portaudio

        print(devices(load_portaudio()))
        return
    settings = load(config or context.obj)
    setup_parent(settings if verbose else quiet(settings))
    if text:
        from agent.console.text import talk_by_text

        _run(talk_by_text(settings, verbose=verbose))
    elif wav is not None:
        from agent.console.hurry import run_hurried
        from agent.console.wav import talk_by_wav

        call = talk_by_wav(settings, wav, out, seed=seed, is_fast=fast, verbose=verbose)
        if fast:
            raise typer.Exit(run_hurried(call))
        _run(call)
    else:
        from agent.console.microphone import talk_by_microphone

        _run(talk_by_microphone(settings, way, verbose=verbose))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def test(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also what is slow.")] = False,
) -> None:
    """Check style, types, units, and calls in a real room.

    More words go to pytest, which then runs alone: `./june test tests/test_brain.py -k time`.
    """
    from agent.checks import run_checks

    raise typer.Exit(run_checks(everything=everything, pytest_arguments=context.args))


@sessions.command("list")
def list_sessions(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="So many at most.")] = 50,
    skip: Annotated[int, typer.Option(min=0, max=1_000_000, help="Leave out the first.")] = 0,
    user: Annotated[str | None, typer.Option(help="Of this user: an identity, not a hash.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List sessions; the ones that showed life last come first."""
    from agent.sessions_command import listed

    settings = settings_without_logs(config or context.obj)
    show(listed(settings, limit=limit, skip=skip, user=user, as_json=as_json))


@sessions.command("show")
def show_session(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="ID")],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one session, how fast June replied, what it cost, and what was said."""
    from agent.sessions_command import shown

    show(shown(settings_without_logs(config or context.obj), session_id, as_json=as_json))


@sessions.command("delete")
def delete_session(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="ID")],
    config: ConfigOption = None,
) -> None:
    """Delete one session, with all that was said in it."""
    from agent.sessions_command import deleted

    show(deleted(settings_without_logs(config or context.obj), session_id))


@sessions.command("forget")
def forget_user(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="An identity, not a hash.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = None,
) -> None:
    """Delete all that is kept of a user, and print a receipt."""
    from agent.sessions_command import forgotten

    settings = settings_without_logs(config or context.obj)
    if not yes:
        if not sys.stdin.isatty():
            raise CannotStart(
                "what is forgotten cannot be brought back, and nobody is here to be asked\n"
                "hint: add `--yes`"
            )
        typer.confirm(f"Delete all that June keeps of `{printable(user)}`?", abort=True)
    show(forgotten(settings, user))


@app.command(context_settings={"help_option_names": []})
def skills(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="All about this skill.")] = "",
    *,
    as_json: JsonOption = False,
    wants_help: Annotated[
        bool, typer.Option("--help", help="Of this command; with a NAME of that skill.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """List what June can do, each skill with some of the phrases that it is asked for by."""
    from agent.skills_command import listed, shown

    if wants_help and not name:
        typer.echo(context.get_help())
        return
    settings = settings_without_logs(config or context.obj)
    typer.echo(
        shown(settings, name, as_json=as_json) if name else listed(settings, as_json=as_json)
    )


def _run(command: Coroutine[Any, Any, int]) -> None:
    raise typer.Exit(asyncio.run(command))


def main() -> None:
    try:
        app(prog_name="./june")
    except (ConfigError, CannotStart, StoreUnusable) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
