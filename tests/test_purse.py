"""The purse: what a call reserves, is charged, and may spend while the store is away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from session import Alert, Decision, LimitConfig, MoneyConfig, SessionConfig, StoreError
from session.config import MoneyConfig as Money
from session.door import open_sessions
from session.errors import StoreError as Away
from session.patience import AWAY_SECONDS, Patience
from session.prices import Price
from session.purse import ALLOWANCE_MICROS, CallPurse
from session.records import Session
from session.service import SessionService
from session.usage import ModelUsed, Usage

LLM = ModelUsed("llm", "models.example", "mind")
VOICE = ModelUsed("tts", "models.example", "mind")
LOCAL = ModelUsed("tts", "local", "piper")

DOLLAR = Usage(input_tokens=1_000_000)
"""By the price below."""

PRICES = {"mind": Price(input_per_mtok=1.0, output_per_mtok=2.0)}


class Flaky:
    """A service whose store can be taken away."""

    def __init__(self, sessions: SessionService) -> None:
        self._ledger = sessions.money._ledger
        self.is_away = False

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        asked = getattr(self._ledger, name)

        async def ask(*args: Any, **kwargs: Any) -> Any:
            if self.is_away:
                raise StoreError("away", retryable=True)
            return await asked(*args, **kwargs)

        return ask


class Call:
    """A purse that is open, on a memory store."""

    def __init__(self, sessions: SessionService, session: Session, config: Money) -> None:
        self.sessions = sessions
        self.session = session
        self.purse = CallPurse(config)
        self.refused: list[Decision] = []
        self.alerts: list[Alert] = []
        self.time = 0.0
        treasury = sessions.money
        self.store = Flaky(sessions)
        treasury._ledger = self.store
        self.treasury = treasury

    async def open(self) -> None:
        await self.purse.open(
            self.treasury,
            self.session,
            patience=Patience(now=lambda: self.time),
            on_refused=self.refused.append,
            on_alert=self.alerts.append,
            with_allowance=True,
        )

    async def spent(self) -> tuple[int, int, int]:
        """Of the day: spent and reserved micro-dollars, and requests."""
        today = await self.sessions.money.today()
        return today.spent_micros, today.reserved_micros, today.requests


@asynccontextmanager
async def calling(limits: LimitConfig | None = None, **money: Any) -> AsyncIterator[Call]:
    config = SessionConfig(
        Path("unused"),
        "memory:",
        limits=limits or LimitConfig(),
        money=MoneyConfig(prices=PRICES, **money),
    )
    async with open_sessions(config, now=lambda: 1_000_000.0) as sessions:
        session = await sessions.get_or_create_for_room("room", "ann")
        call = Call(sessions, session, config.money)
        await call.open()
        yield call
        await call.purse.aclose()


async def test_a_request_is_reserved_and_charged_what_it_did_cost() -> None:
    """In the day's, the user's and the session's account, beside the call's allowance."""
    async with calling() as call:
        held = await call.purse.reserve(LLM, DOLLAR)
        assert held.decision.allowed
        assert await call.spent() == (0, 1_000_000, 1)
        call.purse.settle(held, Usage(input_tokens=500_000), is_estimate=False)
        await call.purse.aclose()
        assert await call.spent() == (500_000, 0, 1)
        assert await call.sessions.money.spent_by(call.session) == 500_000


async def test_it_is_charged_once() -> None:
    """However often its wrapper says that it is over."""
    async with calling() as call:
        held = await call.purse.reserve(LLM, DOLLAR)
        for _ in range(3):
            call.purse.settle(held, DOLLAR, is_estimate=False)
        await call.purse.aclose()
        assert await call.spent() == (1_000_000, 0, 1)


async def test_what_this_machine_does_costs_nothing() -> None:
    """And is not counted, so that no number of calls uses the day up."""
    async with calling() as call:
        held = await call.purse.reserve(LOCAL, Usage(characters=50))
        call.purse.settle(held, Usage(characters=50), is_estimate=False)
        assert await call.spent() == (0, 0, 0)


async def test_a_refusal_is_a_value_and_ends_the_call() -> None:
    """Of the session's budget, and then June's last words are paid all the same."""
    async with calling(LimitConfig(dollars_per_session=1.5)) as call:
        held = await call.purse.reserve(LLM, DOLLAR)
        call.purse.settle(held, DOLLAR, is_estimate=False)
        refused = await call.purse.reserve(LLM, DOLLAR)
        assert (refused.decision.allowed, refused.decision.reason) == (False, "session_budget")
        assert call.refused == [refused.decision]
        call.purse.settle(refused, DOLLAR, is_estimate=False)
        call.purse.pay_last_words()
        assert not (await call.purse.reserve(LLM, DOLLAR)).decision.allowed
        assert (await call.purse.reserve(VOICE, DOLLAR)).decision.allowed


@pytest.mark.parametrize("steps", range(6))
async def test_who_is_cancelled_while_waiting_has_reserved_nothing(steps: int) -> None:
    """Barge-in cancels at any moment."""
    async with calling() as call:
        waiting = asyncio.create_task(call.purse.reserve(LLM, DOLLAR))
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        if not waiting.cancelled():
            call.purse.settle(waiting.result(), Usage(), is_estimate=True)
        for _ in range(5):
            await asyncio.sleep(0)
        await call.purse.aclose()
        assert (await call.spent())[:2] == (0, 0)


async def test_what_no_wrapper_settles_is_charged_at_the_end() -> None:
    """As much as was reserved, as an estimate."""
    async with calling() as call:
        await call.purse.reserve(LLM, DOLLAR)
        await call.purse.aclose()
        assert (await call.sessions.money.today()).estimated_micros == 1_000_000


async def test_with_the_store_away_a_call_spends_its_allowance_and_no_more() -> None:
    """What it spent is written down when the store is back, in every budget."""
    cheap = Usage(input_tokens=ALLOWANCE_MICROS // 2)
    async with calling() as call:
        call.store.is_away = True
        for _ in range(2):
            held = await call.purse.reserve(LLM, cheap)
            assert held.decision.allowed
            call.purse.settle(held, cheap, is_estimate=False)
            call.time += AWAY_SECONDS + 1
        refused = await call.purse.reserve(LLM, cheap)
        assert refused.decision.reason == "store_is_down"
        assert call.refused == [refused.decision]
        call.store.is_away = False
        await call.purse.aclose()
        assert await call.spent() == (ALLOWANCE_MICROS, 0, 2)
        assert await call.sessions.money.spent_by(call.session) == ALLOWANCE_MICROS


async def test_an_operator_may_let_calls_spend_without_the_store() -> None:
    """`when_store_is_down = "open"`."""
    async with calling(when_store_is_down="open") as call:
        call.store.is_away = True
        held = await call.purse.reserve(LLM, DOLLAR)
        assert held.decision.allowed
        call.store.is_away = False
        call.purse.settle(held, DOLLAR, is_estimate=False)
        await call.purse.aclose()
        assert await call.spent() == (1_000_000, 0, 1)


@pytest.mark.parametrize(("policy", "allowed"), [("closed", False), ("open", True)])
async def test_a_call_that_begins_without_the_store_has_no_allowance(
    policy: Any, allowed: bool
) -> None:
    """Nothing was reserved for it; what stands in for the store knows of no other call."""
    async with calling(when_store_is_down=policy) as call:
        purse = CallPurse(MoneyConfig(prices=PRICES, when_store_is_down=policy))
        await purse.open(
            call.sessions.money,
            call.session,
            patience=Patience(),
            on_refused=call.refused.append,
            on_alert=call.alerts.append,
            with_allowance=True,
            is_away=True,
        )
        assert (await purse.reserve(LLM, DOLLAR)).decision.allowed is allowed
        assert (await purse.reserve(LOCAL, DOLLAR)).decision.allowed
        await purse.aclose()


UNKNOWN = ModelUsed("llm", "models.example", "nobody-knows")


@pytest.mark.parametrize(
    ("policy", "allowed", "micros"), [("allow", True, 0), ("deny", False, 0), (0.25, True, 250_000)]
)
async def test_a_model_without_a_price_is_handled_by_policy(
    policy: Any, allowed: bool, micros: int
) -> None:
    """And counted as what it is."""
    async with calling(unpriced=policy) as call:
        held = await call.purse.reserve(UNKNOWN, DOLLAR)
        assert held.decision.allowed is allowed
        call.purse.settle(held, DOLLAR, is_estimate=False)
        await call.purse.aclose()
        today = await call.sessions.money.today()
        assert (today.spent_micros, today.unpriced_requests) == (micros, int(allowed))


async def test_each_threshold_is_told_once_a_day() -> None:
    """By one call of all."""
    limits = LimitConfig(dollars_per_day=20.0, tokens_per_day=0)
    async with calling(limits, alert_dollars=(2.0, 4.0)) as call:
        other = Call(call.sessions, call.session, MoneyConfig(prices=PRICES))
        await other.open()
        told = []
        for one in (call, other) * 9:
            held = await one.purse.reserve(LLM, DOLLAR)
            one.purse.settle(held, DOLLAR, is_estimate=False)
            await asyncio.sleep(0.001)
        await other.purse.aclose()
        await call.purse.aclose()
        told = [alert.threshold for alert in call.alerts + other.alerts]
        assert sorted(told) == ["$2", "$4", "80% of dollars_per_day"]


async def test_a_store_that_hangs_is_not_waited_for_twice() -> None:
    """A turn that asks three times would be silent for three times as long."""
    clock = [0.0]
    patience = Patience(now=lambda: clock[0])
    asked = 0

    async def fail() -> None:
        nonlocal asked
        asked += 1
        raise Away("away", retryable=True)

    for _ in range(3):
        with pytest.raises(Away):
            await patience.wait(fail())
    assert asked == 1
    clock[0] += AWAY_SECONDS
    with pytest.raises(Away):
        await patience.wait(fail())
    assert asked == 2


async def test_allowances_stop_nobody() -> None:
    """Many calls that spend nothing leave the whole day's money, and no breaker is tripped."""
    async with calling(LimitConfig(dollars_per_day=1.0)) as call:
        others = [Call(call.sessions, call.session, MoneyConfig(prices=PRICES)) for _ in range(20)]
        for other in others:
            await other.open()
        assert (await call.purse.reserve(LLM, Usage(input_tokens=990_000))).decision.allowed
        for other in others:
            await other.purse.aclose()
        today = await call.sessions.money.today()
        assert (today.breaker_reason, today.spent_micros) == (None, 0)


