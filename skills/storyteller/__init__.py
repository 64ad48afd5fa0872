"""The storyteller: with a language model a story that the caller steers, without one a real tale.

A real tale is told in pieces. Its state holds places in it, so that the caller can interrupt, ask
for a piece again, or lose the call in the middle of a sentence.
"""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from skills.mode import ByModel, Heard, Mode, Say, Step
from skills.storyteller.by_model import LAST, episode, rules
from skills.storyteller.tales import FOLDER, Tale, pieces, tales_in
from skills.storyteller.unheard import first_unheard
from skills.storyteller.wishes import wish_in
from skills.words import words_of

HELP = "tell stories"

TALES = tales_in(FOLDER)

HERE_IS = "Here is {title}, by {author}."
NONE_ABOUT = "I know no story about that, but here is {title}, by {author}."
SAY_GO_ON = "Say go on to hear more."
HINT = "Say go on, again, or another one."
THE_END = "The end."
ANOTHER = "Would you like another one?"
YES_OR_NO = "Would you like another one? Please say yes or no."
NO_OTHER = "I know no other one. Say go on, again, or start over."
NO_TIME = "There is no time for another one. Say go on, again, or start over."
NO_MORE = "Those were all the stories that I know. I hope you liked them."
GOODBYE = "All right. I hope you liked it."
ENOUGH = "We have to stop here for now. Ask me for a story whenever you like."

HINTS = (Say(HINT), Say(YES_OR_NO), Say(NO_OTHER), Say(NO_TIME))

_STORY = "(story|tale|fable|fairy tale|bedtime story)"
_SOME_STORY = f"({_STORY}|good story|nice story|short story|long story|funny story|scary story)"
_LISTENER = (
    "(my daughter|my son|my kids|the kids|my children|the children|my little one|my boy|my girl)"
)
_HEAR = "(hear|have|listen to|get)"


class Story(BaseModel):
    """Where a story is."""

    tale: str | None = None
    """Its name; None for a story that the model makes up."""
    topic: str = ""
    """What it is to be about, in the caller's words."""
    first: int = Field(default=0, ge=0)
    """The sentence that the last piece began with."""
    next: int = Field(default=0, ge=0)
    """The first sentence that the caller has not heard."""
    told: tuple[str, ...] = ()
    """Tales that were begun since the mode was, this one too."""


class Storyteller(Mode[Story]):
    name = "storyteller"
    description = (
        "Begin it when the caller wants to hear a story. Give the topic if they said what it is "
        "to be about."
    )
    triggers = (
        f"(tell|read) [me|us] a {_SOME_STORY} [about {{topic}}]",
        f"(tell|read) {_LISTENER} a {_STORY} [about {{topic}}]",
        f"(do|start|begin|play|make up) a {_SOME_STORY} [together] [about {{topic}}]",
        f"give (me|us) a {_SOME_STORY} [about {{topic}}]",
        "(do|play|start|tell me) (one of those|an|a) [interactive] (story|stories) where {topic}",
        "(go on|do|play|start|have|begin) an adventure [story] [together]",
        f"(i am|we are) ready for (a|my|our|the) {_STORY}",
        "(do you know|do you have|have you got|know) any {topic} (stories|tales)",
        f"{_HEAR} a {_SOME_STORY} [about {{topic}}]",
        f"(i would like|i would love|i want|we want|i need|give me) a {_STORY} [about {{topic}}]",
        "[start|turn on|switch on|enter|use|go to|begin|open] [the] "
        "(story|storyteller|storytelling|story telling) mode",
        "use your skill storyteller",
        "(use|start|open|begin|activate|run) [your|the] [skill] storyteller [skill]",
        "(tell|read|hear) [me|us] [some|your] (stories|tales|fables|fairy tales) [about {topic}]",
        f"(i feel like|i am in the mood for|how about|time for|it is time for) a {_STORY}",
        f"(telling|reading) [me|us] a {_STORY} [about {{topic}}]",
        "(tell|read) me one of your (stories|tales|fables)",
        f"(do you know|do you have|have you got) (a|any) {_SOME_STORY} [about {{topic}}]",
        "(do you know|do you have|have you got) any (stories|tales) [about {topic}]",
        f"(make up|invent|think of|come up with) a {_STORY} [for me|for us] [about {{topic}}]",
        f"(entertain me|send me to sleep|put me to sleep|help me sleep) with a {_STORY}",
        "(tell|read) [me|us] the (story|tale|fable) of {topic}",
        f"a {_STORY} [about {{topic}}]",
        "(story time|storytime|storyteller|be my storyteller|be a storyteller)",
        "(my|the|our) (kid|kids|child|children|son|daughter) (wants|want|would like) "
        "[to hear] a (story|tale|bedtime story|fairy tale)",
    )
    heard_as = (
        f"(tell|read) [me|us] the {_STORY} about {{topic}}",
        "tell me (day|des|they) story",
        "(remy|where'd me) a bedtime story",
        "(read|remy|where'd) me (a bed time|a bit time|of the time) story",
        "use your (skill|skills|skill's|skull) "
        "(storyteller|story duller|story geller|story guller)",
        "sparry mode",
    )
    exits = (
        "(stop|end|quit|finish) (telling|reading|storytelling) [stories|the story|this story|it]",
        "(stop|end|quit) (stories|the stories|this tale|the tale)",
        "(no more|enough) [of] (stories|tales|the story|this story)",
        "i (don't|do not) want (a|another|any|any more|more) (story|stories) [anymore]",
    )
    max_turns = 10
    state = Story

    def begin(self, heard: Heard) -> Step[Story]:
        topic = str(heard.slots.get("topic") or "")
        if heard.has_model:
            return Step(Story(topic=topic), ByModel(episode("first", heard.turns_left)))
        return _begun(topic, heard)

    def step(self, state: Story, heard: Heard) -> Step[Story]:
        if state.tale is None and heard.has_model:
            if heard.turns_left == 0:
                return Step(None, ByModel(f"{rules(state.topic)}\n\n{LAST}"))
            return Step(state, ByModel(episode("next", heard.turns_left)))
        tale = None if state.tale is None else TALES.get(state.tale)
        if tale is None:
            # The call goes on without a model, or with a June who knows other tales.
            step = _begun(state.topic, heard, state.told)
        else:
            step = _heard(state, tale, heard)
        return _last(state, step) if heard.turns_left == 0 else step

    def instructions(self, state: Story) -> str:
        return rules(state.topic) if state.tale is None else ""

    def interrupted(self, state: Story, said: str, heard: str) -> Story:
        tale = None if state.tale is None else TALES.get(state.tale)
        if tale is None:
            return state
        place = first_unheard(tale.sentences[state.first : state.next], said, heard)
        return state if place is None else state.model_copy(update={"next": state.first + place})


