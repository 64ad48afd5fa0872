"""Which token each route takes, for the OpenAPI file; the framework knows nothing of `Access`."""

from typing import Any

from agent.api.access import OPEN, TOKEN_ROUTE

ADMIN, KEY = "JUNE_ADMIN_TOKEN", "JUNE_TOKEN_KEY"


def described(document: dict[str, Any]) -> dict[str, Any]:
    """The document with that added."""
    schemes = {name: {"type": "http", "scheme": "bearer"} for name in (ADMIN, KEY)}
    document.setdefault("components", {})["securitySchemes"] = schemes
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path not in OPEN:
                operation["security"] = [{ADMIN: []}]
            if path == TOKEN_ROUTE:
                operation["security"].append({KEY: []})
    return document
