"""How June is: for people, for load balancers, for Prometheus."""

import asyncio
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from agent.api.access import Who
from agent.api.parts import Parts
from agent.api.problems import Problem, answers
from agent.version import VERSION
from session import StoreError
from session.circuits import CircuitState, Phase
from session.records import Money

STORE_SECONDS = 1.0
DEGRADED = 0.9
"""Of a day's money."""

FEW_REQUESTS = 50
"""Of a day's count: with fewer left, June is degraded."""


class Health(BaseModel):
    """`status` is `degraded` where a caller may notice something, for the reasons in words."""

    status: str
    version: str
    reasons: list[str] = []
    features: dict[str, Any] | None = None
    """From here on for the operator only."""
    store: str | None = None
    livekit: str | None = None
    providers: dict[str, CircuitState] | None = None
    money: Money | None = None
    active_calls: int | None = None


class Ready(BaseModel):
    """That calls are taken."""

    ready: bool = True


class Name(BaseModel):
    """What this is."""

    name: str
    version: str


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(tags=["health"], responses=answers())

    @routes.get("/")
    async def name() -> Name:
        return Name(name="june", version=VERSION)

    @routes.get("/healthz", response_model_exclude_none=True)
    async def health(request: Request) -> Health:
        """Always 200 while the process lives."""
        found = await _looked(parts)
        if request.state.who is not Who.OPERATOR:
            return Health(status=found.status, version=VERSION)
        return found

    @routes.get("/readyz")
    async def ready() -> Ready:
        """503 while June starts or drains, and while LiveKit or the store is away."""
        worker = parts.worker
        if worker.is_draining:
            raise _not_ready("June is stopping and takes no more calls")
        if not worker.is_registered:
            raise _not_ready("June has no connection to the LiveKit server")
        if await _store(parts) is None:
            raise _not_ready("June's store does not answer")
        return Ready()

    @routes.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Of all processes, in Prometheus' text format."""
        text = await parts.metrics()
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def _not_ready(why: str) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, why, headers={"Retry-After": "5"})


async def _store(parts: Parts) -> tuple[Money, Mapping[str, CircuitState]] | None:
    """None while it is away."""
    sessions = parts.sessions
    try:
        async with asyncio.timeout(STORE_SECONDS):
            return await sessions.money.today(), await sessions.breakers.state()
    except (StoreError, TimeoutError):
        return None


async def _looked(parts: Parts) -> Health:
    config = parts.config
    kept = await _store(parts)
    worker = parts.worker
    money, providers = (None, None) if kept is None else kept
    reasons = [
        *([] if kept is not None else ["the store does not answer"]),
        *([] if worker.is_registered else ["there is no connection to the LiveKit server"]),
        *([] if not worker.is_draining else ["June is stopping and takes no more calls"]),
        *(_of_money(money, config.limits.requests_per_day) if money else ()),
        *(_of_providers(providers) if providers else ()),
    ]
    return Health(
        status="degraded" if reasons else "ok",
        version=VERSION,
        reasons=reasons,
        features={
            "stt": config.provider_of("stt"),
            "llm": config.provider_of("llm"),
            "tts": config.provider_of("tts"),
            "skills": [skill.name for skill in parts.registry.skills],
            "mockingbird": config.mockingbird.cloner,
        },
        store="away" if kept is None else "ok",
        livekit="ok" if worker.is_registered else "away",
        providers=None if providers is None else dict(providers),
        money=money,
        active_calls=worker.calls,
    )


def _of_money(money: Money, requests_per_day: int) -> Iterable[str]:
    if money.breaker_reason is not None:
        yield f"the budget's breaker is open: {money.breaker_reason}"
    used = money.spent_micros + money.reserved_micros
    if money.limit_micros is not None and used > DEGRADED * money.limit_micros:
        yield "over 90 % of the day's money is spent"
    if requests_per_day and requests_per_day - money.requests < FEW_REQUESTS:
        yield f"fewer than {FEW_REQUESTS} model requests of the day are left"


def _of_providers(providers: Mapping[str, CircuitState]) -> Iterable[str]:
    for circuit, state in providers.items():
        if state.phase is not Phase.CLOSED:
            yield f"`{circuit}` is asked for nothing: {state.reason}"