def _heard(state: Story, tale: Tale, heard: Heard) -> Step[Story]:
    wish = wish_in(words_of(heard.text))
    is_over = _is_over(state, tale)
    match wish.kind:
        case "again":
            return _piece(state, tale, min(state.first, len(tale.sentences) - 1))
        case "anew":
            return _piece(state, tale, 0)
        case "other":
            return _another(state, tale, heard, wish.topic)
        case "yes" | "on":
            return _another(state, tale, heard) if is_over else _piece(state, tale, state.next)
        case "no" if is_over:
            return Step(None, Say(GOODBYE))
        case _:
            return Step(state, Say(YES_OR_NO if is_over else HINT))


def _is_over(state: Story, tale: Tale) -> bool:
    return state.next >= len(tale.sentences)


def _piece(state: Story, tale: Tale, first: int, opening: str = "") -> Step[Story]:
    end = tale.ends[first]
    is_over = end == len(tale.sentences)
    closing = f"{THE_END} {ANOTHER}" if is_over else SAY_GO_ON if opening else ""
    after = state.model_copy(update={"first": first, "next": end})
    return Step(after, Say(" ".join(filter(None, (opening, tale.piece(first), closing)))))


def _begun(topic: str, heard: Heard, told: Sequence[str] = ()) -> Step[Story]:
    """The tale that fits the topic, or the day's."""
    names = list(TALES)
    day = heard.now.toordinal() % len(names)
    return _first_of([*names[day:], *names[:day]], topic, told)


def _another(state: Story, tale: Tale, heard: Heard, topic: str = "") -> Step[Story]:
    """The next one in turn that was not told yet and can be told to its end."""
    names = list(TALES)
    after = names.index(tale.name) + 1
    others = [name for name in [*names[after:], *names[:after]] if name not in state.told]
    if in_time := [name for name in others if _has_time(TALES[name], heard)]:
        return _first_of(in_time, topic, state.told)
    if _is_over(state, tale):
        return Step(None, Say(ENOUGH if others else NO_MORE))
    return Step(state, Say(NO_TIME if others else NO_OTHER))


def _has_time(tale: Tale, heard: Heard) -> bool:
    return heard.turns_left is None or pieces(tale.ends) <= heard.turns_left + 1


def _first_of(names: Sequence[str], topic: str, told: Sequence[str]) -> Step[Story]:
    fitting = [name for name in names if _fits(TALES[name], topic)]
    tale = TALES[(fitting or names)[0]]
    opening = HERE_IS if fitting else NONE_ABOUT
    begun = Story(tale=tale.name, topic=topic, told=(*told, tale.name))
    return _piece(begun, tale, 0, opening.format(title=tale.title, author=tale.author))


def _fits(tale: Tale, topic: str) -> bool:
    """Whether each telling word of the topic is in the title, be it one of them or many."""
    wanted, known = _telling(topic), _telling(f"{tale.title} {tale.author}")
    return wanted <= known


def _telling(text: str) -> set[str]:
    words = words_of(text).plain.split()
    return {word.removesuffix("s") for word in words} - {"a", "an", "the", "and", "or", "of", "by"}


def _last(before: Story, step: Step[Story]) -> Step[Story]:
    """On the mode's last turn no tale is begun and nothing is asked; June says that it ends."""
    if step.state is None:
        return step
    if step.reply in HINTS or step.state.tale != before.tale:
        return Step(None, Say(ENOUGH))
    assert isinstance(step.reply, Say)
    told = step.reply.text.removesuffix(ANOTHER).rstrip()
    return Step(None, Say(f"{told} {ENOUGH}"))