async def test_a_call_that_is_cancelled_while_it_opens_keeps_no_allowance() -> None:
    """LiveKit cancels a job that takes too long."""
    async with calling() as call:
        other = Call(call.sessions, call.session, MoneyConfig(prices=PRICES))
        opening = asyncio.create_task(other.open())
        for _ in range(2):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        await other.purse.aclose()
        await call.purse.aclose()
        key = call.treasury.allowance_budget().key
        (account,) = await call.sessions.money._ledger.accounts([key], now=1_000_000.0)
        assert (account.reserved_micros, account.spent_micros) == (0, 0)


@pytest.mark.parametrize("fails_at", ["settle", "claim"])
async def test_a_charge_whose_answer_is_lost_is_written_once(fails_at: str) -> None:
    """The store did it and could not say so; a late one is no different."""
    async with calling(alert_dollars=(0.5,)) as call:
        call.store.is_away = True
        held = await call.purse.reserve(LLM, Usage(input_tokens=ALLOWANCE_MICROS))
        call.store.is_away = False
        lost: list[str] = []
        owner: Any = call.store if fails_at == "settle" else call.treasury._claims
        done = getattr(owner, fails_at)

        async def once(*args: Any, **kwargs: Any) -> Any:
            result = await done(*args, **kwargs)
            if not lost:
                lost.append(fails_at)
                raise StoreError("the answer is lost", retryable=True)
            return result

        setattr(owner, fails_at, once)
        call.purse.settle(held, DOLLAR, is_estimate=False)
        await call.purse.aclose()
        assert lost == [fails_at]
        assert await call.spent() == (1_000_000, 0, 1)


async def test_what_was_spent_stays_spent_when_the_store_is_emptied() -> None:
    """Its reservation is gone, and it is written all the same."""
    async with calling() as call:
        held = await call.purse.reserve(LLM, DOLLAR)
        ledger: Any = call.sessions.money._ledger
        ledger._reserved.clear()
        ledger._accounts.clear()
        call.purse.settle(held, DOLLAR, is_estimate=False)
        await call.purse.aclose()
        assert await call.spent() == (1_000_000, 0, 1)


async def test_what_is_done_beside_the_call_may_be_refused_in_silence() -> None:
    """A summary that is too dear ends no call, and trips nothing."""
    async with calling(LimitConfig(dollars_per_day=0.5)) as call:
        held = await call.purse.aside().reserve(LLM, DOLLAR)
        assert not held.decision.allowed
        assert call.refused == []
        assert (await call.sessions.money.today()).breaker_reason is None
