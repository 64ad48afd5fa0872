"""`./june` without a command: everything on this machine, so that a person can talk at once."""

import secrets
from contextlib import AsyncExitStack
from datetime import timedelta

from agent.command import say_progress
from agent.config import Config, LiveKitSettings
from agent.livekit_binary import find_or_build
from agent.livekit_client import TOOLS, NoClient, install_client
from agent.livekit_server import LoopbackServer
from agent.rooms import LiveKitClient
from agent.worker import run_worker

WHILE_IT_RUNS = timedelta(days=30)
"""A loopback server's key lives no longer than the server, so its token need not expire first."""

TEN_MINUTES = timedelta(minutes=10)
"""To join a server that others use."""


async def up(config: Config) -> int:
    """A LiveKit server on loopback unless LIVEKIT_URL names one, June, and how to join her.

    Things end in the opposite order: calls with a sentence, then June, then the server.
    """
    # Whoever presses Ctrl-C at a terminal wants calls to say goodbye now.
    config = config.model_copy(
        update={"worker": config.worker.model_copy(update={"drain_seconds": 0})}
    )
    async with AsyncExitStack() as stack:
        join_within = TEN_MINUTES
        if config.livekit.url is not None and not config.livekit.missing:
            async with LiveKitClient(config.livekit, agent_name=config.agent.name) as client:
                await client.check()
        if config.livekit.url is None:
            binary = await find_or_build(
                server_bin=config.livekit.server_bin, tools_dir=TOOLS, progress=say_progress
            )
            server = await stack.enter_async_context(LoopbackServer(binary))
            config = _with(config, server)
            join_within = WHILE_IT_RUNS
        await _install_page()
        room = f"june-{secrets.token_hex(2)}"
        is_said = False

        def on_ready(http_port: int) -> None:
            nonlocal is_said
            if not is_said:
                _say_how_to_join(config, http_port, room, join_within)
            is_said = True

        return await run_worker(config, on_ready=on_ready, expected=(room,))


async def _install_page() -> None:
    """June answers calls without it, so what is wrong is only said."""
    try:
        await install_client(progress=say_progress)
    except NoClient as error:
        say_progress(f"she runs without her page: {error}")


def _with(config: Config, server: LoopbackServer) -> Config:
    """Use the server that was just started."""
    livekit = LiveKitSettings(url=server.url, api_key=server.api_key, api_secret=server.api_secret)
    return config.model_copy(update={"livekit": livekit})


def _say_how_to_join(config: Config, http_port: int, room: str, join_within: timedelta) -> None:
    client = LiveKitClient(config.livekit, agent_name=config.agent.name)
    token = client.caller_token(room, "caller", join_within=join_within)
    print(
        "\nJune is ready. Talk to her in a browser:\n\n"
        f"  {_page(config.http.host, http_port)}\n\n"
        "or join with any LiveKit client; she comes when you do.\n\n"
        f"  address  {config.livekit.url}\n"
        f"  room     {room}\n"
        f"  token    {token}\n"
        f"           (to join within {_in_words(join_within)})\n\n"
        "Ctrl-C ends everything.\n",
        flush=True,
    )


def _page(host: str, port: int) -> str:
    """Where this machine's own browser finds it: there it gives the page the microphone."""
    named = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  compared only
    return f"http://{f'[{named}]' if ':' in named else named}:{port}/"


def _in_words(time: timedelta) -> str:
    return f"{time.days} days" if time.days else f"{time.seconds // 60} minutes"
