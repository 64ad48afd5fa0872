"""What June may spend and ask for now, and the switches that stop it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from agent.api.bodies import JsonRoute
from agent.api.fields import Body, Circuit
from agent.api.parts import Parts
from agent.api.problems import Problem, answers
from agent.config import Config, Stage
from session import SessionService
from session.circuits import CircuitState, Phase
from session.records import Money
from session.rules import LimitConfig
from session.storable import storable

WEEK_MINUTES = 10_080


class SecurityStats(BaseModel):
    """Today's money, the limits in force, and the breakers: the budget's and each provider's."""

    money: Money
    limits: LimitConfig
    budget: CircuitState
    providers: dict[str, CircuitState]


class BreakerRequest(Body):
    """Which breaker: a provider's by its name in the stats, else the budget's."""

    circuit: Circuit | None = None


class OpenRequest(BreakerRequest):
    """Open it, for how long."""

    minutes: Annotated[float, Field(gt=0, le=WEEK_MINUTES, allow_inf_nan=False)] = 30.0


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(
        prefix="/api/security", tags=["security"], responses=answers(404), route_class=JsonRoute
    )
    sessions = parts.sessions

    async def check(circuit: str) -> None:
        """Raises `Problem` for what is no provider's breaker: to open it would stop nobody."""
        known = _circuits(parts.config) | set(await sessions.breakers.state())
        if storable(circuit) not in known:
            names = ", ".join(f"`{name}`" for name in sorted(known)) or "none: all is local"
            detail = f"no provider's breaker is called so; there are {names}"
            raise Problem(HTTPStatus.NOT_FOUND, detail)

    @routes.get("/stats")
    async def stats() -> SecurityStats:
        money = await sessions.money.today()
        return SecurityStats(
            money=money,
            limits=parts.config.session.limits,
            budget=circuit_of_budget(money, sessions.now()),
            providers=dict(await sessions.breakers.state()),
        )

    @routes.post("/circuit-breaker/open")
    async def open_breaker(wanted: OpenRequest | None = None) -> CircuitState:
        """June then spends nothing, or asks this provider for nothing, in all calls.

        A budget that is stopped for longer stays so.
        """
        wanted = wanted or OpenRequest()
        seconds = 60.0 * wanted.minutes
        if wanted.circuit is None:
            await sessions.money.pause(seconds)
        else:
            await check(wanted.circuit)
            await sessions.breakers.open_by_hand(wanted.circuit, seconds)
        return await _state(sessions, wanted.circuit)

    @routes.post("/circuit-breaker/close")
    async def close_breaker(wanted: BreakerRequest | None = None) -> CircuitState:
        """A budget that is used up opens its own again at once."""
        wanted = wanted or BreakerRequest()
        if wanted.circuit is None:
            await sessions.money.resume()
        else:
            await sessions.breakers.close(wanted.circuit)
        return await _state(sessions, wanted.circuit)

    return routes


def _circuits(config: Config) -> set[str]:
    """Those of the providers that this worker may ask."""
    stages: tuple[Stage, ...] = ("stt", "llm", "tts")
    found = {one.circuit(stage) for stage in stages for one in config.providers_of(stage)}
    return found - {""}


async def _state(sessions: SessionService, circuit: str | None) -> CircuitState:
    if circuit is None:
        return circuit_of_budget(await sessions.money.today(), sessions.now())
    return (await sessions.breakers.state()).get(storable(circuit), CircuitState(Phase.CLOSED))


def circuit_of_budget(money: Money, now: float) -> CircuitState:
    """As if it were a provider's."""
    if money.breaker_until is None:
        return CircuitState(Phase.CLOSED)
    return CircuitState(Phase.OPEN, money.breaker_reason, max(0.0, money.breaker_until - now))
