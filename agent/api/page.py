"""The pages for browsers, as static files: the caller's at `/`, the operator's at `/ops`."""

from pathlib import Path

from fastapi import APIRouter, Request, Response

from agent.api.parts import Parts

PAGE = Path(__file__).parent / "page"


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    url = parts.config.livekit.url or ""
    http = url.replace("ws", "http", 1)
    csp = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {url} {http}; media-src 'self' blob:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )

    def html(name: str) -> Response:
        return Response(
            (PAGE / name).read_bytes(),
            media_type="text/html",
            headers={"Content-Security-Policy": csp},
        )

    @routes.get("/")
    async def call(request: Request) -> Response:
        return html("index.html")

    @routes.get("/ops")
    async def ops() -> Response:
        return html("ops.html")

    @routes.get("/page/{name}")
    async def file(name: str) -> Response:
        path = PAGE / name
        if name == "livekit-client.js":
            path = Path("/tmp/lead/npm/node_modules/livekit-client/dist/livekit-client.esm.mjs")
        kind = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}[path.suffix]
        return Response(path.read_bytes(), media_type=kind)

    return routes
