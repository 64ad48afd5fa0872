"""Which turn it is, whether it may be answered, and when it takes effect.

LiveKit may ask for one turn's reply several times, on words that still change and under another
message id each time. So a turn is known by its number: the count of committed user messages + 1,
or their count when the message in question is already committed. An attempt only reserves; what
costs or changes something takes effect at commit, which happens once.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import structlog
from livekit.agents import ConversationItemAddedEvent, llm

from agent.counting import count_interruption, count_refusal, count_times, is_answer
from agent.events import Tell, limit_near, refused, reply_cut, to_nobody, turn_timed
from agent.metrics import TURNS
from agent.notebook import Notebook
from agent.refusals import ends_the_call
from agent.turn_times import TurnTimes
from session import Decision, Message, Session, SessionService, StoreError, TurnMetrics
from session.patience import Patience

log = structlog.get_logger(__name__)


class TurnGate:
    """Lives as long as one call. `turns_before` counts those of a session that was resumed.

    `on_end` gets a refusal that ends the call, and `tell` whatever else the caller's page is to
    know, once the turn was really taken.
    """

    def __init__(
        self,
        sessions: SessionService,
        session: Session,
        notebook: Notebook,
        *,
        call_id: str,
        turns_before: int,
        longest_kept_characters: int,
        patience: Patience,
        on_end: Callable[[Decision], None],
        tell: Tell = to_nobody,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._sessions = sessions
        self._session = session
        self._notebook = notebook
        self._call_id = call_id
        self._turns_before = turns_before
        self._longest_kept_characters = longest_kept_characters
        self._patience = patience
        self._on_end = on_end
        self._tell = tell
        self._now = now
        self.times = TurnTimes(self.number_of, now=now)
        self._committed: list[str] = []
        self._typed: set[str] = set()
        self._decided: dict[int, Decision] = {}
        """What takes effect as soon as its turn is committed."""
        self._told_in_turn = 0
        """The last turn of which the caller's page was told something."""
        self._warned: dict[str, int] = {}
        """By reason: the turn in which the caller was warned."""
        self.refused = 0
        self._counted_refusal = 0
        """The last turn of which a refusal was counted: it may be attempted several times."""
        self._refusals: dict[int, str | None] = {}
        """By turn, until its figures are kept: its reason."""
        self._measured_turn = 0
        """The last one whose figures were kept: a turn may have several replies."""

    @property
    def turns(self) -> int:
        """Turns of this call that were committed."""
        return len(self._committed)

    def number_of(self, message_id: str) -> int:
        """The turn that a user message belongs to, committed or not."""
        if message_id in self._committed:
            return self._turns_before + self._committed.index(message_id) + 1
        return self._turns_before + len(self._committed) + 1

    def is_typed(self, message: llm.ChatMessage) -> None:
        self._typed.add(message.id)
        self.times.typed(message.id)

    def was_typed(self, message: llm.ChatMessage) -> bool:
        return message.id in self._typed

    async def reserve(self, message: llm.ChatMessage) -> Decision:
        """May this turn be answered? With the store away it may: silence would be worse."""
        turn = self.number_of(message.id)
        try:
            decision = await self._patience.wait(
                self._sessions.reserve_turn(self._session, turn, message.text_content or "")
            )
        except StoreError as error:
            log.debug("gate.open_without_store", turn=turn, error=str(error))
            return Decision(allowed=True)
        if decision.allowed:
            self._refusals.pop(turn, None)  # an attempt before it was refused, and is not heard
        else:
            self.refused += 1
            if turn != self._counted_refusal:
                self._counted_refusal = turn
                count_refusal(decision)
            self._refusals[turn] = decision.reason
            log.info(
                "turn.refused",
                turn=turn,
                reason=decision.reason,
                retry_after_seconds=round(decision.retry_after_seconds, 1),
            )
        decision = self._decided[turn] = self._warned_once(decision, turn)
        if message.id in self._committed:
            self._take_effect(turn)
        return decision

    def _warned_once(self, decision: Decision, turn: int) -> Decision:
        """Without the warning that the caller has heard in an earlier turn."""
        if decision.near is None:
            if decision.allowed:
                self._warned.clear()
            return decision
        if self._warned.setdefault(decision.near, turn) == turn:
            return decision
        return replace(decision, near=None)

    def commit(self, event: ConversationItemAddedEvent) -> None:
        """LiveKit's history has a new message. For a user's this is the moment of commit."""
        item = event.item
        if not isinstance(item, llm.ChatMessage) or item.role not in ("user", "assistant"):
            return
        count_times(item)
        if item.role == "user":
            self.close()
            self._committed.append(item.id)
            TURNS.inc()
            log.info(
                "turn.began",
                turn=self.turns,
                end_of_turn_delay_seconds=round(item.metrics.get("end_of_turn_delay", 0.0), 2),
            )
            self._shorten(item)
        turn = self._turns_before + len(self._committed)
        if item.role == "user":
            self.times.committed(turn, item)
        text = item.text_content or ""
        message = Message(
            id=item.id,
            session_id=self._session.session_id,
            call_id=self._call_id,
            participant="caller" if item.role == "user" else "june",
            role="user" if item.role == "user" else "assistant",
            source="text" if item.id in self._typed else "voice",
            language=self._session.language,
            turn=turn,
            text=text,
            heard_text=text if item.interrupted else None,
            at=self._now(),
        )
        self._notebook.note(message, self._measured(item, turn))
        if item.role == "user":
            self._take_effect(turn)
        elif item.interrupted:
            count_interruption(item)
            self._tell(reply_cut(turn, len(text)))

    def _take_effect(self, turn: int) -> None:
        """The turn is committed, and decided."""
        decision = self._decided.pop(turn, None)
        if decision is None:
            return
        if ends_the_call(decision):
            self._on_end(decision)
            return
        if decision.allowed and decision.near is None:
            return
        if turn != self._told_in_turn:  # the steps of one turn are decided one by one
            self._told_in_turn = turn
            self._tell(refused(decision) if decision.near is None else limit_near(decision.near))

    def _measured(self, item: llm.ChatMessage, turn: int) -> TurnMetrics | None:
        """Of a turn's first reply, which is over now; the caller's page is told as well."""
        if item.role == "user" or turn == self._turns_before:
            return None  # a greeting answers nobody
        if turn == self._measured_turn or not is_answer(item):
            return None  # such as "Are you still there?" after a turn that nobody answered
        measured = TurnMetrics(
            turn=turn,
            at=self._now(),
            reply_seconds=item.metrics.get("e2e_latency"),
            first_token_seconds=item.metrics.get("llm_node_ttft"),
            stages=self.times.stages(turn, item),
            is_typed=self._committed[-1] in self._typed,
            is_interrupted=item.interrupted,
            heard_characters=len(item.text_content or "") if item.interrupted else None,
            refused=self._refusals.pop(turn, None),
        )
        self._measured_turn = turn
        self._tell(turn_timed(measured))
        return measured

    def close(self) -> None:
        """No answer to the last turn was heard, if none was: what is known of it is kept."""
        turn = self._turns_before + len(self._committed)
        if not self._committed or turn == self._measured_turn:
            return
        self._measured_turn = turn
        unanswered = TurnMetrics(
            turn=turn,
            at=self._now(),
            stages=self.times.stages(turn, None),
            is_typed=self._committed[-1] in self._typed,
            refused=self._refusals.pop(turn, None),
        )
        self._notebook.note_figures(self._session.session_id, unanswered)
        self._tell(turn_timed(unanswered))

    def greeted(self, seconds: float) -> None:
        """So long the caller waited for June's first sound in this call."""
        first_word = TurnMetrics(
            turn=-self._session.resumes, at=self._now(), first_word_seconds=seconds
        )
        self._notebook.note_figures(self._session.session_id, first_word)

    def _shorten(self, item: llm.ChatMessage) -> None:
        """Refused for its length, a message must not come back to the model as history."""
        text = item.text_content or ""
        if len(text) > self._longest_kept_characters:
            item.content = [text[: self._longest_kept_characters] + "…"]
