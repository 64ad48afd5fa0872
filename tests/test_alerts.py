"""Alerts: in the log and, signed, to the operator's webhook; tried again, never for ever."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

import agent.alerts
from agent.alerts import Alerts
from agent.config import Config, load
from session import Alert

SECRET = "a-secret-of-sixteen-and-more"

ALERT = Alert("2026-11-25", "$10", 10.25)


class Webhook:
    """The operator's server, which may fail first."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        """Statuses, one for each request; 204 beyond them."""
        self.got: list[tuple[bytes, str]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((await request.read(), request.headers["June-Signature"]))
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    serving = Webhook()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", serving.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    serving.url = f"http://{host}:{port}/hook"
    yield serving
    await runner.cleanup()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.alerts, "PAUSES_SECONDS", (0.0, 0.0))


def configured(folder: Path, url: str) -> Config:
    environ = {"JUNE_DATA__DIR": str(folder)}
    if url:
        environ |= {"JUNE_LIMITS__ALERT_WEBHOOK": url, "JUNE_WEBHOOK_SECRET": SECRET}
    return load(environ=environ)


async def told(config: Config) -> list[str]:
    """The events that were logged, and the log is whole without the secret."""
    with capture_logs() as logged:
        alerts = Alerts(config, now=lambda: 1_000_000.9)
        alerts.tell(ALERT)
        await alerts.aclose()
    assert SECRET not in str(logged)
    return [entry["event"] for entry in logged]


async def test_an_alert_is_signed(tmp_path: Path, webhook: Webhook) -> None:
    """So that nobody else can send one, nor an old one again."""
    assert await told(configured(tmp_path, webhook.url)) == ["budget.alert"]
    ((body, signature),) = webhook.got
    assert json.loads(body) == {
        "type": "budget.alert",
        "day": "2026-11-25",
        "threshold": "$10",
        "spent_dollars": 10.25,
    }
    expected = hmac.new(SECRET.encode(), b"1000000." + body, hashlib.sha256).hexdigest()
    assert signature == f"t=1000000,v1={expected}"


async def test_a_server_that_fails_is_tried_again(tmp_path: Path, webhook: Webhook) -> None:
    """With the same words; the third try arrives."""
    webhook.answers = [500, 503]
    assert await told(configured(tmp_path, webhook.url)) == ["budget.alert"]
    assert len({body for body, _ in webhook.got}) == 1
    assert len(webhook.got) == 3


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_it_is_not_tried_for_ever(tmp_path: Path, webhook: Webhook, status: int) -> None:
    """Nor sent elsewhere; the log says that it did not arrive."""
    webhook.answers = [status] * 9
    events = await told(configured(tmp_path, webhook.url))
    assert events == ["budget.alert", "alert.not_delivered"]
    assert len(webhook.got) == 3


async def test_nobody_there_is_said(tmp_path: Path) -> None:
    """And costs no call."""
    events = await told(configured(tmp_path, "http://127.0.0.1:9/hook"))
    assert events == ["budget.alert", "alert.not_delivered"]


async def test_without_a_webhook_the_log_is_enough(tmp_path: Path) -> None:
    """It is optional."""
    assert await told(configured(tmp_path, "")) == ["budget.alert"]
