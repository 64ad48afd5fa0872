"""How requests to OpenAI fail, in words that hold nothing of what was sent or answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from openai import APIConnectionError, APIStatusError, APITimeoutError

from agent.voices.cloner import CloneFailed

TELLS_NOTHING = frozenset({502, 504, *range(520, 528)})
"""Statuses of what stands in front of OpenAI: what came of the request is not known."""


class NotDone(CloneFailed):
    """The provider itself says that nothing came of the request."""


@asynccontextmanager
async def answered(seconds: float) -> AsyncIterator[None]:
    """Raise `CloneFailed` for whatever goes wrong inside, also when it takes longer than that.

    The errors it stands for are not kept as causes: they hold the key and what was sent.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except CloneFailed:
        raise
    except APIStatusError as error:
        status = error.status_code
        limit = ", a limit is reached" if status == 429 else ""
        failed = CloneFailed if status in TELLS_NOTHING else NotDone
        raise failed(f"the provider refuses with status {status}{limit}") from None
    except (TimeoutError, APITimeoutError):
        raise CloneFailed(f"the provider does not answer within {seconds:g} s") from None
    except APIConnectionError:
        raise CloneFailed("the provider cannot be reached, or broke off") from None
    except Exception:  # noqa: BLE001 - the SDK lets its parser's and its HTTP client's through
        raise CloneFailed("the provider's answer is broken") from None
