"""One call's purse: every model request reserves what it may cost, and is charged what it did.

With the store away a call spends from a small allowance that it has reserved at its start; what
it spent is written down when the store is back.
"""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import structlog

from session.alerts import Alert
from session.bookkeeper import Bookkeeper, Due
from session.config import MoneyConfig
from session.errors import StoreError
from session.limits import ALLOWED, Decision
from session.money import MICROS, Charge, Reservation
from session.patience import Patience
from session.prices import LOCAL, PriceList
from session.records import Session
from session.rules import STORE_IS_DOWN, UNPRICED
from session.treasury import Treasury
from session.usage import Held, ModelUsed, Usage

log = structlog.get_logger(__name__)

ALLOWANCE_MICROS = 250_000

ALLOWANCE_SECONDS = 90_000.0
"""Longer than the longest call; a dead one's allowance is then charged."""


class CallPurse:
    """Lives as long as one call; its models have it before the session is known, which opens it."""

    def __init__(self, config: MoneyConfig) -> None:
        self._config = config
        self._prices = PriceList(config.prices)
        self._patience = Patience()
        self._treasury: Treasury | None = None
        self._session: Session | None = None
        self._bookkeeper: Bookkeeper | None = None
        self._on_refused: Callable[[Decision], None] = lambda _: None
        self._on_charged: Callable[[ModelUsed, int], None] = lambda *_: None
        self._stack = AsyncExitStack()
        self._held: dict[str, tuple[Reservation, ModelUsed]] = {}
        self._offline: set[str] = set()
        self._allowance_left = 0
        self._said_unpriced: set[str] = set()
        self._pays_last_words = False
        self._is_away = False
        self.spent_micros = 0
        """What was charged so far, estimates included."""

    async def open(
        self,
        treasury: Treasury,
        session: Session | None,
        *,
        patience: Patience,
        on_refused: Callable[[Decision], None],
        on_alert: Callable[[Alert], None],
        on_charged: Callable[[ModelUsed, int], None] = lambda *_: None,
        with_allowance: bool,
        is_away: bool = False,
    ) -> None:
        """Begin to pay; `aclose` ends it. The callbacks must not raise.

        `on_charged` gets who did what was paid for, and the micro-dollars, estimates included.
        `session` None: June's own spending, before any call.
        `is_away`: the treasury only stands in for one that could not be reached.
        """
        self._is_away = is_away
        self._treasury, self._session, self._patience = treasury, session, patience
        self._on_refused, self._on_charged = on_refused, on_charged
        if with_allowance and not is_away:
            await self._reserve_allowance(treasury)
        self._bookkeeper = Bookkeeper(treasury, on_alert=on_alert)
        await self._stack.enter_async_context(self._bookkeeper)

    async def _reserve_allowance(self, treasury: Treasury) -> None:
        allowance = Reservation(
            id=uuid.uuid4().hex,
            budgets=(treasury.allowance_budget(),),
            micros=ALLOWANCE_MICROS,
            tokens=0,
            expires_seconds=ALLOWANCE_SECONDS,
            is_request=False,
        )
        self._stack.push_async_callback(self._return_allowance, treasury, allowance.id)
        try:
            decision = await self._patience.wait(treasury.reserve(allowance))
        except StoreError as error:
            log.warning("allowance.none", error=str(error))
            return
        if decision.allowed:
            self._allowance_left = ALLOWANCE_MICROS

    async def _return_allowance(self, treasury: Treasury, allowance_id: str) -> None:
        """What was spent of it is written down as what it was spent for, or else it runs out."""
        if self._bookkeeper is not None and self._bookkeeper.lost:
            return
        try:
            await treasury.settle(allowance_id, Charge(0, 0))
        except StoreError as error:
            log.warning("allowance.kept", error=str(error))

    def pay_last_words(self) -> None:
        """From now on the voice is never refused: June says goodbye."""
        self._pays_last_words = True

    def aside(self) -> "Aside":
        """For what is done beside the conversation: where it is refused the call goes on."""
        return Aside(self)

    async def reserve(self, model: ModelUsed, at_most: Usage) -> Held:
        """Before a request. Whoever is cancelled while waiting has reserved nothing."""
        held = await self._reserve(model, at_most)
        if not held.decision.allowed:
            log.warning("money.refused", stage=model.stage, reason=held.decision.reason)
            self._on_refused(held.decision)
        return held

    async def reserve_aside(self, model: ModelUsed, at_most: Usage) -> Held:
        """Tells nobody of a refusal, and stops nobody by it."""
        return await self._reserve(model, at_most, is_aside=True)

    async def _reserve(self, model: ModelUsed, at_most: Usage, *, is_aside: bool = False) -> Held:
        if model.provider == LOCAL:  # it costs nothing, and is not counted
            return Held(ALLOWED, "", model)
        if self._treasury is None:
            raise RuntimeError("`open` the purse before a model is asked")
        micros, is_unpriced = self._cost(model, at_most)
        must = self._must(model)
        if is_unpriced and self._config.unpriced == "deny" and not must:
            return Held(Decision(allowed=False, reason=UNPRICED), "", model)
        reservation = Reservation(
            id=uuid.uuid4().hex,
            budgets=tuple(
                replace(budget, trips_breaker=budget.trips_breaker and not is_aside)
                for budget in self._treasury.budgets_of(self._session)
            ),
            micros=micros,
            tokens=at_most.tokens,
            must=must,
        )
        if self._is_away:
            return self._from_allowance(reservation, model)
        asking = asyncio.create_task(
            self._patience.wait(self._treasury.reserve(reservation)), name="june.purse.reserve"
        )
        try:
            decision = await asyncio.shield(asking)
        except StoreError:
            held = self._from_allowance(reservation, model)
            if not held.decision.allowed:
                self._take_back(reservation, asking)
            return held
        except asyncio.CancelledError:
            asking.add_done_callback(lambda asked: self._take_back(reservation, asked))
            raise
        if not decision.allowed:
            return Held(decision, "", model)
        self._held[reservation.id] = reservation, model
        return Held(decision, reservation.id, model)

    def _take_back(self, reservation: Reservation, asked: asyncio.Task[Decision]) -> None:
        """Nothing was asked of the model. A store that failed may have reserved all the same."""
        if asked.cancelled() or (asked.exception() is None and not asked.result().allowed):
            return
        self._note(Due(reservation, Charge(0, 0, is_estimate=True, requests=0)))

    def _from_allowance(self, reservation: Reservation, model: ModelUsed) -> Held:
        is_open = self._config.when_store_is_down == "open" or self._must(model)
        if not is_open and reservation.micros > self._allowance_left:
            return Held(Decision(allowed=False, reason=STORE_IS_DOWN), "", model)
        self._allowance_left -= reservation.micros
        self._held[reservation.id] = reservation, model
        self._offline.add(reservation.id)
        return Held(ALLOWED, reservation.id, model)

    def _must(self, model: ModelUsed) -> bool:
        return self._pays_last_words and model.stage == "tts"

    def settle(self, held: Held, used: Usage, *, is_estimate: bool) -> None:
        """After it, once, however it ended. Never waits."""
        if held.id not in self._held:
            return
        micros, is_unpriced = self._cost(held.model, used)
        reservation, _ = self._held.pop(held.id)
        charge = Charge(micros, used.tokens, is_estimate=is_estimate, is_unpriced=is_unpriced)
        self._spend(held.model, micros)
        is_late = held.id in self._offline
        if is_late:
            self._offline.remove(held.id)
            self._allowance_left += reservation.micros - micros
        # The money is gone; written down late it must not be refused.
        self._note(Due(replace(reservation, must=True), charge, is_late))

    def _spend(self, model: ModelUsed, micros: int) -> None:
        self.spent_micros += micros
        self._on_charged(model, micros)

    def _note(self, due: Due) -> None:
        assert self._bookkeeper is not None, "who reserved has opened it"
        self._bookkeeper.note(due)

    def _cost(self, model: ModelUsed, usage: Usage) -> tuple[int, bool]:
        """Micro-dollars, and whether nobody knows the price."""
        cost = self._prices.cost(model, usage)
        if not cost.is_unpriced:
            return cost.micros, False
        policy = self._config.unpriced
        if model.model not in self._said_unpriced:
            self._said_unpriced.add(model.model)
            log.warning(
                "model.unpriced",
                stage=model.stage,
                provider=model.provider,
                model=model.model,
                policy=policy,
                hint=f'say what it costs in `[prices."{model.model}"]`, or `free = true`',
            )
        return (0 if isinstance(policy, str) else round(policy * MICROS)), True

    async def aclose(self) -> None:
        """Write down what is due, and give the allowance back."""
        for left, model in self._held.values():  # whose wrapper never came to its end
            self._spend(model, left.micros)
            charge = Charge(left.micros, left.tokens, is_estimate=True)
            self._note(Due(replace(left, must=True), charge, left.id in self._offline))
        self._held.clear()
        if self._is_away and self.spent_micros:
            log.error("money.not_recorded", dollars=self.spent_micros / MICROS, why="no store")
        await self._stack.aclose()


class Aside:
    """A purse for what the call does not depend on, such as its summary."""

    def __init__(self, purse: CallPurse) -> None:
        self._purse = purse

    async def reserve(self, model: ModelUsed, at_most: Usage) -> Held:
        return await self._purse.reserve_aside(model, at_most)

    def settle(self, held: Held, used: Usage, *, is_estimate: bool) -> None:
        self._purse.settle(held, used, is_estimate=is_estimate)
