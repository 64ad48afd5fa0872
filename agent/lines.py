"""Everything June says on her own account, by language. What a model writes is not here."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Lines:
    """One language's sentences. They are spoken, so they hold no digits, signs or abbreviations."""

    greeting: str
    """To somebody June does not know. It says that she is an AI, as the law asks in many places."""
    greeting_again: str
    """To somebody whose earlier conversation is remembered."""
    greeting_resumed: str
    """After a crash, a deploy or a lost network cut the same conversation off."""
    input_too_long: str
    leaving: str
    """The worker is stopping."""
    call_too_long: str

    def all(self) -> tuple[str, ...]:
        """Each sentence once: what is worth keeping as sound."""
        return tuple(getattr(self, field.name) for field in fields(self))


ENGLISH = Lines(
    greeting="Hello, this is June. I'm an AI assistant. How can I help you?",
    greeting_again="Hello again, this is June, the AI assistant. How can I help you?",
    greeting_resumed="We were cut off. This is June, the AI assistant. Let's go on.",
    input_too_long="That was too much for me at once. Could you say it in fewer words?",
    leaving="I have to go now. Please call again in a moment. Goodbye.",
    call_too_long="We have talked for as long as I can. Goodbye.",
)

LINES = {"en": ENGLISH}


def lines_for(language: str) -> Lines:
    """The sentences of a language tag such as `en` or `en-GB`; English where there are none."""
    return LINES.get(language.partition("-")[0].lower(), ENGLISH)
