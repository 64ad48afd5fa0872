"""What a language model is told about June: who she is, how she speaks, the day, the language."""

from datetime import datetime

from livekit.agents import llm

from agent.lines import lines_for

STYLE = """\
You are on a call: you are heard, not read. Answer in one to three short sentences of plain spoken \
language, without lists, markup, links or emoji, and begin with a short clause. Write numbers, \
times and units as words, as one says them. What the caller says reaches you through speech \
recognition and may be misheard: if it makes no sense, ask. Never invent facts; say what you do \
not know."""

ENDING = """\
When the caller says goodbye, or asks you to hang up, say goodbye in a few words and use the tool \
`end_call` in the same answer. Never use it otherwise."""


SHORTER = "From here on answer in one short sentence."
"""When most of the money for the day, the user or the call is spent."""


def further_instructed(chat_ctx: llm.ChatContext, text: str) -> llm.ChatContext:
    """A copy in which the instructions end with this. Some servers take one system message only."""
    items: list[llm.ChatItem] = list(chat_ctx.items)
    for index, item in enumerate(items):
        if isinstance(item, llm.ChatMessage) and item.role in ("system", "developer"):
            content = [f"{item.raw_text_content or ''}\n\n{text}"]
            items[index] = item.model_copy(update={"content": content})
            return llm.ChatContext(items)
    return llm.ChatContext([llm.ChatMessage(role="system", content=[text]), *items])


def instructions(
    *, persona: str, further: str, language: str, today: datetime, can_hang_up: bool
) -> str:
    """`further` are the operator's own instructions. `today` is in the zone of the caller.

    `can_hang_up` says whether June has the skill of that name.
    """
    lines = lines_for(language)
    spoken = lines.language_name
    if not lines.speaks(language):
        spoken = f"the language with the tag `{language}`"
    return "\n\n".join(
        part
        for part in (
            persona.strip(),
            further.strip(),
            STYLE,
            ENDING if can_hang_up else "",
            f"Today is {today:%A}, {today.day} {today:%B} {today.year}. "
            f"Speak {spoken}, unless the caller asks for another language.",
        )
        if part
    )
