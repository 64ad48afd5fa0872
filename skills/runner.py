"""The only way by which June runs a skill's code: it may fail, hang or flood and hurts no call."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, cast

from pydantic import BaseModel

from skills.ability import Ability
from skills.across import PortsAcross
from skills.cut import cut
from skills.errors import SkillError
from skills.faults import log_blocked, log_failed, log_late
from skills.ports import Ports
from skills.skill import Skill
from skills.thread import Job, SkillThread

STEP_SECONDS = 1.0
ABILITY_SECONDS = 10.0
GRACE_SECONDS = 0.5
"""How long a skill has to end once it was cancelled."""
CLOSE_SECONDS = 1.0
LONGEST_CHARACTERS = 2_000

T = TypeVar("T")


class SkillFailed(Exception):
    """A skill did not do what it was asked: it raised, took too long, or is blocked.

    Why is in the log. The error says nothing of it, because it may hold a caller's words.
    """

    def __init__(self, skill: str) -> None:
        super().__init__(f"the skill `{skill}` failed")
        self.skill = skill


class Runner:
    """Lives as long as one call, on its loop; has one thread for each skill that was used.

    A skill that does not end when its time is over is abandoned: it is not run again in the call.
    """

    def __init__(
        self, *, grace_seconds: float = GRACE_SECONDS, close_seconds: float = CLOSE_SECONDS
    ) -> None:
        self._grace_seconds = grace_seconds
        self._close_seconds = close_seconds
        self._threads: dict[str, SkillThread] = {}
        self._abandoned: set[str] = set()
        self._is_closed = False

    async def step(
        self, skill: Skill, function: Callable[[], T], seconds: float = STEP_SECONDS
    ) -> T:
        """What a mode's function returns. Cancelling it cancels the step.

        Raises:
            SkillError: as the skill raised it.
            SkillFailed: for anything else, and after `seconds`.
        """

        async def work() -> T:
            return function()

        return await self._run(skill, work, asyncio.timeout(seconds))

    async def use(
        self,
        skill: Skill,
        ability: Ability,
        arguments: BaseModel,
        ports: Ports,
        seconds: float = ABILITY_SECONDS,
    ) -> str:
        """What an ability returns, at most `LONGEST_CHARACTERS` of it.

        The time that the caller takes to answer its questions does not count. Cancelling the use
        cancels the ability, and `ports` are out of its reach afterwards.

        Raises:
            SkillError: as the skill raised it.
            SkillFailed: for anything else, and after `seconds`.
        """
        limit = asyncio.timeout(seconds)
        across = PortsAcross(ports, skill.name, limit)
        try:
            said: object = await self._run(skill, partial(ability.use, across, arguments), limit)
        finally:
            across.close()
        if not isinstance(said, str):
            log_failed(skill, TypeError("an ability returns what June says"))
            raise SkillFailed(skill.name)
        return cut(said, LONGEST_CHARACTERS)

    async def aclose(self) -> None:
        """End the threads that still answer. What is still at work fails."""
        self._is_closed = True
        threads = tuple(self._threads.values())
        for thread in threads:
            thread.stop()
        try:
            if threads:
                ends = [thread.ended for thread in threads]
                await asyncio.wait(ends, timeout=self._close_seconds)
        finally:
            for thread in threads:
                if not thread.ended.done():
                    thread.abandon()

    async def _run(
        self, skill: Skill, work: Callable[[], Awaitable[T]], limit: asyncio.Timeout
    ) -> T:
        if self._is_closed or skill.name in self._abandoned:
            raise SkillFailed(skill.name)
        thread = self._thread(skill)
        job = thread.begin(work)
        try:
            async with limit:
                await asyncio.wait((job.outcome,))
        except TimeoutError:
            if not job.outcome.done():
                log_late(skill)
        finally:
            if not job.outcome.done():
                self._give_up(skill, thread, job, limit)
        if not job.outcome.done():
            raise SkillFailed(skill.name)
        outcome = job.outcome.result()
        if outcome.error is None:
            return cast("T", outcome.value)
        if isinstance(outcome.error, SkillError):
            raise _of_a_bearable_length(outcome.error)
        log_failed(skill, outcome.error)
        raise SkillFailed(skill.name)

    def _thread(self, skill: Skill) -> SkillThread:
        if skill.name not in self._threads:
            self._threads[skill.name] = SkillThread(skill.name, partial(log_failed, skill))
        return self._threads[skill.name]

    def _give_up(
        self, skill: Skill, thread: SkillThread, job: Job[T], limit: asyncio.Timeout
    ) -> None:
        job.give_up()
        loop = asyncio.get_running_loop()
        # Who is interrupted within its time has the rest of it, blocked or not.
        ends_at = max(loop.time(), limit.when() or 0.0)
        loop.call_at(ends_at + self._grace_seconds, self._abandon_if_at_work, skill, thread, job)

    def _abandon_if_at_work(self, skill: Skill, thread: SkillThread, job: Job[T]) -> None:
        if job.outcome.done() or self._is_closed:
            return
        self._abandoned.add(skill.name)
        log_blocked(skill, thread.frames())
        thread.abandon()


def _of_a_bearable_length(error: SkillError) -> SkillError:
    text = str(error)
    return error if len(text) <= LONGEST_CHARACTERS else SkillError(cut(text, LONGEST_CHARACTERS))
