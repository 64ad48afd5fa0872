"""The worker: registers with LiveKit, admits calls, keeps the models, drains."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path

import structlog
from livekit.agents import AgentServer, WorkerPermissions
from livekit.protocol.models import TrackSource

from agent import job
from agent.admission import Admission
from agent.api.app import build_app
from agent.api.parts import Parts
from agent.api.server import HttpServer
from agent.config import Config
from agent.dead_jobs import DeadJobs
from agent.errors import CannotStart
from agent.exposition import Exposition, folder_of_calls
from agent.guest_tokens import LiveKitGuestTokens
from agent.metrics import STORE_ERRORS
from agent.models.check import say_problems
from agent.models.local.supervisor import ModelProcess
from agent.on_duty import OnDuty
from agent.prepare import speak_lines
from agent.rooms import LiveKitClient
from agent.skills_found import skills_of
from agent.turns import load_vad
from agent.voices.choice import maker_in
from agent.voices.sweep import Sweep
from agent.watcher import Watcher
from agent.worker_state import WorkerState
from session import SessionService, StoreError, open_sessions
from session.cleaning import Cleaning

log = structlog.get_logger(__name__)

GOODBYE_SECONDS = 25.0
"""How long calls have for their last sentence when the time to drain is over."""


def build_server(config: Config, *, socket: Path | None = None) -> AgentServer:
    """LiveKit's worker for June. Without `socket` a job loads what local models it needs itself."""
    livekit = config.livekit
    return AgentServer(
        ws_url=livekit.url,
        api_key=livekit.api_key,
        api_secret=livekit.api_secret.get_secret_value() if livekit.api_secret else None,
        setup_fnc=partial(job.prewarm, config=config, socket=socket),
        # June's job modules are imported once, in the process that the job processes fork from.
        preload_modules=["agent.job", "agent.preloaded"],
        num_idle_processes=config.worker.idle_processes,
        # Admission decides; the framework's own threshold would count a burst as a full worker.
        load_threshold=float("inf"),
        # A LiveKit server that is away is waited for, for ever.
        max_retry=sys.maxsize,
        host="127.0.0.1",
        port=config.worker.health_port,
        prometheus_multiproc_dir=folder_of_calls(),
        permissions=WorkerPermissions(can_publish_sources=[TrackSource.MICROPHONE]),
    )


async def run_worker(
    config: Config,
    *,
    strict: bool = False,
    on_ready: Callable[[int], None] = lambda _: None,
    expected: Collection[str] = (),
) -> int:
    """Answer calls until a signal comes; the exit code.

    `on_ready` gets the port of the HTTP side, and may come more than once.

    Whoever joins an `expected` room is sent a June.

    With `strict` a provider that cannot be used ends it; otherwise it is said, and June starts.
    """
    _check(config)
    worker_key = secrets.token_hex(8)
    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with AsyncExitStack() as stack:
        livekit = await stack.enter_async_context(
            LiveKitClient(
                config.livekit,
                agent_name=config.agent.name,
                grace_seconds=config.call.grace_seconds,
            )
        )
        sessions = await stack.enter_async_context(
            open_sessions(
                config.session,
                guest_tokens=LiveKitGuestTokens(livekit),
                on_fault=STORE_ERRORS.inc,
            )
        )
        registry = await asyncio.to_thread(skills_of, config)  # two of one name must end `start`
        if config.cloner_file is not None:
            await asyncio.to_thread(maker_in, config.cloner_file)  # and so must a wrong one
        await asyncio.to_thread(load_vad)  # what every job needs: missing, it must end `start`
        state = WorkerState()
        watcher = Watcher(
            livekit,
            sessions,
            server=config.livekit.url or "",
            worker_key=worker_key,
            expected=expected,
        )
        exposition = await stack.enter_async_context(Exposition(sessions))
        parts = Parts(
            config=config,
            sessions=sessions,
            rooms=livekit,
            registry=registry,
            worker=state,
            metrics=exposition.text,
            look_again=watcher.look_soon,
        )
        http = await stack.enter_async_context(
            HttpServer(build_app(parts), config.http.host, config.http.port)
        )
        usable = await say_problems(config, strict=strict)
        socket = None
        if config.needs_local_speech:
            socket = (await stack.enter_async_context(ModelProcess())).socket
        if "tts" in usable:
            await speak_lines(config, socket, sessions)
        server = build_server(config, socket=socket)
        admission = Admission(
            server, sessions, max_calls=config.worker.max_calls, worker_key=worker_key
        )
        server.load_fnc = admission.load
        state.begins(server, admission)
        on_duty = await stack.enter_async_context(
            OnDuty(sessions, state, worker_key=worker_key, max_calls=config.worker.max_calls)
        )
        await stack.enter_async_context(Cleaning(sessions))
        await stack.enter_async_context(Sweep(config, sessions))
        await stack.enter_async_context(watcher)
        dead_jobs = await stack.enter_async_context(
            DeadJobs(
                sessions,
                lambda: {info.job.id for info in server.active_jobs},
                worker_key=worker_key,
                on_death=watcher.look_soon,
            )
        )
        server.rtc_session(
            partial(job.answer, config=config, worker_key=worker_key),
            agent_name=config.agent.name,
            on_request=admission.decide,
            on_session_end=job.end,
        )

        def on_registered(*_: object) -> None:
            log.info("worker.ready", agent=config.agent.name)
            dead_jobs.begin()
            on_duty.begin()
            watcher.begin()
            on_ready(http.port)

        server.on("worker_registered", on_registered)
        running = asyncio.create_task(server.run(), name="june.worker")
        stopping = asyncio.create_task(stop.wait(), name="june.worker.stop")
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            stopping.cancel()
            running.result()
        else:
            await _drain(server, sessions, worker_key, config.worker.drain_seconds)
            await running
    log.info("worker.stopped")
    return 0


def _check(config: Config) -> None:
    """What `start` needs beyond a valid configuration."""
    if config.store.url.startswith("memory:"):
        raise CannotStart(
            '`[store] url = "memory:"` keeps nothing between processes, and each call is one\n'
            "hint: remove the line, and June keeps a file in her data directory"
        )
    if missing := config.livekit.missing:
        raise CannotStart(
            f"`{'`, `'.join(missing)}` {'is' if len(missing) == 1 else 'are'} not set\n"
            + (
                "hint: run `./june` to have a LiveKit server on this machine, or "
                f"`export {missing[0]}=…` for yours"
                if config.livekit.url is None
                else f"hint: `export {missing[0]}=…`, as the server at `LIVEKIT_URL` knows it"
            )
        )


async def _drain(
    server: AgentServer, sessions: SessionService, worker_key: str, seconds: int
) -> None:
    """Take no more calls, let those that run end, then ask them to say goodbye."""
    log.info("worker.draining", calls=len(server.active_jobs), seconds=seconds)
    with suppress(TimeoutError):
        # LiveKit reads 0 as "wait for ever".
        await server.drain(timeout=max(1, seconds) if server.active_jobs else 1)
    if server.active_jobs:
        try:
            await sessions.ask_to_leave(f"{worker_key}/")
        except StoreError as error:
            log.warning("goodbye.unasked", error=str(error))
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while server.active_jobs:  # noqa: ASYNC110  LiveKit tells nobody when the last ends
                    await asyncio.sleep(0.2)
    await server.aclose()


def _stop_on_signals(stop: asyncio.Event) -> None:
    """The first SIGTERM or SIGINT drains, the second ends at once."""

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
