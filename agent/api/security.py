"""What June may spend and ask for now, and the switches that stop it."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from agent.api.bodies import JsonRoute
from agent.api.fields import Body, Circuit
from agent.api.parts import Parts
from agent.api.problems import answers
from session.circuits import CircuitState
from session.records import Money
from session.rules import LimitConfig

WEEK_MINUTES = 10_080


class SecurityStats(BaseModel):
    """Today's money, the limits in force, and each provider that anybody has asked."""

    money: Money
    limits: LimitConfig
    providers: dict[str, CircuitState]


class BreakerRequest(Body):
    """Which breaker: a provider's by its name in the stats, else the budget's."""

    circuit: Circuit | None = None


class OpenRequest(BreakerRequest):
    """Open it, for how long."""

    minutes: Annotated[float, Field(gt=0, le=WEEK_MINUTES, allow_inf_nan=False)] = 30.0


class Switched(BaseModel):
    """Whether it was in the other position before."""

    changed: bool


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(
        prefix="/api/security", tags=["security"], responses=answers(), route_class=JsonRoute
    )
    sessions = parts.sessions

    @routes.get("/stats")
    async def stats() -> SecurityStats:
        return SecurityStats(
            money=await sessions.money.today(),
            limits=parts.config.session.limits,
            providers=dict(await sessions.breakers.state()),
        )

    @routes.post("/circuit-breaker/open")
    async def open_breaker(wanted: OpenRequest) -> Switched:
        """June then spends nothing, or asks this provider for nothing, in all calls."""
        seconds = 60.0 * wanted.minutes
        if wanted.circuit is None:
            await sessions.money.pause(seconds)
            return Switched(changed=True)
        effect = await sessions.breakers.open_by_hand(wanted.circuit, seconds)
        return Switched(changed=effect.phase is not None)

    @routes.post("/circuit-breaker/close")
    async def close_breaker(wanted: BreakerRequest) -> Switched:
        """A budget that is used up opens its own again at once."""
        if wanted.circuit is None:
            return Switched(changed=await sessions.money.resume())
        return Switched(changed=await sessions.breakers.close(wanted.circuit))

    return routes
