"""Hanging up."""

from skills.ability import ability
from skills.ports import Ports

HELP = "say goodbye"

BYE = "(good bye|bye|bye bye)"
LEAD = "(ok|thanks|thank you|thank you very much|that is all|that was all|great|perfect|well)"


@ability(
    phrases=[
        f"{BYE}",
        f"{BYE} {BYE}",
        f"{BYE} (for now|for today|then|now|dear|everyone|take care|see you|have a nice day"
        "|have a good one|talk to you later|and thanks|and thank you)",
        f"{LEAD} {BYE}",
        f"{LEAD} {LEAD} {BYE}",
        f"i (have|need) to (go|leave|run|hang up) [now] [{BYE}]",
        f"i (have|need) got to (go|leave|run|hang up) [now] [{BYE}]",
        f"i am (leaving|going|hanging up) [now] {BYE}",
        f"(take care|see you|see you later|see you soon|talk to you later|good night) [{BYE}]",
        f"have a (nice|good|great|lovely) (day|evening|night|one) [{BYE}]",
        f"[let us|we can|you can] (hang up|end (the|this|our) (call|conversation)) [{BYE}]",
        "(drop|finish|stop|terminate|close|quit) (the|this|our) call [here|there]",
        "that (is|was|will be) all [for now|for today] [thanks|thank you] " + BYE,
    ]
)
async def end_call(ports: Ports) -> str:
    """Hang up. Use it when the caller has said goodbye or asks to end the call."""
    await ports.hang_up()
    return ""
