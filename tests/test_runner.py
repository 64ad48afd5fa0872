"""Whatever a skill does, the call goes on: real threads, real blocking, short deadlines."""

import asyncio
import contextvars
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import structlog
from skill_fakes import WEDNESDAY, FakePorts
from structlog.testing import capture_logs

from skills import Ability, Alarm, Ports, Skill, SkillError, ability
from skills.across import QUESTIONS, SAYING_CHARACTERS, SAYINGS, PortsAcross
from skills.runner import LONGEST_CHARACTERS, Runner, SkillFailed

SHORT_SECONDS = 0.1
GRACE_SECONDS = 0.1
AMPLE_SECONDS = 5.0

WORDS = "my password is swordfish"

caller = contextvars.ContextVar("caller", default="nobody")


def skill(*abilities: Ability, name: str = "odd") -> Skill:
    return Skill(name=name, file=__file__, help="be odd", abilities=abilities)


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    """One that is impatient. Its end is part of every test: it is quick, whatever was blocked."""
    runner = Runner(grace_seconds=GRACE_SECONDS, close_seconds=0.5)
    yield runner
    began = time.monotonic()
    await runner.aclose()
    assert time.monotonic() - began < 0.8


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """For code that a test blocks: it is let go at the end."""
    event = threading.Event()
    yield event
    event.set()


async def use(
    runner: Runner,
    ability: Ability,
    ports: FakePorts | None = None,
    *,
    seconds: float = AMPLE_SECONDS,
    skill_name: str = "odd",
    **arguments: object,
) -> str:
    return await runner.use(
        skill(ability, name=skill_name),
        ability,
        ability.arguments.model_validate(arguments),
        FakePorts() if ports is None else ports,
        seconds,
    )


@ability
async def greet(name: str, ports: Ports) -> str:
    """Greet somebody."""
    return f"Good day, {name}, in {ports.language}."


@ability
async def sleep_for_ever() -> str:
    """Await something that never comes."""
    await asyncio.sleep(3_600)
    return "never"


@ability
async def block() -> str:
    """Block its thread."""
    time.sleep(0.7)  # noqa: ASYNC251 - it is the fault that is tested
    return "late"


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


async def eventually(holds: Callable[[], bool], within_seconds: float = 3.0) -> None:
    async with asyncio.timeout(within_seconds):
        while not holds():
            await asyncio.sleep(0.01)


async def test_an_ability_runs_on_its_own_thread(runner: Runner) -> None:
    """And what it returns comes back."""
    assert await use(runner, greet, name="Ann") == "Good day, Ann, in en."
    assert "june.skill.odd" in names()


async def test_a_step_runs_on_the_thread_of_its_skill(runner: Runner) -> None:
    """A mode's functions are not async."""
    assert await runner.step(skill(), lambda: threading.current_thread().name) == "june.skill.odd"


async def test_ports_reach_the_call(runner: Runner) -> None:
    """Every call runs on the call's loop, as if there were no threads."""
    loop_of_call = asyncio.get_running_loop()
    seen: list[object] = []

    class Watching(FakePorts):
        async def say(self, text: str) -> None:
            seen.append(asyncio.get_running_loop())
            await super().say(text)

    @ability
    async def everything(ports: Ports) -> str:
        """Use all there is."""
        seen.append(asyncio.get_running_loop())
        alarm = Alarm("k", ports.now() + timedelta(seconds=5), "eggs", "Your eggs.")
        await ports.memory.put("a", "apples")
        await ports.memory.put("b", "pears")
        await ports.alarms.set(alarm)
        assert await ports.alarms.all() == [alarm]
        assert await ports.alarms.cancel("k")
        assert not await ports.alarms.cancel("k")
        assert await ports.memory.all() == {"a": "apples", "b": "pears"}
        await ports.say("One moment.")
        answer = await ports.ask("How many?")
        await ports.hang_up()
        assert ports.skills == ()
        assert ports.has_model
        return f"{answer} {await ports.memory.take('a')} {await ports.memory.take('a')}"

    ports = Watching(has_model=True, answers=["Two"])
    assert await use(runner, everything, ports) == "Two apples None"
    assert (ports.said, ports.asked, ports.hung_up) == (["One moment."], ["How many?"], True)
    assert ports.memory.texts == {"b": "pears"}
    assert ports.alarms.by_key == {}
    assert seen[0] is not loop_of_call
    assert seen[1] is loop_of_call


