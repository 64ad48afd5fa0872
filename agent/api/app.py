"""The HTTP side as one application. FastAPI is imported here and beside, and nowhere else."""

from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware

from agent.api import health, security, sessions, skills, tokens, webhooks
from agent.api.access import Access
from agent.api.bounds import Bounds
from agent.api.parts import Parts
from agent.api.problems import add_handlers
from agent.version import VERSION


def build_app(parts: Parts) -> FastAPI:
    app = FastAPI(
        title="June",
        version=VERSION,
        description="June answers calls. Errors are problem details (RFC 9457).",
        redoc_url=None,
        # It would load scripts from elsewhere; `/openapi.json` is for every client.
        docs_url=None,
    )
    for routes in (health, tokens, webhooks, sessions, security, skills):
        app.include_router(routes.router(parts))
    add_handlers(app)
    # The last is the outermost.
    app.add_middleware(BaseHTTPMiddleware, dispatch=Access(parts.config))
    if parts.config.http.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(parts.config.http.origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )
    app.add_middleware(Bounds)
    return app
