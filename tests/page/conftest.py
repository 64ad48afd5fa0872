"""What tests of pages share: a browser, a LiveKit server and a worker, each once."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from agent.livekit_server import LoopbackServer
from page.browser import Browser, BrowserError
from page.install import driver
from page.page import Page
from room.conftest import binary, ears, livekit
from room.worker import Worker

__all__ = ["binary", "ears", "livekit"]

HERE = Path(__file__).parent

FAILED = pytest.StashKey[bool]()

OpenPage = Callable[..., Coroutine[Any, Any, Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever opens a browser needs the machine for itself, like a call in a room."""
    for item in items:
        if HERE in item.path.parents and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.page)
            item.add_marker(pytest.mark.room)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
async def browser(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Browser]:
    log = tmp_path_factory.mktemp("browser") / "driver.log"
    async with Browser(driver(), log) as browser:
        yield browser


@pytest.fixture
async def open_page(
    browser: Browser, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[OpenPage]:
    """Opens pages, as `Browser.page` does; a test that fails leaves their pictures."""
    pages: list[Page] = []
    async with AsyncExitStack() as stack:

        async def open_one(url: str = "about:blank", **options: Any) -> Page:
            page = await stack.enter_async_context(browser.page(url, **options))
            pages.append(page)
            return page

        yield open_one
        if request.node.stash.get(FAILED, False):
            for number, page in enumerate(pages, 1):
                await _keep(page, tmp_path / f"page-{number}.png")


async def _keep(page: Page, path: Path) -> None:
    """What it looked like and what it said, for whoever reads about the failure."""
    try:
        await page.screenshot(path, whole=True)
        said = await page.console()
    except BrowserError as error:
        print(f"no picture of the page: {error}")
        return
    path.with_suffix(".txt").write_text("\n".join(said))
    print(f"the page looked like `{path}`, and its console said:", *said[-20:], sep="\n")


@pytest.fixture(scope="session")
async def june(
    livekit: LoopbackServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Worker]:
    """By itself, with her own models; never broken."""
    folder = tmp_path_factory.mktemp("june")
    async with Worker.of(livekit, folder, JUNE_WORKER__DRAIN_SECONDS="1") as worker:
        yield await worker.ready()


@pytest.fixture(scope="session")
async def june_url(june: Worker) -> str:
    """Where she serves her pages."""
    ready = await june.event("http.ready")
    return f"http://127.0.0.1:{ready['port']}"
