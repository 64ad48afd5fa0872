"""What a call costs: its purse is opened, and where money is refused it ends in words."""

import structlog

from agent.alerts import Alerts
from agent.config import Config
from agent.counting import count_refusal, count_spending
from agent.ending import Ending
from agent.events import Tell, refused, to_nobody
from agent.lines import Lines
from agent.refusals import refusal
from session import CloseReason, Decision, Session, SessionService, StoreError
from session.patience import Patience
from session.purse import CallPurse
from session.rules import STORE_IS_DOWN

log = structlog.get_logger(__name__)


class Payment:
    """Lives as long as one call; closes what the purse and the alerts still have to write."""

    def __init__(
        self,
        config: Config,
        purse: CallPurse,
        ending: Ending,
        lines: Lines,
        tell: Tell = to_nobody,
    ) -> None:
        self._config = config
        self._purse = purse
        self._ending = ending
        self._lines = lines
        self._tell = tell
        self._alerts = Alerts(config)

    async def open(self, sessions: SessionService, session: Session, patience: Patience) -> None:
        """Also where the store is away: then no allowance was reserved, and nothing is spent."""
        await self._purse.open(
            sessions.money,
            session,
            patience=patience,
            on_refused=self._refuse_money,
            on_alert=self._alerts.tell,
            on_charged=count_spending,
            with_allowance=self._config.is_hosted,
            is_away=sessions.stands_in,
        )

    def refuse(self, decision: Decision) -> None:
        """End the call in words, and tell the caller's page why."""
        if self._ending.reason is None:
            self._tell(refused(decision))
        self._ending.begin(CloseReason.LIMIT, refusal(decision, self._lines))

    def _refuse_money(self, decision: Decision) -> None:
        """Several models of one call may be refused at once."""
        if self._ending.reason is None:
            count_refusal(decision)
        self.refuse(decision)

    def tell_forbidden(self, circuit: str) -> None:
        """A provider refuses June's key: as a bill that was not paid, somebody must see to it."""
        self._alerts.tell_forbidden(circuit)

    async def aclose(self) -> None:
        await self._purse.aclose()
        await self._alerts.aclose()


async def refusal_of_call(
    sessions: SessionService, session: Session, call_id: str, patience: Patience, config: Config
) -> Decision | None:
    """Why this user may not call now, or None. With the store away they may, unless it costs."""
    if sessions.stands_in and config.is_hosted and config.limits.when_store_is_down == "closed":
        return Decision(allowed=False, reason=STORE_IS_DOWN)
    try:
        decision = await patience.wait(sessions.admit_call(session, call_id))
    except StoreError as error:
        log.debug("gate.open_without_store", error=str(error))
        return None
    if decision.allowed:
        return None
    wait = round(decision.retry_after_seconds, 1)
    count_refusal(decision)
    log.info("call.refused", reason=decision.reason, retry_after_seconds=wait)
    return decision
