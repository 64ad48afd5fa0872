"""How June is: for people, for load balancers, for Prometheus."""

import asyncio
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel

from agent.api.access import Who
from agent.api.errors import AGAIN_IN_SECONDS
from agent.api.figures import Pulse
from agent.api.parts import Parts
from agent.api.problems import Problem, answers
from agent.api.reasons import troubles, unready
from agent.version import VERSION
from session.circuits import CircuitState
from session.records import Money

METRICS_SECONDS = 5.0


class Features(BaseModel):
    """What this June is made of."""

    stt: Literal["openai", "local"]
    """Who hears; `openai` is every server that speaks its protocol."""
    llm: Literal["openai", "local"]
    tts: Literal["openai", "local"]
    skills: list[str]
    mockingbird: str
    """Who makes a voice of a caller's: `mimic`, `openai`, a file of the operator's, or `off`."""


class Health(BaseModel):
    """`status` is `degraded` where a caller may notice something, for the reasons in words."""

    status: Literal["ok", "degraded"]
    version: str
    reasons: list[str] | None = None
    """From here on for the operator only."""
    features: Features | None = None
    store: Literal["ok", "away"] | None = None
    livekit: Literal["ok", "away"] | None = None
    providers: dict[str, CircuitState] | None = None
    """Those that any process has asked; null while the store is away, like the money."""
    money: Money | None = None
    active_calls: int | None = None
    """Of this worker."""
    is_draining: bool | None = None


class Ready(BaseModel):
    """That calls are taken."""

    ready: Literal[True] = True


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(tags=["health"], responses=answers())
    pulse = Pulse(parts.sessions)

    # `curl -I` and some load balancers ask with HEAD, which the framework does not add to GET.
    @routes.head("/healthz", include_in_schema=False)
    @routes.get("/healthz", response_model_exclude_unset=True)
    async def health(request: Request) -> Health:
        """Always 200 while the process lives: to be degraded is no reason to be killed."""
        figures = await pulse.take()
        reasons = troubles(
            figures,
            parts.config.limits,
            parts.worker,
            max_calls=parts.config.worker.max_calls,
        )
        told = Health(status="degraded" if reasons else "ok", version=VERSION)
        if request.state.who is not Who.OPERATOR:
            return told
        return told.model_copy(
            update={
                "reasons": reasons,
                "features": _features(parts),
                "store": "away" if figures is None else "ok",
                "livekit": "ok" if parts.worker.is_registered else "away",
                "providers": None if figures is None else dict(figures.providers),
                "money": None if figures is None else figures.money,
                "active_calls": parts.worker.calls,
                "is_draining": parts.worker.is_draining,
            }
        )

    @routes.head("/readyz", include_in_schema=False)
    @routes.get("/readyz")
    async def ready() -> Ready:
        """503 while June starts or drains, and while LiveKit or the store is away."""
        why = unready(await pulse.take(), parts.worker)
        if why is not None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                why,
                reason="not_ready",
                retry_after_seconds=AGAIN_IN_SECONDS,
            )
        return Ready()

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        """Of all processes, in Prometheus' text format."""
        try:
            async with asyncio.timeout(METRICS_SECONDS):
                text = await parts.metrics()
        except TimeoutError:
            detail = f"the metrics were not collected within {METRICS_SECONDS:g} s"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail) from None
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes


def _features(parts: Parts) -> Features:
    config = parts.config
    return Features(
        stt=config.provider_of("stt"),
        llm=config.provider_of("llm"),
        tts=config.provider_of("tts"),
        skills=[skill.name for skill in parts.registry.skills],
        mockingbird=config.mockingbird.cloner_in_use,
    )
