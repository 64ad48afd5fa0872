"""The summary that a call begins with, and who writes it on."""

from functools import partial

from agent.config import Config
from agent.models.build import Models
from agent.remembered import Memory
from agent.summary import Summary, unsummarised
from agent.summary_writers import by_model, by_rule
from session import SessionService


def summary_of(config: Config, models: Models, sessions: SessionService, memory: Memory) -> Summary:
    """By the model that also answers, or by rule where there is none."""
    is_local = config.provider_of("llm") == "local"
    return Summary(
        memory.session,
        unsummarised(memory.session, memory.history, memory.context),
        write=by_rule if is_local else by_model(models.note_taker),
        keep=partial(sessions.keep_summary, memory.session.session_id),
    )
