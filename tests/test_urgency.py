"""Computing in order of urgency."""

import asyncio
import threading
from functools import partial

import pytest

from agent.models.local.urgency import Urgency, UrgentFirst


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


async def test_a_final_goes_before_speech_and_interims(gate: threading.Event) -> None:
    """Whatever came first, the caller who waits for an answer is served first."""
    done: list[str] = []
    with UrgentFirst(threads=1) as models:
        blocker = asyncio.create_task(models.run(Urgency.FINAL, gate.wait))
        await asyncio.sleep(0)
        later = [
            asyncio.create_task(models.run(urgency, partial(done.append, name)))
            for urgency, name in (
                (Urgency.INTERIM, "interim"),
                (Urgency.SPEECH, "speech"),
                (Urgency.FINAL, "final"),
                (Urgency.FINAL, "final 2"),
            )
        ]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(blocker, *later)
    assert done == ["final", "final 2", "speech", "interim"]


async def test_interims_never_take_every_thread(gate: threading.Event) -> None:
    """Two long interims run one after the other, and a final beside them at once."""
    with UrgentFirst(threads=2) as models:
        interims = [asyncio.create_task(models.run(Urgency.INTERIM, gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        assert await asyncio.wait_for(models.run(Urgency.FINAL, lambda: "heard"), 5) == "heard"
        gate.set()
        await asyncio.gather(*interims)


async def test_cancelled_work_is_never_started(gate: threading.Event) -> None:
    """A barge-in costs no computing for what nobody will hear."""
    started: list[str] = []
    with UrgentFirst(threads=1) as models:
        blocker = asyncio.create_task(models.run(Urgency.FINAL, gate.wait))
        await asyncio.sleep(0)
        dropped = asyncio.create_task(models.run(Urgency.SPEECH, lambda: started.append("dropped")))
        await asyncio.sleep(0)
        dropped.cancel()
        await asyncio.sleep(0)
        gate.set()
        await blocker
        await models.run(Urgency.INTERIM, lambda: started.append("next"))
    assert started == ["next"]


async def test_a_fault_reaches_whoever_asked_and_the_thread_lives_on() -> None:
    """One broken request must not make June deaf."""

    def fail() -> None:
        raise ValueError("broken")

    with UrgentFirst(threads=1) as models:
        with pytest.raises(ValueError, match="broken"):
            await models.run(Urgency.FINAL, fail)
        assert await models.run(Urgency.FINAL, lambda: 7) == 7


async def test_closed_models_say_so() -> None:
    """Work after the end is a mistake, not a wait without end."""
    models = UrgentFirst(threads=1)
    models.close()
    with pytest.raises(RuntimeError, match="closed"):
        await models.run(Urgency.FINAL, lambda: None)


def test_a_closed_event_loop_costs_no_thread() -> None:
    """Whoever asked is gone; the next one is served by the same thread."""
    gate = threading.Event()
    models = UrgentFirst(threads=1)

    async def ask_and_go() -> None:
        asking = asyncio.create_task(models.run(Urgency.FINAL, gate.wait))
        await asyncio.sleep(0)
        asking.cancel()

    asyncio.run(ask_and_go())
    gate.set()

    async def ask() -> str:
        return await asyncio.wait_for(models.run(Urgency.FINAL, lambda: "heard"), 5)

    assert asyncio.run(ask()) == "heard"
    models.close()
