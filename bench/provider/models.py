"""`GET /v1/models`: which models there are."""

from aiohttp import web

from bench.provider.refusals import Refusal, Refused
from bench.provider.script import Script, Scripted


class Models:
    """Lives as long as the provider."""

    def __init__(self, scripted: Scripted) -> None:
        self._scripted = scripted

    async def all(self, _: web.Request) -> web.Response:
        listed = [described(model) for model in self._scripted.script.models]
        return web.json_response({"object": "list", "data": listed})

    async def one(self, request: web.Request) -> web.Response:
        model = request.match_info["model"]
        require_model(model, self._scripted.script)
        return web.json_response(described(model))


def described(model: str) -> dict[str, object]:
    return {"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "bench"}


def require_model(model: str, script: Script) -> None:
    """Raise `Refused` for a model that the script does not have."""
    if model not in script.models:
        raise Refused(Refusal.unknown_model(model))
