"""One page in the browser, as a test uses it. Each wait has an end, and says what it waited for."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from livekit import rtc

from page.sounds import wav_of

Microphone = Literal["spoken", "denied", "missing", "taken"]
"""`spoken`: silent until `Page.say`; `denied`: by the person; `taken`: by another program."""

SERIOUS = ("serious", "critical")

HARMLESS = ("data", "blob", "about")


class Asks(Protocol):
    async def ask(self, do: str, *, seconds: float = 10, **words: object) -> Any: ...


@dataclass(frozen=True)
class Loudness:
    level: float
    """Now, from 0 to 1."""
    energy: float
    """Since the beginning: the square of the level, times seconds."""
    seconds: float
    """How much sound there was, silence included."""


class Page:
    def __init__(self, browser: Asks, name: str) -> None:
        self._browser = browser
        self.name = name

    async def _ask(self, do: str, seconds: float = 10, **words: object) -> Any:
        return await self._browser.ask(do, page=self.name, seconds=seconds, **words)

    async def goto(self, url: str) -> int | None:
        """The status of the answer."""
        status: int | None = await self._ask("goto", url=url)
        return status

    async def click(self, selector: str, seconds: float = 10) -> None:
        """As a person does: the element must be seen, still, and covered by nothing."""
        await self._ask("click", seconds, selector=selector)

    async def fill(self, selector: str, text: str) -> None:
        await self._ask("fill", selector=selector, text=text)

    async def choose(self, selector: str, value: str) -> None:
        """In a `<select>`."""
        await self._ask("choose", selector=selector, text=value)

    async def press(self, key: str) -> None:
        """`Enter`, `Tab`, `Shift+Tab`, `a`: to whatever has the focus."""
        await self._ask("press", key=key)

    async def text(self, selector: str = "body", seconds: float = 10) -> str:
        """As it is shown: nothing hidden."""
        text: str = await self._ask("text", seconds, selector=selector)
        return text

    async def evaluate(self, js: str, *arguments: object, seconds: float = 10) -> Any:
        """The value of an expression; with arguments, of a function called with them."""
        given = ", ".join(map(json.dumps, arguments))
        return await self._ask("evaluate", seconds, js=f"({js})({given})" if arguments else js)

    async def wait_for(self, js: str, seconds: float = 10) -> Any:
        """The expression's value, as soon as it is true."""
        return await self._ask("wait", seconds, js=js)

    async def wait_for_text(self, words: str, selector: str = "body", seconds: float = 10) -> None:
        """Until these words are shown there, in whatever case."""
        where, what = json.dumps(selector), json.dumps(words.lower())
        await self.wait_for(
            f"document.querySelector({where})?.innerText.toLowerCase().includes({what})", seconds
        )

    async def screenshot(self, path: Path, *, whole: bool = False) -> Path:
        """What is in view, or the whole page."""
        await self._ask("screenshot", path=str(path), whole=whole, seconds=15)
        return path

    async def console(self) -> list[str]:
        """What it wrote there, as `error: words`; also its uncaught errors and refusals by CSP."""
        said: list[str] = (await self._ask("seen"))["console"]
        return said

    async def requests(self) -> list[str]:
        """Each address it asked for, web sockets too."""
        urls: list[str] = (await self._ask("seen"))["requests"]
        return urls

    async def strangers(self, *known: str) -> list[str]:
        """The addresses that it asked for elsewhere than at these, whether http or ws."""
        ours = {urlsplit(url).netloc for url in known}
        asked = [(url, urlsplit(url)) for url in await self.requests()]
        return [
            url for url, parts in asked if parts.scheme not in HARMLESS and parts.netloc not in ours
        ]

    async def refusals(self) -> list[str]:
        """What its Content-Security-Policy did not let it do, as the console says it."""
        return [line for line in await self.console() if "Content Security Policy" in line]

    async def ice_servers(self) -> list[str]:
        """Which servers its peer connections would ask for their own address."""
        servers: list[str] = await self.evaluate(
            "__peers.flatMap(p => p.getConfiguration().iceServers ?? []).flatMap(s => s.urls)"
        )
        return servers

    async def faults(self) -> list[str]:
        """What axe finds that is serious, one line for each element."""
        found = await self._ask("axe", 30)
        return [
            f"{fault['id']}: {' '.join(map(str, node['target']))}: {fault['help']}"
            for fault in found
            if fault["impact"] in SERIOUS
            for node in fault["nodes"]
        ]

    async def answer(
        self,
        pattern: str,
        status: int,
        body: object = None,
        headers: dict[str, str] | None = None,
        times: int = 0,
    ) -> None:
        """Answer requests for `**/api/tokens` in June's place, so many times (0: always).

        Status 0 is no answer at all.
        """
        given = {"content-type": "application/json", **(headers or {})}
        await self._ask(
            "answer",
            pattern=pattern,
            status=status,
            headers=given,
            body=json.dumps(body),
            times=times,
        )

    async def cdp(self, method: str, **parameters: object) -> Any:
        """What only Chromium's own protocol can do, such as freezing a tab."""
        return await self._ask("cdp", method=method, parameters=parameters)

    async def say(self, sound: rtc.AudioFrame) -> None:
        """Into its microphone, until the last sample; only where the microphone is `spoken`."""
        seconds = sound.samples_per_channel / sound.sample_rate
        wav = base64.b64encode(wav_of(sound)).decode()
        await self.evaluate("wav => __say(wav)", wav, seconds=seconds + 5)

    async def unplug(self) -> None:
        """Pull out its microphone; only where it is `spoken`."""
        await self.evaluate("__unplug()")

    async def heard(self) -> Loudness:
        """What it plays of the others in the room."""
        return await self._loudness("heard")

    async def sent(self) -> Loudness:
        """What its microphone gives to the room."""
        return await self._loudness("sent")

    async def _loudness(self, which: str) -> Loudness:
        return Loudness(**(await self.evaluate("__sound()"))[which])
