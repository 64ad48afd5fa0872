"""What June can do, and by which phrases."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter

from agent.api.parts import Parts
from agent.api.problems import Problem, answers
from agent.skills_as_json import skill_as_json


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(prefix="/api/skills", tags=["skills"], responses=answers())

    @routes.get("")
    async def listed() -> list[dict[str, Any]]:
        return [skill_as_json(skill) for skill in parts.registry.skills]

    @routes.get("/{name}", responses=answers(404))
    async def one(name: str) -> dict[str, Any]:
        for skill in parts.registry.skills:
            if skill.name == name:
                return skill_as_json(skill)
        raise Problem(HTTPStatus.NOT_FOUND, "no skill has this name; `/api/skills` lists them")

    return routes
