"""What June can do, and by which phrases."""

from http import HTTPStatus

from fastapi import APIRouter

from agent.api.parts import Parts
from agent.api.problems import Problem, answers
from agent.skill_views import SkillView, view_of


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(prefix="/api/skills", tags=["skills"], responses=answers())

    @routes.get("")
    async def listed() -> list[SkillView]:
        """All that are enabled."""
        return [view_of(skill) for skill in parts.registry.skills]

    @routes.get("/{name}", responses=answers(404))
    async def one(name: str) -> SkillView:
        """With its help."""
        for skill in parts.registry.skills:
            if skill.name == name:
                return view_of(skill)
        raise Problem(HTTPStatus.NOT_FOUND, "no skill has this name; `GET /api/skills` lists them")

    return routes
