"""What can go wrong with a skill.

* SkillError     the skill could not do it; its text is a sentence for the caller and the model
* VoiceTrouble   a voice could not be heard, made or put on, and why
* SkillConflict  two skills cannot be used together, or one is not there; for the operator
"""

from skills.voice import Why


class SkillError(Exception):
    """A skill raises it with a sentence: by phrase the caller hears it, as a tool the model reads
    it.
    """


class VoiceTrouble(Exception):
    """What was wanted of the caller's voice came to nothing."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class SkillConflict(Exception):
    """The skills that are enabled cannot be used. Its text names them and has a hint."""
