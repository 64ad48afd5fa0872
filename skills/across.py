"""June's ports as a skill has them: on its own thread, counted, and closed after the use."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

import structlog

from skills.alarm import Alarm
from skills.cut import cut
from skills.ports import Alarms, KeptVoice, Memory, Ports
from skills.skill import Skill

SAYINGS = 5
QUESTIONS = 20
SAYING_CHARACTERS = 500
AT_ONCE = 4
"""So many calls of one use are carried over at a time; the others wait on the skill's thread."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class _Carry(Protocol):
    async def __call__(self, begin: Callable[[], Coroutine[Any, Any, T]], /) -> T: ...


class PortsAcross:
    """`Ports` for one use of an ability; every call runs on the loop that made it.

    While a question is asked the deadline stands still.
    """

    def __init__(self, ports: Ports, skill: str, deadline: asyncio.Timeout) -> None:
        self._ports = ports
        self._skill = skill
        self._deadline = deadline
        self._home = asyncio.get_running_loop()
        # The store's log lines belong to the call, whoever asked for them.
        self._context = contextvars.copy_context()
        self._carried: set[asyncio.Task[Any]] = set()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._one_question = asyncio.Lock()
        self._sayings = 0
        self._questions = 0
        self._is_over = False
        self.memory: Memory = _MemoryAcross(ports.memory, self._few)
        self.alarms: Alarms = _AlarmsAcross(ports.alarms, self._few)
        self.voice: KeptVoice = _VoiceAcross(ports.voice, self._few)

    @property
    def language(self) -> str:
        return self._ports.language

    @property
    def skills(self) -> Sequence[Skill]:
        return self._ports.skills

    @property
    def has_model(self) -> bool:
        return self._ports.has_model

    def now(self) -> datetime:
        return self._ports.now()

    async def say(self, text: str) -> None:
        """What is too much is left out."""
        sentence = cut(text, SAYING_CHARACTERS)
        await self._few(lambda: self._say(sentence))

    async def ask(self, question: str) -> str:
        """One question at a time.

        Raises:
            RuntimeError: after too many.
        """
        sentence = cut(question, SAYING_CHARACTERS)
        return await self._carry(lambda: self._ask(sentence))

    async def hang_up(self) -> None:
        await self._few(self._ports.hang_up)

    def close(self) -> None:
        """On the caller's loop: nothing is carried over any more."""
        self._is_over = True
        for task in self._carried:
            task.cancel()

    async def _say(self, sentence: str) -> None:
        self._sayings += 1
        if self._sayings <= SAYINGS:
            await self._ports.say(sentence)
        elif self._sayings == SAYINGS + 1:
            log.warning("skill.flooded", skill=self._skill, sentences=SAYINGS)

    async def _ask(self, sentence: str) -> str:
        self._questions += 1
        if self._questions > QUESTIONS:
            raise RuntimeError(f"more than {QUESTIONS} questions in one use")
        async with self._one_question:
            with self._stopped_deadline():
                return await self._ports.ask(sentence)

    @contextmanager
    def _stopped_deadline(self) -> Iterator[None]:
        ends_at = self._deadline.when()
        left = 0.0 if ends_at is None else ends_at - self._home.time()
        with suppress(RuntimeError):  # it is over already
            self._deadline.reschedule(None)
        try:
            yield
        finally:
            with suppress(RuntimeError):
                self._deadline.reschedule(self._home.time() + left)

    async def _few(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with self._at_once:
            return await self._carry(begin)

    async def _carry(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        carried = self._on_home(begin)
        try:
            future = self._context.copy().run(asyncio.run_coroutine_threadsafe, carried, self._home)
        except RuntimeError:
            carried.close()  # the call is over, and its loop closed
            raise
        return await asyncio.wrap_future(future)

    async def _on_home(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self._is_over:
            raise RuntimeError("the ports of an ability are its own for one use only")
        task = asyncio.current_task()
        assert task is not None
        self._carried.add(task)
        try:
            return await begin()
        finally:
            self._carried.discard(task)


class _MemoryAcross:
    def __init__(self, memory: Memory, carry: _Carry) -> None:
        self._memory = memory
        self._carry = carry

    async def put(self, key: str, text: str) -> None:
        await self._carry(lambda: self._memory.put(key, text))

    async def all(self) -> Mapping[str, str]:
        return await self._carry(self._memory.all)

    async def take(self, key: str) -> str | None:
        return await self._carry(lambda: self._memory.take(key))


class _AlarmsAcross:
    def __init__(self, alarms: Alarms, carry: _Carry) -> None:
        self._alarms = alarms
        self._carry = carry

    async def set(self, alarm: Alarm) -> None:
        await self._carry(lambda: self._alarms.set(alarm))

    async def all(self) -> Sequence[Alarm]:
        return await self._carry(self._alarms.all)

    async def cancel(self, key: str) -> bool:
        return await self._carry(lambda: self._alarms.cancel(key))


class _VoiceAcross:
    def __init__(self, voice: KeptVoice, carry: _Carry) -> None:
        self._voice = voice
        self._carry = carry

    async def delete(self) -> Literal["nothing", "deleted", "going"]:
        return await self._carry(self._voice.delete)
