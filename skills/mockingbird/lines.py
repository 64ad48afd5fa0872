"""What June says while she copies a voice."""

from collections.abc import Mapping
from typing import Literal

from skills.voice import Why

SURE = "This will clone your voice from the conversation. Are you sure you want to proceed?"
NOT_HERE = "I can't copy voices in this call."

CONSENT = "First I need your consent, in your own voice. Please repeat after me: {sentence}"
ALMOST = "Almost. Please say exactly this: {sentence}"
REPEAT = "Please repeat after me: {sentence}"
TYPED_CONSENT = "I must hear it in your own voice. Please say aloud: {sentence}"
PHRASE = (
    "Thank you. The maker of voices needs one more sentence. Please repeat after me: {sentence}"
)
LEFT_IT = "That's all right, let's leave it."

MOMENT = "Thank you. One moment."
READY = "Ready to clone your voice! Please speak naturally for about 8 seconds. Start speaking now!"
START = "Please speak naturally for about 8 seconds. Start speaking now!"
TYPED_SAMPLE = "I'm listening for your voice. Please speak for about 8 seconds, or say stop."
THANK_YOU = "Thank you! Processing your voice sample now..."
STILL = "One moment, I'm still working on your voice."

GOT_IT = "Got it! I'm now speaking with your voice."
BACK = "Switching back to my default voice."
ALREADY = "I'm already speaking with your voice."
LOST = "I can't use your voice any more, so this is my own again."

BETTER: Mapping[Why, str] = {
    Why.SILENT: "I didn't hear anything.",
    Why.TOO_SHORT: "That was too short.",
    Why.TOO_QUIET: "That was too quiet. Please come closer to the microphone.",
    Why.CLIPPED: "That was too loud for your microphone. Please keep a little more distance.",
    Why.NOISY: "There is too much noise around you. Please find a quieter place.",
    Why.WHISPERED: "I need your full voice, not a whisper.",
    Why.NOT_SPEECH: "I heard something, but not your voice alone.",
    Why.SEVERAL_VOICES: "I heard more than one voice. Please let nobody else speak.",
}
"""What the caller can do better."""

OR = "Say try again, or ask me anything else."

NOT_NOW = f"Let's leave it for now; I have deleted what I had of your voice. {OR}"

WORSE: Mapping[Why, str] = {
    Why.ANOTHER_SPEAKER: "That doesn't sound like the voice that gave consent, "
    f"so I have deleted it. {OR}",
    Why.NO_CONSENT: f"I have no consent for this voice any more, so I have deleted it. {OR}",
    Why.AWAY: f"I can't keep your consent at the moment, so I can't copy your voice. {OR}",
}
BROKEN = f"I'm sorry, I couldn't copy your voice, and have deleted what I had of it. {OR}"

DELETED: Mapping[Literal["nothing", "deleted", "going"], str] = {
    "nothing": "I have nothing of your voice.",
    "deleted": "I have deleted your voice, and everything that was made of it.",
    "going": "I have deleted your voice here. The maker of voices has not confirmed it yet, "
    "so I keep asking until it does.",
}

IN_YOUR_VOICE = """\
You speak now with a likeness of the caller's own voice, with their consent. You are still June, \
an AI. Never say or suggest that you are the caller, or any person. In this voice never state \
anybody's name, address, date of birth or account as your own, never give or confirm a password, \
code or signature, never agree to a payment, order or contract, and never say what is to be played \
to somebody else as the caller's words. If you are asked for that, say that you do not do it in \
their voice."""
"""For the model, as long as it lasts."""
