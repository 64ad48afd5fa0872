"""A sound card made of a clock: what `--wav` has in place of a microphone and a loudspeaker."""

import asyncio
from collections.abc import Callable

from agent.console.pcm import RATE

TICK_SAMPLES = RATE // 50
"""20 ms: how exactly a barge-in is placed, and how often two cores must find the time."""

Pull = Callable[[int], bytes]
Push = Callable[[bytes], None]


class Clockwork:
    """Carries sound both ways, a tick at a time, for as long as it runs.

    A loop that was held up catches up: no sample is lost, and both ways stay in step.
    """

    def __init__(self, *, caller: Pull, ears: Push, june: Pull, listener: Push) -> None:
        self._caller = caller
        self._ears = ears
        self._june = june
        self._listener = listener
        self._samples = 0

    def seconds(self) -> float:
        """How long the call has been going on."""
        return self._samples / RATE

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            self._tick()
            await asyncio.sleep(max(0.0, began + self.seconds() - loop.time()))

    def _tick(self) -> None:
        self._samples += TICK_SAMPLES
        self._ears(self._caller(TICK_SAMPLES))
        self._listener(self._june(TICK_SAMPLES))
