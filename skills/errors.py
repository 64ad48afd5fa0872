"""What can go wrong with a skill.

* SkillError     the skill could not do it; its text is a sentence for the caller and the model
* SkillConflict  two skills cannot be used together, or one is not there; for the operator
"""


class SkillError(Exception):
    """A skill raises it with a sentence: by phrase the caller hears it, as a tool the model reads
    it.
    """


class SkillConflict(Exception):
    """The skills that are enabled cannot be used. Its text names them and has a hint."""