async def test_what_a_port_refuses_the_skill_may_handle(runner: Runner) -> None:
    """A `SkillError` of the store crosses both ways as it is."""

    @ability
    async def handles(ports: Ports) -> str:
        """Try."""
        try:
            await ports.memory.put("a", "b")
        except SkillError:
            return "I could not note it."
        return "Noted."

    @ability
    async def lets_it_through(ports: Ports) -> str:
        """Try."""
        await ports.memory.put("a", "b")
        return "Noted."

    ports = FakePorts()
    ports.memory.is_away = True
    assert await use(runner, handles, ports) == "I could not note it."
    with pytest.raises(SkillError, match="reach my memory"):
        await use(runner, lets_it_through, ports)


async def test_a_skill_error_passes_through_unchanged(runner: Runner) -> None:
    """Its text is for the caller, and it is no fault, so it is not logged."""
    error = SkillError("There is no such timer.")

    def raises() -> None:
        raise error

    with capture_logs() as logs, pytest.raises(SkillError) as caught:
        await runner.step(skill(), raises)
    assert caught.value is error
    assert logs == []


async def test_a_skill_error_of_any_length_is_bearable(runner: Runner) -> None:
    """A skill that puts a page of HTML into it does not read it out."""

    def raises() -> None:
        raise SkillError("No such page. " * 5_000)

    with pytest.raises(SkillError) as caught:
        await runner.step(skill(), raises)
    assert len(str(caught.value)) <= LONGEST_CHARACTERS


