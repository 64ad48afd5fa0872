"""`./june console --text`: June in a terminal or a pipe, without sound."""

import asyncio
import sys
import threading
from typing import TextIO

from agent.config import Config
from agent.console.details import show_details
from agent.console.here import Ends, HereCall, call_here
from agent.console.printed import Printed
from agent.console.terminal import forgive_odd_characters

FAREWELLS = {"bye", "goodbye", "exit", "quit"}
"""Typed alone on a line they end the console, whatever the model makes of them."""


class Lines:
    """Lines of standard input, read in a thread that nobody has to wait for."""

    def __init__(self, source: TextIO | None) -> None:
        self._source = source
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        # A daemon: a read from a terminal cannot be taken back, and must not keep the program.
        threading.Thread(target=self._read, name="june.console.stdin", daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._source or ():
                self._pass_on(line)
        finally:
            self._pass_on(None)

    def _pass_on(self, line: str | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)

    async def next(self, over: asyncio.Event) -> str | None:
        """The next line that says something; None at the end of input, or when June hung up."""
        while True:
            reading = asyncio.create_task(self._lines.get(), name="june.console.line")
            ending = asyncio.create_task(over.wait(), name="june.console.over")
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if not reading.done():
                reading.cancel()
                return None
            line = reading.result()
            if line is None or line.strip():
                return line


async def talk_by_text(config: Config, *, verbose: bool) -> int:
    """Until `bye`, the end of input, or June's own goodbye; the exit code."""
    forgive_odd_characters()
    printed = Printed(sys.stdout)
    # Without any standard input (`<&-`) Python has None in its place.
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    async with call_here(config, Ends(words=printed)) as here:
        if verbose:
            show_details(here.call, printed)
        greeting = await here.begin()
        if greeting is None:  # June does not take the call, and says so
            await here.over.wait()
        else:
            await greeting.wait_for_playout()
            await _converse(here, printed, Lines(sys.stdin), echo=not is_terminal)
    printed.flush()
    return here.exit_code


async def _converse(here: HereCall, printed: Printed, lines: Lines, *, echo: bool) -> None:
    while (line := await lines.next(here.over)) is not None:
        if echo:
            printed.line("you", line.strip())
        speech = await here.call.type(line.strip())
        await speech.wait_for_playout()
        printed.check()
        if line.strip().lower() in FAREWELLS:
            break
    await here.hang_up()
