"""What the store knows of all workers together, asked at each scrape: breakers and today's money.

Every worker tells the same, so a dashboard takes the greatest of them and not their sum.
"""

import asyncio
from collections.abc import Iterator, Mapping

import structlog
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from agent.redact import Redactor
from session import SessionService, StoreError
from session.circuits import CircuitState, Phase
from session.money import MICROS
from session.records import Money

log = structlog.get_logger(__name__)

STORE_SECONDS = 0.5
"""A scrape waits no longer for the store, and is without its figures then."""


async def store_figures(sessions: SessionService) -> list[Metric]:
    """Raises nothing where the store is away."""
    try:
        async with asyncio.timeout(STORE_SECONDS):
            circuits = await sessions.breakers.state()
            money = await sessions.money.today()
    except (StoreError, TimeoutError) as error:
        log.debug("metrics.without_store", error=str(error) or "it does not answer")
        return [_store_up(0)]
    return [_store_up(1), _breakers(circuits), *_money(money)]


def _store_up(value: int) -> Metric:
    about = "Whether the store has answered this worker at this scrape."
    return GaugeMetricFamily("june_store_up", about, value=value)


def _breakers(circuits: Mapping[str, CircuitState]) -> Metric:
    """One that is half open lets nobody through but the one who probes."""
    breakers = GaugeMetricFamily(
        "june_provider_breaker_open",
        "Whether a provider is asked for nothing now; those that never failed are not listed.",
        labels=["circuit"],
    )
    redactor = Redactor()
    for name, circuit in circuits.items():
        breakers.add_metric([redactor.text(name)], float(circuit.phase is not Phase.CLOSED))
    return breakers


def _money(money: Money) -> Iterator[Metric]:
    spent = money.spent_micros + money.reserved_micros
    yield GaugeMetricFamily(
        "june_budget_spent_dollars",
        "What all calls have spent today (UTC), with what is reserved.",
        value=spent / MICROS,
    )
    if money.limit_micros is not None:
        yield GaugeMetricFamily(
            "june_budget_limit_dollars",
            "What all calls may spend in a day; missing where there is no limit.",
            value=money.limit_micros / MICROS,
        )
    yield GaugeMetricFamily(
        "june_budget_breaker_open",
        "Whether June takes no calls that cost money: the budget is used up, or she is paused.",
        value=float(money.breaker_reason is not None),
    )
