"""One use of an ability: from its beginning to its result, with the questions that it asks."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """What the ability wants to know before it goes on."""

    text: str


class SkillUse:
    """Lives until its result is there, the caller does not answer, or the call ends."""

    def __init__(self) -> None:
        self._questions: asyncio.Queue[str] = asyncio.Queue()
        self._answer: asyncio.Future[str] | None = None
        self._task: asyncio.Task[str] | None = None

    def begin(self, name: str, run: Callable[[], Awaitable[str]]) -> None:
        async def result() -> str:
            return await run()

        self._task = asyncio.create_task(result(), name=f"june.skill.{name}")

    async def ask(self, question: str) -> str:
        """For the ability: what the caller answers."""
        self._answer = asyncio.get_running_loop().create_future()
        self._questions.put_nowait(question)
        try:
            return await self._answer
        finally:
            self._answer = None

    @property
    def is_asking(self) -> bool:
        return self._answer is not None and not self._answer.done()

    async def outcome(self) -> str | Question:
        """Its result, or its next question. Raises what the ability raises."""
        assert self._task is not None
        asking = asyncio.create_task(self._questions.get(), name="june.skill.question")
        try:
            await asyncio.wait({self._task, asking}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.cancel()  # the caller spoke again before it was done
            raise
        finally:
            asking.cancel()
        if asking.done() and not asking.cancelled():
            return Question(asking.result())
        return self._task.result()

    async def answered(self, answer: str) -> str | Question:
        """The caller has answered; what comes of it."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)
        return await self.outcome()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def aclose(self) -> None:
        self.cancel()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=1.0)
