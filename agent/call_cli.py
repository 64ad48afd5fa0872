"""The command line of one call: `./june call ROOM`."""

from typing import Annotated

import typer

from agent.command import ConfigOption, JsonOption, settings_without_logs, show


def call(
    context: typer.Context,
    room: Annotated[str, typer.Argument(metavar="ROOM", help="It is made if there is none.")],
    *,
    identity: Annotated[
        str | None,
        typer.Option(
            help="Who joins with the printed token, and whom June listens to. "
            "Otherwise she listens to the first who joins."
        ),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="What June speaks in this call, such as `de`.")
    ] = None,
    persona: Annotated[
        str | None, typer.Option(help="Who June is in this call, in words for the language model.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Send June into a room of the server at LIVEKIT_URL, and print how to join it.

    A worker must run, here or elsewhere: `./june start`.
    """
    from agent.call_command import Wanted, called

    settings = settings_without_logs(config or context.obj)
    show(called(settings, Wanted(room, identity, language, persona), as_json=as_json))
