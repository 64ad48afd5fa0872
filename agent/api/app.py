"""The HTTP side as one application. FastAPI is imported here and beside, and nowhere else."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from agent.api import health, ops, page, security, sessions, skills, tokens, webhooks
from agent.api.access import Access
from agent.api.bounds import Bounds
from agent.api.cors import Cors
from agent.api.described import DescribedApp
from agent.api.errors import add_handlers
from agent.api.parts import Parts
from agent.version import VERSION


def build_app(parts: Parts) -> FastAPI:
    """Lives as long as its parts."""
    origins = parts.config.http.origins
    app = DescribedApp(
        title="June",
        version=VERSION,
        description="June answers calls. Errors are problem details (RFC 9457).",
        redoc_url=None,
        # It would load scripts from elsewhere; `/openapi.json` is for every client.
        docs_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Bounds),
            # Before access: a browser asks without a token whether it may ask.
            *([Middleware(Cors, origins=origins)] if origins else []),
            Middleware(Access, config=parts.config),
        ],
    )
    add_handlers(app)
    for module in (page, health, tokens, webhooks, sessions, security, skills, ops):
        app.include_router(module.router(parts))
    return app