class Unprintable(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise ValueError(WORDS)


RAISES: list[Callable[[], BaseException]] = [
    lambda: ValueError(WORDS),
    lambda: SystemExit(WORDS),
    lambda: KeyboardInterrupt(WORDS),
    lambda: asyncio.CancelledError(WORDS),
    lambda: TimeoutError(WORDS),
    lambda: StopIteration(WORDS),
    lambda: GeneratorExit(WORDS),
    lambda: BaseException(WORDS),
    lambda: ExceptionGroup("several", [ValueError(WORDS)]),
    lambda: Unprintable(WORDS),
]


@pytest.mark.parametrize("make", RAISES, ids=lambda make: type(make()).__name__)
@pytest.mark.parametrize("is_step", [True, False], ids=["step", "ability"])
async def test_whatever_a_skill_raises_is_its_own_failure(
    runner: Runner, make: Callable[[], BaseException], is_step: bool
) -> None:
    """It is logged once, with where it happened and without a word of its text."""

    @ability
    async def raises() -> str:
        """Raise."""
        raise make()

    def raises_in_step() -> str:
        raise make()

    work = runner.step(skill(), raises_in_step) if is_step else use(runner, raises)
    with capture_logs() as logs, pytest.raises(SkillFailed) as caught:
        await work
    code = (raises_in_step if is_step else raises.function).__code__
    assert logs == [
        {
            "event": "skill.failed",
            "log_level": "error",
            "skill": "odd",
            "file": __file__,
            "line": code.co_firstlineno + (1 if is_step else 3),
            "error": type(make()).__name__,
        }
    ]
    assert "swordfish" not in f"{logs} {caught.value!r}"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert await runner.step(skill(), lambda: "and still at work") == "and still at work"


async def test_a_background_task_that_exits_leaves_the_skill_alive(runner: Runner) -> None:
    """`SystemExit` in a task would end an event loop."""
    tasks: list[asyncio.Task[None]] = []

    async def exits() -> None:
        raise SystemExit(WORDS)

    async def fails() -> None:
        raise ValueError(WORDS)

    @ability
    async def begins_it() -> str:
        """Begin it."""
        tasks.append(asyncio.create_task(exits()))
        tasks.append(asyncio.create_task(fails()))
        return "Begun."

    with capture_logs() as logs:
        assert await use(runner, begins_it) == "Begun."
        assert await use(runner, greet, name="Ann") == "Good day, Ann, in en."
        await eventually(lambda: all(task.done() for task in tasks))
        tasks.clear()
        await use(runner, greet, name="Ann")
    assert {entry["error"] for entry in logs} <= {"SystemExit", "ValueError"}
    assert "swordfish" not in str(logs)


@pytest.mark.parametrize("value", [None, 7, b"bytes", ["a"]], ids=repr)
async def test_a_result_that_is_no_text_is_a_fault(runner: Runner, value: Any) -> None:
    """June can say nothing else."""

    @ability
    async def returns() -> Any:
        """Return it."""
        return value

    with capture_logs() as logs, pytest.raises(SkillFailed):
        await use(runner, returns)
    assert [entry["error"] for entry in logs] == ["TypeError"]


async def test_a_long_result_is_cut_at_the_end_of_a_sentence(runner: Runner) -> None:
    """5,000 words are ten minutes of talk."""

    @ability
    async def talks() -> str:
        """Talk."""
        return "And so it went on. " * 1_000

    said = await use(runner, talks)
    assert LONGEST_CHARACTERS - 20 < len(said) <= LONGEST_CHARACTERS
    assert said.endswith("went on.")


async def test_half_a_character_is_harmless(runner: Runner) -> None:
    """Nothing that is kept or spoken could be encoded with it."""

    @ability
    async def returns(ports: Ports) -> str:
        """Return it."""
        await ports.say("a\ud800b")
        return "c\udfffd"

    ports = FakePorts()
    assert await use(runner, returns, ports) == "c?d"
    assert ports.said == ["a?b"]


async def test_a_flood_of_sentences_is_stopped(runner: Runner) -> None:
    """A few are said, and each is short."""

    @ability
    async def floods(ports: Ports) -> str:
        """Say too much."""
        await asyncio.gather(*(ports.say(f"{n}. " + "word " * 1_000) for n in range(500)))
        return "Done."

    ports = FakePorts()
    with capture_logs() as logs:
        assert await use(runner, floods, ports) == "Done."
    assert len(ports.said) == SAYINGS
    assert all(len(sentence) <= SAYING_CHARACTERS for sentence in ports.said)
    assert [entry["event"] for entry in logs] == ["skill.flooded"]


async def test_questions_without_end_are_a_fault(runner: Runner) -> None:
    """Their time does not count, so their number does."""

    @ability
    async def asks(ports: Ports) -> str:
        """Ask."""
        while True:
            await ports.ask("Are you sure?")

    ports = FakePorts(answers=["perhaps"] * 100)
    with pytest.raises(SkillFailed):
        await use(runner, asks, ports)
    assert len(ports.asked) == QUESTIONS


async def test_a_flood_of_notes_lets_the_call_run(runner: Runner) -> None:
    """A few at a time are carried over, so the call's loop is never full of them."""
    at_once = 0
    most = 0

    class Slow(FakePorts):
        async def hang_up(self) -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1

    @ability
    async def floods(ports: Ports) -> str:
        """Hang up, and again."""
        await asyncio.gather(*(ports.hang_up() for _ in range(1_000)))
        return "Done."

    assert await use(runner, floods, Slow()) == "Done."
    assert 1 <= most <= 4


async def test_the_time_to_answer_does_not_count(runner: Runner) -> None:
    """A caller thinks for longer than a skill may work, twice, and after it the deadline holds."""

    class Thinking(FakePorts):
        async def ask(self, question: str) -> str:
            await asyncio.sleep(SHORT_SECONDS * 3)
            return await super().ask(question)

    @ability
    async def asks(ports: Ports) -> str:
        """Ask."""
        return f"{await ports.ask('First?')} {await ports.ask('And second?')}"

    @ability
    async def asks_and_hangs(ports: Ports) -> str:
        """Ask, and never come back."""
        await ports.ask("First?")
        await asyncio.sleep(3_600)
        return "never"

    ports = Thinking(answers=["one", "two", "three"])
    assert await use(runner, asks, ports, seconds=SHORT_SECONDS) == "one two"
    with pytest.raises(SkillFailed):
        await use(runner, asks_and_hangs, ports, seconds=SHORT_SECONDS)


async def test_what_awaits_for_ever_is_cancelled(runner: Runner) -> None:
    """And the skill can be used again."""
    with capture_logs() as logs, pytest.raises(SkillFailed):
        await use(runner, sleep_for_ever, seconds=SHORT_SECONDS)
    assert [(entry["event"], entry["error"]) for entry in logs] == [
        ("skill.failed", "TimeoutError")
    ]
    await asyncio.sleep(GRACE_SECONDS * 2)
    assert await use(runner, greet, name="Ann") == "Good day, Ann, in en."


@pytest.mark.parametrize("is_step", [True, False], ids=["step", "ability"])
async def test_a_blocked_skill_is_abandoned(
    runner: Runner, released: threading.Event, is_step: bool
) -> None:
    """The caller waits no longer than for any other; then the skill fails at once."""

    @ability
    async def blocks() -> str:
        """Block."""
        released.wait(30)
        return "late"

    began = time.monotonic()
    work = (
        runner.step(skill(), lambda: released.wait(30), SHORT_SECONDS)
        if is_step
        else use(runner, blocks, seconds=SHORT_SECONDS)
    )
    with capture_logs() as logs, pytest.raises(SkillFailed):
        await work
    assert time.monotonic() - began < SHORT_SECONDS * 3
    with capture_logs() as later:
        await asyncio.sleep(GRACE_SECONDS * 2)
    assert [entry["event"] for entry in logs] == ["skill.failed"]
    assert [entry["event"] for entry in later] == ["skill.blocked"]
    assert later[0]["file"] == __file__
    began = time.monotonic()
    with pytest.raises(SkillFailed):
        await use(runner, greet, name="Ann")
    assert time.monotonic() - began < 0.05


async def test_the_log_has_the_line_that_blocks(runner: Runner, released: threading.Event) -> None:
    """So a developer finds the call to blame."""

    def blocks() -> None:
        released.wait(30)

    with capture_logs() as logs, pytest.raises(SkillFailed):
        await runner.step(skill(), blocks, SHORT_SECONDS)
    with capture_logs() as logs:
        await asyncio.sleep(GRACE_SECONDS * 2)
    assert logs[0]["line"] == blocks.__code__.co_firstlineno + 1


async def test_an_endless_loop_is_abandoned_and_ends(runner: Runner) -> None:
    """Otherwise it would take half of the interpreter's time from the call."""
    beats = count()
    last = [0]
    is_over = False

    def spins() -> None:
        while not is_over:
            last[0] = next(beats)

    try:
        with pytest.raises(SkillFailed):
            await runner.step(skill(), spins, SHORT_SECONDS)
        await asyncio.sleep(GRACE_SECONDS)
        await eventually(lambda: "june.skill.odd" not in names())
        assert last[0] > 0
    finally:
        is_over = True


async def test_a_loop_that_cannot_be_ended_hurts_no_other_skill(runner: Runner) -> None:
    """It swallows everything; only its own flag ends it."""
    is_over = False

    def spins() -> None:
        while not is_over:
            try:
                sum(range(1_000))
            except BaseException:  # noqa: BLE001 - the fault that is tested
                continue

    try:
        with pytest.raises(SkillFailed):
            await runner.step(skill(), spins, SHORT_SECONDS)
        await asyncio.sleep(GRACE_SECONDS * 2)
        with pytest.raises(SkillFailed):
            await runner.step(skill(), lambda: "again")
        assert await use(runner, greet, name="Ann", skill_name="other") == "Good day, Ann, in en."
    finally:
        is_over = True


async def test_one_blocked_skill_keeps_no_other_waiting(
    runner: Runner, released: threading.Event
) -> None:
    """Each has its own thread."""
    blocked = asyncio.create_task(
        runner.step(skill(name="blocked"), lambda: released.wait(30), SHORT_SECONDS * 5)
    )
    await asyncio.sleep(0)
    for _ in range(20):
        began = time.monotonic()
        assert await use(runner, greet, name="Ann") == "Good day, Ann, in en."
        assert time.monotonic() - began < 0.1
    assert not blocked.done()
    with pytest.raises(SkillFailed):
        await blocked


async def test_what_waits_behind_a_blocked_use_fails_with_it(
    runner: Runner, released: threading.Event
) -> None:
    """Not after its own ten seconds."""
    blocked = asyncio.create_task(runner.step(skill(), lambda: released.wait(30), SHORT_SECONDS))
    await asyncio.sleep(0)
    began = time.monotonic()
    with pytest.raises(SkillFailed):
        await use(runner, greet, name="Ann")
    assert time.monotonic() - began < SHORT_SECONDS + GRACE_SECONDS + 0.2
    with pytest.raises(SkillFailed):
        await blocked


async def test_who_will_not_be_cancelled_is_abandoned(runner: Runner) -> None:
    """It has had its time, and the time to end."""
    cancelled = 0

    @ability
    async def stays() -> str:
        """Go on, whatever comes."""
        nonlocal cancelled
        while cancelled < 2:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                cancelled += 1
        return "late"

    with pytest.raises(SkillFailed):
        await use(runner, stays, seconds=SHORT_SECONDS)
    with capture_logs() as logs:
        await asyncio.sleep(GRACE_SECONDS * 2)
    assert [entry["event"] for entry in logs] == ["skill.blocked"]
    with pytest.raises(SkillFailed):
        await use(runner, greet, name="Ann")
    await eventually(lambda: cancelled == 2)


async def test_who_ends_late_but_in_its_grace_stays(runner: Runner) -> None:
    """A `finally` that takes a moment is good manners."""

    @ability
    async def tidies() -> str:
        """Tidy up."""
        try:
            await asyncio.sleep(3_600)
        finally:
            await asyncio.sleep(GRACE_SECONDS / 4)
        return "late"

    with pytest.raises(SkillFailed):
        await use(runner, tidies, seconds=SHORT_SECONDS)
    await asyncio.sleep(GRACE_SECONDS * 2)
    assert await use(runner, greet, name="Ann") == "Good day, Ann, in en."


async def test_cancelling_the_use_cancels_the_ability(runner: Runner) -> None:
    """A caller talks over it, or the call ends; the skill is used again as ever."""
    ends: list[str] = []

    @ability
    async def waits() -> str:
        """Wait."""
        ends.append("begun")
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        return "never"

    using = asyncio.create_task(use(runner, waits))
    await eventually(lambda: ends == ["begun"])
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    await eventually(lambda: ends == ["begun", "cancelled"])
    assert await use(runner, greet, name="Ann") == "Good day, Ann, in en."


async def test_cancelling_the_use_takes_the_question_back(runner: Runner) -> None:
    """Nobody listens for its answer any more."""
    ends: list[str] = []

    class Thinking(FakePorts):
        async def ask(self, question: str) -> str:
            ends.append("asked")
            try:
                await asyncio.sleep(3_600)
            finally:
                ends.append("taken back")
            return ""

    @ability
    async def asks(ports: Ports) -> str:
        """Ask."""
        return await ports.ask("Well?")

    using = asyncio.create_task(use(runner, asks, Thinking()))
    await eventually(lambda: ends == ["asked"])
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    await eventually(lambda: ends == ["asked", "taken back"])


async def test_what_was_cancelled_before_it_began_never_does(runner: Runner) -> None:
    """A speculated step whose turn changed waits behind another one."""
    begun: list[str] = []
    first = asyncio.create_task(runner.step(skill(), lambda: time.sleep(0.2)))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(runner.step(skill(), lambda: begun.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    await first
    await runner.step(skill(), lambda: begun.append("third"))
    assert begun == ["third"]


async def test_who_is_interrupted_has_the_rest_of_its_time(runner: Runner) -> None:
    """A slow request that a caller talked over is no reason to lose the skill."""
    using = asyncio.create_task(use(runner, block, seconds=2.0))
    await asyncio.sleep(0.05)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    await asyncio.sleep(GRACE_SECONDS * 2)
    assert await use(runner, greet, name="Ann") == "Good day, Ann, in en."


async def test_ports_end_with_the_use(runner: Runner) -> None:
    """A task that a skill leaves behind has no call to talk to."""
    kept: list[Ports] = []
    outcome: list[BaseException] = []

    @ability
    async def keeps(ports: Ports) -> str:
        """Keep them."""
        kept.append(ports)
        return "Kept."

    async def says_later() -> None:
        try:
            await kept[0].say("Boo!")
        except RuntimeError as error:
            outcome.append(error)

    @ability
    async def uses_the_old_ones() -> str:
        """Use them."""
        await says_later()
        return "Said."

    ports = FakePorts()
    await use(runner, keeps, ports)
    assert await use(runner, uses_the_old_ones) == "Said."
    assert len(outcome) == 1
    assert ports.said == []


async def test_a_skill_sees_nothing_of_the_call(runner: Runner) -> None:
    """Neither the call's context variables nor those that structlog has bound; and the reverse."""
    seen: list[object] = []

    class Watching(FakePorts):
        async def say(self, text: str) -> None:
            seen.append((caller.get(), dict(structlog.contextvars.get_contextvars())))

    @ability
    async def looks(ports: Ports) -> str:
        """Look."""
        seen.append((caller.get(), dict(structlog.contextvars.get_contextvars())))
        caller.set("the skill")
        structlog.contextvars.bind_contextvars(heard=WORDS)
        await ports.say("Hm.")
        return "Looked."

    caller.set("Ann")
    with structlog.contextvars.bound_contextvars(session="s1"):
        await use(runner, looks, Watching())
        await use(runner, looks, Watching())
        assert structlog.contextvars.get_contextvars() == {"session": "s1"}
    assert seen == [("nobody", {}), ("Ann", {"session": "s1"})] * 2
    assert caller.get() == "Ann"


async def test_work_in_other_threads_is_no_reason_to_wait(runner: Runner) -> None:
    """`asyncio.to_thread` works in a skill, and blocked it keeps nobody from ending."""
    stuck = threading.Event()

    @ability
    async def works() -> str:
        """Work."""
        names = await asyncio.gather(
            *(asyncio.to_thread(lambda: threading.current_thread().daemon) for _ in range(20))
        )
        try:
            await asyncio.to_thread(lambda: 1 / 0)
        except ZeroDivisionError:
            return f"{all(names)}"
        return "no error"

    @ability
    async def sticks() -> str:
        """Wait in another thread."""
        await asyncio.to_thread(stuck.wait, 30)
        return "late"

    assert await use(runner, works) == "True"
    with pytest.raises(SkillFailed):
        await use(runner, sticks, seconds=SHORT_SECONDS)
    assert await use(runner, works) == "True"
    stuck.set()


async def test_two_uses_at_once(runner: Runner) -> None:
    """What awaits lets the other run, on the one thread."""
    gate = asyncio.Event()

    @ability
    async def waits() -> str:
        """Wait."""
        await gate.wait()
        return "first"

    @ability
    async def opens() -> str:
        """Open."""
        gate.set()
        return "second"

    first, second = await asyncio.gather(use(runner, waits), use(runner, opens))
    assert (first, second) == ("first", "second")


async def test_the_end_is_quick_with_a_blocked_thread(released: threading.Event) -> None:
    """A call that ends waits for no skill."""
    runner = Runner(close_seconds=0.2)
    blocked = asyncio.create_task(runner.step(skill(), lambda: released.wait(30), AMPLE_SECONDS))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await runner.aclose()
    assert time.monotonic() - began < 0.4
    with pytest.raises(SkillFailed):
        await blocked
    with pytest.raises(SkillFailed):
        await runner.step(skill(), lambda: 1)
    released.set()
    await eventually(lambda: "june.skill.odd" not in names())


async def test_the_end_ends_what_is_at_work() -> None:
    """All threads that answer are gone, and their skills were told."""
    ends: list[str] = []

    @ability
    async def waits() -> str:
        """Wait."""
        try:
            await asyncio.sleep(3_600)
        finally:
            ends.append("ended")
        return "never"

    runner = Runner()
    uses = [asyncio.create_task(use(runner, waits, skill_name=f"skill{n}")) for n in range(3)]
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await runner.aclose()
    assert time.monotonic() - began < 0.5
    failures = await asyncio.gather(*uses, return_exceptions=True)
    assert [type(failure) for failure in failures] == [SkillFailed] * 3
    assert ends == ["ended"] * 3
    await eventually(lambda: not any(name.startswith("june.skill.skill") for name in names()))


async def test_an_unused_runner_has_no_thread() -> None:
    """Most calls use no skill."""
    before = names()
    runner = Runner()
    assert names() == before
    await runner.aclose()
    await runner.aclose()


async def test_a_step_is_quick(runner: Runner) -> None:
    """It is part of every turn in a mode."""
    await runner.step(skill(), lambda: None)
    began = time.perf_counter()
    for _ in range(200):
        await runner.step(skill(), lambda: None)
    assert (time.perf_counter() - began) / 200 < 0.01


async def test_ports_are_ports() -> None:
    """What a skill is given keeps the promise of its type."""
    limit = asyncio.timeout(1)
    across: Ports = PortsAcross(FakePorts(language="de"), "odd", limit)
    assert (across.language, across.now()) == ("de", WEDNESDAY)


ENDS = """
import asyncio, time
from skills import Skill
from skills.runner import Runner, SkillFailed

async def main():
    runner = Runner(close_seconds=0.1)
    for name, work in (("a", lambda: time.sleep(60)), ("b", spin), ("c", in_another_thread)):
        try:
            await runner.step(Skill(name, "?", "?"), work, 0.05)
        except SkillFailed:
            print("failed", name)
    await runner.aclose()

def spin():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass

def in_another_thread():
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
    time.sleep(60)

asyncio.run(main())
print("over")
"""


def test_a_process_ends_whatever_its_skills_do() -> None:
    """Blocked, spinning, and at work in threads of their own."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=30, check=True
    )
    assert [line for line in done.stdout.splitlines() if line[:6] in {"failed", "over"}] == [
        "failed a",
        "failed b",
        "failed c",
        "over",
    ]
    assert time.monotonic() - began < 10
