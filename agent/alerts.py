"""Tells the operator what they must see to: in the log, in a metric, and by a signed webhook."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

import aiohttp
import structlog

from agent.config import Config
from agent.metrics import BUDGET_ALERTS
from session import Alert

log = structlog.get_logger(__name__)

PAUSES_SECONDS = (0.5, 2.0)
"""Before the second and the third try."""

ANSWER_SECONDS = 5.0
END_SECONDS = 20.0
"""How long the end of a call waits for its last alerts; three tries that hang take 17.5 s."""


class Alerts:
    """Lives as long as one call, or as the worker. Nobody waits for it but its end."""

    def __init__(self, config: Config, *, now: Callable[[], float] = time.time) -> None:
        self._url = config.limits.alert_webhook
        self._secret = config.webhook_secret
        self._now = now
        self._sending: set[asyncio.Task[None]] = set()

    def tell(self, alert: Alert) -> None:
        log.warning("budget.alert", **asdict(alert))
        BUDGET_ALERTS.labels(threshold=alert.threshold).inc()
        self._begin({"type": "budget.alert", **asdict(alert)})

    def tell_forbidden(self, circuit: str) -> None:
        """A provider refuses June's key; `circuit` names stage, server and model."""
        log.error(
            "provider.forbidden",
            circuit=circuit,
            hint="look at its key, and at its account; June asks it again after ten minutes",
        )
        self._begin({"type": "provider.forbidden", "circuit": circuit})

    def _begin(self, told: Mapping[str, object]) -> None:
        if self._url:
            task = asyncio.create_task(self._send(json.dumps(told).encode()), name="june.alert")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, body: bytes) -> None:
        why = await self._try(body)
        for pause in PAUSES_SECONDS:
            if why is None:
                return
            await asyncio.sleep(pause)
            why = await self._try(body)
        if why is not None:
            log.error("alert.not_delivered", tries=1 + len(PAUSES_SECONDS), error=why)

    async def _try(self, body: bytes) -> str | None:
        """None for delivered, else why not."""
        headers = {"Content-Type": "application/json", "June-Signature": self._signature(body)}
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                aiohttp.ClientSession() as http,
                http.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return None if answer.status < 300 else f"status {answer.status}"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return type(error).__name__

    def _signature(self, body: bytes) -> str:
        """Stripe's scheme: the time is signed too, so that an old request cannot be sent again."""
        at = int(self._now())
        assert self._secret is not None, "the configuration asks for it"
        key = self._secret.get_secret_value().encode()
        digest = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={at},v1={digest}"

    async def aclose(self) -> None:
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=END_SECONDS)
            for task in late:
                task.cancel()
