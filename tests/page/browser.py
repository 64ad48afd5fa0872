"""A browser that tests drive: `browser.mjs` takes requests and answers as lines of JSON."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

from page.install import Driver
from page.page import Microphone, Page

HERE = Path(__file__).parent

LONGEST_LINE = 32 * 1024 * 1024

CLOSE_SECONDS = 15.0

OPEN_SECONDS = 30.0
"""The first page of a kind starts a Chromium."""


class BrowserError(AssertionError):
    """The browser could not do what a test asked for."""


class Browser:
    """One Node process for all tests; lives inside `async with`."""

    def __init__(self, driver: Driver, log: Path) -> None:
        self._driver = driver
        self._log = log
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._names = itertools.count(1)

    async def __aenter__(self) -> Self:
        driver = self._driver
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(driver.node, HERE / "browser.mjs", driver.packages, driver.chromium),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LONGEST_LINE,
            )
        self._reading = asyncio.create_task(self._read(), name="june.test.browser")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Its pages hang up, then its browsers end, then it does."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), CLOSE_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise
        finally:
            await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            answer = json.loads(line)
            asked = self._asked.pop(answer["id"], None)
            if asked is None or asked.done():
                continue
            if "error" in answer:
                asked.set_exception(BrowserError(answer["error"]))
            else:
                asked.set_result(answer["value"])
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(BrowserError(f"its driver ended:\n{self._said()}"))

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    async def ask(self, do: str, *, seconds: float = 10, **words: object) -> Any:
        """The answer to one request, which must come within these seconds."""
        assert self._process.stdin is not None
        number = next(self._ids)
        request = {"id": number, "do": do, "timeout": int(seconds * 1000), **words}
        asked = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            await self._process.stdin.drain()
            # Playwright's own words about a limit say more; these are for what has none.
            return await asyncio.wait_for(asked, seconds + 2)
        except TimeoutError:
            raise BrowserError(f"no answer to `{do}` within {seconds + 2:.0f} s") from None
        finally:
            self._asked.pop(number, None)

    @asynccontextmanager
    async def page(
        self,
        url: str = "about:blank",
        *,
        microphone: Microphone | Path = "spoken",
        viewport: tuple[int, int] = (1280, 800),
        dark: bool = False,
        reduced_motion: bool = False,
        locale: str = "en-GB",
        beside: Page | None = None,
    ) -> AsyncIterator[Page]:
        """A page with storage of its own; a wav file is played once from when it is listened to.

        A page beside another is a second tab of the same person, and otherwise as the first.
        """
        name = f"page-{next(self._names)}"
        width, height = viewport
        context = {
            "viewport": {"width": width, "height": height},
            "colorScheme": "dark" if dark else "light",
            "reducedMotion": "reduce" if reduced_motion else "no-preference",
            "locale": locale,
        }
        if isinstance(microphone, Path):
            assert microphone.is_file(), f"no clip at `{microphone}`: Chromium would be silent"
            heard = {"microphone": "clip", "clip": str(microphone)}
        else:
            heard = {"microphone": microphone}
        first = None if beside is None else beside.name
        words = {"page": name, "beside": first, "context": context, **heard}
        await self.ask("open", seconds=OPEN_SECONDS, **words)
        try:
            page = Page(self, name)
            await page.goto(url)
            yield page
        finally:
            with suppress(BrowserError):
                await self.ask("close", page=name)
