"""How an answer is given over HTTP, and where the script breaks it."""

import asyncio
import json
from typing import Any, NoReturn

from aiohttp import web

from bench.provider.faults import (
    BreakOff,
    ErrorEvent,
    Fault,
    Garbage,
    Hang,
    Interrupting,
    WrongAnswer,
)
from bench.provider.journal import Asked
from bench.provider.refusals import Refusal, Refused, error_body

ASKED = web.RequestKey("asked", Asked)

EVENTS = "text/event-stream"


class Over(Exception):
    """The script has ended this answer."""

    def __init__(self, response: web.StreamResponse) -> None:
        super().__init__("the script has ended this answer")
        self.response = response


def refuse(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)


async def json_body(request: web.Request) -> dict[str, Any]:
    """What was asked; noted in the journal."""
    try:
        body = json.loads(await request.text())
    except ValueError:
        body = None
    request[ASKED].body = body
    if not isinstance(body, dict):
        raise Refused(Refusal.bad_request("We could not parse the JSON body of your request."))
    return body


async def break_before(request: web.Request, fault: Fault | None) -> None:
    """Raise `Over`, or never return, if the fault lets no answer begin."""
    asked = request[ASKED]
    match fault:
        case Refusal():
            asked.fault = fault
            raise Over(refuse(fault))
        case WrongAnswer(body=body, content_type=content_type, status=status):
            asked.fault = fault
            raise Over(web.Response(text=body, content_type=content_type, status=status))
        case Hang(after_chunks=0, after_seconds=None):
            asked.fault = fault
            await hang()
        case BreakOff(after_chunks=0, after_seconds=None):
            asked.fault = fault
            break_off(request, web.Response())


async def break_whole(request: web.Request, fault: Fault | None) -> None:
    """As `break_before`, for an answer that comes in one piece: what breaks it breaks it all."""
    asked = request[ASKED]
    match fault:
        case Hang():
            asked.fault = fault
            await hang()
        case BreakOff():
            asked.fault = fault
            break_off(request, web.Response())
        case ErrorEvent(message=message, type=type_, code=code):
            asked.fault = fault
            raise Over(refuse(Refusal(500, message, type_, code)))
        case Garbage(text=text):
            asked.fault = fault
            raise Over(web.Response(text=text, content_type="application/json"))
        case _:
            await break_before(request, fault)


async def hang() -> NoReturn:
    """Wait until aiohttp cancels the request: when the client leaves, or the provider closes."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def break_off(request: web.Request, response: web.StreamResponse) -> NoReturn:
    """Close the connection once what was written is on its way."""
    if request.transport is not None:
        request.transport.close()
    raise Over(response)


class Stream:
    """An answer in chunks. Lives as long as its request."""

    def __init__(self, request: web.Request, fault: Fault | None, content_type: str) -> None:
        self._request = request
        self._asked = request[ASKED]
        self._fault = fault if isinstance(fault, Interrupting) else None
        self._events = content_type == EVENTS
        self._chunks = 0
        self._response = web.StreamResponse(headers={"Content-Type": content_type})

    async def open(self) -> None:
        await self._response.prepare(self._request)

    async def send(self, chunk: bytes | dict[str, Any]) -> None:
        """A chunk with something in it; the ones that faults count."""
        if self._fault is not None and self._chunks >= self._fault.after_chunks:
            await self._break(self._fault)
        self._chunks += 1
        self._asked.note_answer()
        await self.add(chunk)

    async def add(self, chunk: bytes | dict[str, Any]) -> None:
        """A chunk of form only."""
        if isinstance(chunk, dict):
            chunk = f"data: {json.dumps(chunk)}\n\n".encode()
        await self._response.write(chunk)

    async def close(self, last: bytes | dict[str, Any] = b"") -> web.StreamResponse:
        """A fault that waited for more chunks than there were comes now."""
        if self._fault is not None:
            await self._break(self._fault)
        # Nothing may be awaited between them: the client can leave as soon as it has the last.
        self._asked.answered = True
        if last:
            await self.add(last)
        await self._response.write_eof()
        return self._response

    async def _break(self, fault: Interrupting) -> NoReturn:
        self._asked.fault = fault
        match fault:
            case Hang():
                await hang()
            case ErrorEvent(message=message, type=type_, code=code) if self._events:
                await self.add(error_body(message, kind=type_, code=code))
                await self._response.write_eof()
                raise Over(self._response)
            case Garbage(text=text):
                await self.add((f"data: {text}\n\n" if self._events else text).encode())
                await self._response.write_eof()
                raise Over(self._response)
            case _:
                # A plain body has no place for an error: it ends too early.
                break_off(self._request, self._response)
