"""Who is asked for one answer, how often, and what the breakers learn of it.

At most `MOST_REQUESTS` are made for one answer, and none of a provider whose breaker is open. The
models of this machine have no breaker, and are no request: they are the last resort.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import structlog
from livekit.agents import APIConnectionError

from agent.counting import count_request
from agent.models.busy import BusyNote
from agent.models.refused import Refused
from agent.models.verdicts import verdict_of
from session.breaker import ProviderBreakers
from session.circuits import FAILURE, NOTHING, USEFUL, Permit, Phase, Verdict

log = structlog.get_logger(__name__)

M = TypeVar("M")
C = TypeVar("C", bound="Closing")
M_co = TypeVar("M_co", covariant=True)
M_contra = TypeVar("M_contra", contravariant=True)

MOST_REQUESTS = 2

CLOSE_SECONDS = 2.0
"""For what is still to be closed, or to be told to the breakers, at the end of a call."""

REQUEST_CLOSE_SECONDS = 0.2
"""A request that is of no use is closed meanwhile; nobody waits longer for it."""


@dataclass(frozen=True)
class Provider(Generic[M_co]):
    """One of those that can do a stage."""

    model: M_co
    circuit: str
    """Names its breaker; empty for a model of this machine."""
    busy: BusyNote = field(default_factory=BusyNote)


class Unanswered(APIConnectionError):
    """Nobody who may be asked has answered. LiveKit is not to ask again."""

    def __init__(self) -> None:
        super().__init__("no provider has answered", retryable=False)


class BrokenOff(APIConnectionError):
    """The answer ends in the middle of what was passed on already."""

    def __init__(self) -> None:
        super().__init__("the answer broke off", retryable=False)


class TooSlow(APIConnectionError):
    """It has not answered in time."""

    def __init__(self, *, is_its_fault: bool = True) -> None:
        """`is_its_fault`: it had the time that it may need; others had not used it up before."""
        super().__init__("the answer did not come in time", retryable=False)
        self.is_its_fault = is_its_fault


class Useless(APIConnectionError):
    """It has answered, with nothing that can be heard or used."""

    def __init__(self, what: str) -> None:
        super().__init__(what, retryable=False)


class Request:
    """One that is being made. One verdict of it counts, the first."""

    def __init__(self, guard: "Guard", permit: Permit | None) -> None:
        self._guard = guard
        self._permit = permit

    def judge(self, verdict: Verdict) -> "asyncio.Task[None] | None":
        """What the provider is found to be; the breakers are told in a task of the guard's."""
        permit, self._permit = self._permit, None
        if permit is None or (not permit.is_probe and verdict.kind in ("useful", "nothing")):
            return None
        return self._guard.tell(permit, verdict)

    def brings(self) -> None:
        """Something useful is here. All others wait for what a probe finds, so it is told now."""
        if self._permit is not None and self._permit.is_probe:
            self.judge(USEFUL)


class Closing(Protocol):
    async def aclose(self) -> None: ...


class Ask(Protocol[M_contra]):
    """Makes one request, inside its own deadlines, and raises where it came to nothing.

    `has_other`: somebody else can be asked in what is left of the time.
    """

    def __call__(
        self, model: M_contra, request: Request, /, *, has_other: bool
    ) -> Awaitable[None]: ...


