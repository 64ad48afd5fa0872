"""Hanging up."""

from skills.ability import ability
from skills.ports import Ports

HELP = "say goodbye"

_BYE = "(good bye|bye|bye bye)"
_THANKS = "(thanks|thank you|thank you very much|thanks a lot|thank you so much)"
_DONE = "(that is|that was|that will be) (all|it|everything) [for now|for today]"
_SEE_YOU = (
    "(see you|see ya|talk to you|speak to you|catch you) "
    "(later|soon|tomorrow|next time|next week|then|again|again soon|around)"
)
_WISH = "have a (nice|good|great|lovely|wonderful) (day|evening|night|weekend|one|afternoon)"
_GO = "i (have to|need to|got to|have got to|must|am going to|should) (go|leave|run|hang up)"


# Only what surely ends a call: one that ends by mistake is worse than one that goes on. Who says
# "I have to go" alone may go on with "to the bank tomorrow".
@ability(
    phrases=[
        f"{_BYE} [{_BYE}]",
        f"{_BYE} (for now|for today|then|now|dear|everyone|everybody|my friend|my dear)",
        f"{_BYE} (take care|have fun|good night|sleep well|until next time|until tomorrow)",
        f"{_BYE} [and] {_THANKS} [for (your help|everything|the help)]",
        f"{_BYE} [and] ({_SEE_YOU}|see you|{_WISH})",
        f"(great|perfect|nice|good|lovely|fine|cheers|gotta go|got to go|no) {_BYE}",
        f"{_BYE} june {_WISH}",
        f"no ({_THANKS}|{_DONE}) {_BYE}",
        f"{_THANKS} [for (your help|the help|everything|your time|now)] {_BYE} [now|then]",
        f"{_THANKS} {_DONE} {_BYE}",
        f"{_DONE} [{_THANKS}] {_BYE}",
        f"{_GO} (now|{_BYE}|now {_BYE})",
        f"i am (leaving|going|hanging up|off|off then) [now] {_BYE}",
        f"i am (done|finished) [talking|here|for today|for now] {_BYE}",
        f"we are (done|finished) [here|for today] {_BYE}",
        f"({_SEE_YOU}|see you|take care|good night|farewell) [{_BYE}|then]",
        "good night (dear|sleep well|and sleep well|sleep tight|see you tomorrow)",
        f"{_WISH} [{_BYE}]",
        f"(nice|good|great|lovely) (talking|chatting) (to|with) you {_BYE}",
        f"it (was|has been) (nice|good|great|lovely) talking (to|with) you {_BYE}",
        f"hang up [the phone|the call] [{_BYE}]",
        f"i am (hanging up|going to hang up) [{_BYE}]",
        "end call",
        f"end (the|this|our) (call|conversation|chat|phone call) [here|there|{_BYE}]",
        "(drop|finish|stop|terminate|close|quit|disconnect|leave|exit) (the|this|our) call "
        "[here|there]",
    ],
    heard_as=["(ain't up|hail up|hail map) [the phone|the call]"],
    last_words=True,
)
async def end_call(ports: Ports) -> str:
    """Hang up. Use it when the caller has said goodbye or asks to end the call."""
    await ports.hang_up()
    return ""
