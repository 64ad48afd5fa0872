"""What LiveKit runs in a job process: prewarm, the call, its end.

These are module-level functions bound with `functools.partial`, because they travel to the job
processes by pickle. The process serves one call and exits.
"""

from collections.abc import Sequence
from pathlib import Path

import structlog
from livekit.agents import JobContext, JobProcess

from agent.config import Config
from agent.counting import begin_counting
from agent.logs import setup_job
from agent.metrics import CALLS, CALLS_ACTIVE, CALLS_ENDED
from agent.models.build import local_speech
from agent.room_call import RoomCall
from agent.skills_found import skills_of
from agent.turns import load_vad
from session.prices import load_public_prices

log = structlog.get_logger(__name__)


def prewarm(process: JobProcess, *, config: Config, socket: Path | None) -> None:
    """Load what a call needs, before there is one."""
    setup_job(config.secrets)
    begin_counting()
    if config.otlp_endpoint is not None:
        _trace(config.otlp_endpoint, config.secrets)
    process.userdata["vad"] = load_vad()
    process.userdata["speech"] = local_speech(socket) if config.needs_local_speech else None
    process.userdata["skills"] = skills_of(config)
    if config.is_hosted:
        load_public_prices()


def _trace(endpoint: str, secrets: Sequence[str]) -> None:
    """Before there is a call, whose outermost span begins before it is answered."""
    # Where nobody asks for traces, nothing of them is imported.
    from agent.traces import send_traces  # noqa: PLC0415

    try:
        send_traces(endpoint, secrets)
    except Exception as error:  # noqa: BLE001  whatever is wrong with it, calls are answered
        log.warning("traces.none", error=type(error).__name__)


async def answer(ctx: JobContext, *, config: Config, worker_key: str) -> None:
    """The entrypoint."""
    call = RoomCall(
        ctx,
        config,
        speech=ctx.proc.userdata["speech"],
        detector=ctx.proc.userdata["vad"],
        owner=f"{worker_key}/{ctx.job.id}",
        skills=ctx.proc.userdata["skills"],
    )
    ctx.proc.userdata["call"] = call
    CALLS.inc()
    CALLS_ACTIVE.inc()
    await call.answer()


async def end(ctx: JobContext) -> None:
    """For `on_session_end`, which LiveKit calls for every job, however it ended."""
    call: RoomCall | None = ctx.proc.userdata.get("call")
    if call is not None:
        try:
            await call.aclose()
        finally:
            CALLS_ACTIVE.dec()
            CALLS_ENDED.labels(reason=call.reason.value).inc()