class Guard:
    """Lives as long as one call; its models have it before the session is known, which opens it."""

    def __init__(self) -> None:
        self._breakers: ProviderBreakers | None = None
        self._owner = ""
        self._on_alert: Callable[[str], None] = lambda _: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._shut_until: dict[str, float] = {}
        """By circuit, as far as this call was told: a monotonic time."""

    def open(self, breakers: ProviderBreakers, owner: str, on_alert: Callable[[str], None]) -> None:
        """Until then every provider may be asked.

        `owner` names the call for whoever waits for its probe. `on_alert` gets the circuit of a
        provider that refuses June's key, once, and must not raise.
        """
        self._breakers, self._owner, self._on_alert = breakers, owner, on_alert

    async def permit(self, circuit: str) -> Permit | None:
        """None where there is no breaker to ask."""
        if not circuit or self._breakers is None:
            return None
        permit = await self._breakers.acquire(circuit, self._owner)
        self._shut_until[circuit] = time.monotonic() + permit.retry_after_seconds
        return permit

    async def answer(
        self, providers: Sequence[Provider[M]], ask: Ask[M], *, has_begun: Callable[[], bool]
    ) -> None:
        """Ask one after the other until one has answered; none more once an answer `has_begun`.

        Raises:
            Refused: there is no money for it.
            Unanswered: nobody has, or may be asked.
            BrokenOff: the answer that had begun did not end well.
        """
        requests, hopeless = 0, None
        order = _in_order(providers)
        for place, provider in enumerate(order):
            if provider is hopeless or (provider.circuit and requests == MOST_REQUESTS):
                continue
            permit = await self.permit(provider.circuit)
            if permit is not None and not permit.allowed:
                log.debug("provider.skipped", circuit=provider.circuit, reason=permit.reason)
                hopeless = provider
                continue
            has_other = any(
                self._may_be_asked(later, requests + 1)
                for later in order[place + 1 :]
                if later is not provider
            )
            request = Request(self, permit)
            requests += bool(provider.circuit)
            try:
                await ask(provider.model, request, has_other=has_other)
            except Refused:
                request.judge(NOTHING)
                raise
            except Exception as error:  # noqa: BLE001  whatever it is, the call goes on
                log.warning(
                    "provider.failed",
                    circuit=provider.circuit or "local",
                    error=type(error).__name__,
                    status=getattr(error, "status_code", None),
                    has_begun=has_begun(),
                )
                is_blameless = isinstance(error, TooSlow) and not error.is_its_fault
                told = verdict_of(error, provider.busy.retry_after_seconds)
                count_request(provider.model, _outcome(error, told))
                verdict = NOTHING if is_blameless else told
                if (telling := request.judge(verdict)) is not None:
                    await asyncio.wait({telling})
                if has_begun():
                    raise BrokenOff from None
                # Nor has one that was too slow the time to be asked again.
                is_quick = verdict == FAILURE and not isinstance(error, TooSlow)
                hopeless = None if is_quick else provider
            except BaseException:  # the caller cut in
                count_request(provider.model, "cancelled")
                request.judge(NOTHING)
                raise
            else:
                count_request(provider.model, "answered")
                request.judge(USEFUL)
                return
        raise Unanswered from None

    def _may_be_asked(self, provider: Provider[M], requests: int) -> bool:
        """After so many requests; as far as is known without asking its breaker."""
        if not provider.circuit:
            return True
        is_shut = time.monotonic() < self._shut_until.get(provider.circuit, 0.0)
        return requests < MOST_REQUESTS and not is_shut

    def tell(self, permit: Permit, verdict: Verdict) -> "asyncio.Task[None]":
        """Whoever is cancelled meanwhile has told it all the same."""
        return self._begin(self._report(permit, verdict), "june.guard.report")

    @asynccontextmanager
    async def closing(self, request: C) -> AsyncIterator[C]:
        """Closes it in the end, and waits for that no longer than a caller may."""
        try:
            yield request
        finally:
            task = self._begin(request.aclose(), "june.guard.close")
            await asyncio.wait({task}, timeout=REQUEST_CLOSE_SECONDS)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("guard.task_failed", task=task.get_name(), error=type(error).__name__)

    async def _report(self, permit: Permit, verdict: Verdict) -> None:
        assert self._breakers is not None
        effect = await self._breakers.report(permit, verdict)
        match effect.phase:
            case Phase.OPEN:
                log.warning(
                    "breaker.opened",
                    circuit=permit.circuit,
                    why=verdict.kind,
                    seconds=round(effect.seconds, 1),
                )
            case Phase.CLOSED:
                log.info("breaker.closed", circuit=permit.circuit)
        if effect.is_alert:
            self._on_alert(permit.circuit)

    async def aclose(self) -> None:
        """What is not done by then is cancelled."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()


def _outcome(error: Exception, told: Verdict) -> str:
    if isinstance(error, TooSlow):
        return "too_slow"
    return "rejected" if told == NOTHING else told.kind


def _in_order(providers: Sequence[Provider[M]]) -> Sequence[Provider[M]]:
    """One that is hosted and alone is asked twice; those of this machine are the last resort."""
    hosted = [one for one in providers if one.circuit]
    local = [one for one in providers if not one.circuit]
    return [*(hosted * MOST_REQUESTS if len(hosted) == 1 else hosted), *local]
