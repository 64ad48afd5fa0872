"""`POST /v1/chat/completions`: the LLM's words, as the script has them."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from bench.provider import tokens
from bench.provider.answering import ASKED, EVENTS, Stream, break_before, break_whole, json_body
from bench.provider.faults import Empty
from bench.provider.journal import Asked
from bench.provider.models import require_model
from bench.provider.refusals import Refusal, Refused
from bench.provider.requests import ChatRequest
from bench.provider.script import Answer, Scripted, ToolUse, Usage

Delta = dict[str, Any]

completion_numbers = itertools.count(1)
call_numbers = itertools.count(1)


class Chat:
    """Lives as long as the provider."""

    def __init__(self, scripted: Scripted) -> None:
        self._scripted = scripted

    async def complete(self, request: web.Request) -> web.StreamResponse:
        asked = request[ASKED]
        body = await json_body(request)
        chat = chat_request(body)
        require_model(chat.model, self._scripted.script)
        answer = self._scripted.script.answer(chat)
        streamed = bool(body.get("stream"))
        await (break_before if streamed else break_whole)(request, answer.fault)
        if isinstance(answer.fault, Empty):
            asked.fault = answer.fault
            answer = Answer(text="", first_token_seconds=answer.first_token_seconds)
        completion = Completion(chat, answer)
        if streamed:
            return await self._stream(request, completion)
        for number, delta in enumerate(completion.deltas):
            await due(number, answer, asked)
            asked.text += delta.get("content") or ""
        return web.json_response(completion.whole)

    async def _stream(self, request: web.Request, completion: "Completion") -> web.StreamResponse:
        asked = request[ASKED]
        stream = Stream(request, completion.answer.fault, EVENTS)
        await stream.open()
        await stream.add(completion.chunk({"role": "assistant", "content": "", "refusal": None}))
        for number, delta in enumerate(completion.deltas):
            await due(number, completion.answer, asked)
            await stream.send(completion.chunk(delta))
            asked.text += delta.get("content") or ""
        await stream.add(completion.chunk({}, finish_reason=completion.finish_reason))
        if completion.tells_usage:
            await stream.add(completion.usage_chunk)
        return await stream.close(b"data: [DONE]\n\n")


class Completion:
    """One answer in OpenAI's form, whole or in chunks."""

    def __init__(self, chat: ChatRequest, answer: Answer) -> None:
        self.answer = answer
        limit = chat.body.get("max_completion_tokens") or chat.body.get("max_tokens")
        deltas = list(_deltas(answer))
        self.deltas = deltas[:limit]
        self.tells_usage = bool((chat.body.get("stream_options") or {}).get("include_usage"))
        self.finish_reason = "tool_calls" if answer.tools else "stop"
        if len(self.deltas) < len(deltas):
            self.finish_reason = "length"
        self._usage = answer.usage or Usage(tokens.prompt_tokens(chat), len(self.deltas))
        self._id = f"chatcmpl-{next(completion_numbers)}"
        self._model = chat.model
        self._created = int(time.time())

    def chunk(self, delta: Delta, *, finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        usage = {"usage": None} if self.tells_usage else {}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **usage}

    @property
    def usage_chunk(self) -> dict[str, Any]:
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": self._cost}

    @property
    def whole(self) -> dict[str, Any]:
        text = "".join(delta.get("content", "") for delta in self.deltas)
        message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None}
        if self.answer.tools:
            message["tool_calls"] = [
                tool_call(tool, arguments_of(tool)) for tool in self.answer.tools
            ]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self.finish_reason,
        }
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._cost}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "service_tier": "default",
        }

    @property
    def _cost(self) -> dict[str, Any]:
        usage = self._usage
        return {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }


async def due(number: int, answer: Answer, asked: Asked) -> None:
    """Wait until this token is due, counted from the request so that lateness does not add up."""
    at = asked.at + answer.first_token_seconds + number / answer.tokens_per_second
    await asyncio.sleep(at - time.monotonic())


def _deltas(answer: Answer) -> Iterator[Delta]:
    for piece in tokens.pieces(answer.words):
        yield {"content": piece}
    for index, tool in enumerate(answer.tools):
        yield {"tool_calls": [{"index": index, **tool_call(tool, "")}]}
        for piece in tokens.pieces(arguments_of(tool)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def tool_call(tool: ToolUse, arguments: str) -> dict[str, Any]:
    return {
        "id": f"call_{next(call_numbers)}",
        "type": "function",
        "function": {"name": tool.name, "arguments": arguments},
    }


def arguments_of(tool: ToolUse) -> str:
    return tool.arguments if isinstance(tool.arguments, str) else json.dumps(dict(tool.arguments))


def chat_request(body: dict[str, Any]) -> ChatRequest:
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str):
        raise Refused(Refusal.bad_request("you must provide a model parameter"))
    if not isinstance(messages, list) or not messages:
        missing = Refusal.bad_request("Missing required parameter: 'messages'.", param="messages")
        raise Refused(missing)
    return ChatRequest(model, messages, body.get("tools") or [], body)
