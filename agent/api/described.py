"""What an OpenAPI file says besides what the framework knows: which token each route takes."""

from typing import Any

from fastapi import FastAPI

from agent.api.access import OPEN, TOKEN_ROUTE

ADMIN, KEY = "JUNE_ADMIN_TOKEN", "JUNE_TOKEN_KEY"


class DescribedApp(FastAPI):
    """Written when somebody first asks for it: it takes a while, and June has to start."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        schemes = {name: {"type": "http", "scheme": "bearer"} for name in (ADMIN, KEY)}
        document.setdefault("components", {})["securitySchemes"] = schemes
        for path, operations in document["paths"].items():
            names = (ADMIN, KEY) if path == TOKEN_ROUTE else (ADMIN,)
            for operation in operations.values():
                if path not in OPEN:
                    operation["security"] = [{name: []} for name in names]
        return document
