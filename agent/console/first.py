"""Several things at once, of which the first that ends decides."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_of(*doing: Coroutine[Any, Any, object]) -> None:
    """Until one has ended; the others are cancelled. Raises what it raised."""
    tasks = [asyncio.create_task(one, name="june.console") for one in doing]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
