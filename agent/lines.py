"""Everything June says on her own account, by language. What a model writes is not here."""

from dataclasses import dataclass, fields

NOT_SAID = ("tag", "language_name")


@dataclass(frozen=True)
class Lines:
    """One language's sentences. They are spoken, so they hold no digits, signs or abbreviations."""

    tag: str
    language_name: str
    """In English, for the model."""

    greeting: str
    """To somebody June does not know. It says that she is an AI, as the law asks in many places."""
    greeting_again: str
    """To somebody whose earlier conversation is remembered."""
    greeting_resumed: str
    """After a crash, a deploy or a lost network cut the same conversation off."""
    goodbye: str
    """When the caller ends the call and the model has not said it in its own words."""
    still_there: str
    """After a while in which nobody said anything."""
    goodbye_unanswered: str
    """After that was not answered."""
    one_minute_left: str
    call_too_long: str
    leaving: str
    """The worker is stopping."""
    input_too_long: str
    not_understood: str
    """The model answered with nothing that can be said."""
    trouble: str
    """The model did not answer at all."""
    lost_words: str
    """The model broke off in the middle of its answer."""
    cannot_hear: str
    """Nobody can be asked what was said."""
    not_caught: str
    """Something was said, and no text came of it."""
    broken: str
    """Her ears or her voice have failed too often to go on."""
    more_to_say: str
    """The answer was too long to be heard as a whole."""
    near_limit: str
    """A warning after an answer: soon June may not answer any more."""
    too_many_turns: str
    too_many_calls: str
    blocked: str
    """Refused too often."""
    out_of_budget: str
    """June as a whole may spend no more, or nobody knows whether she may."""
    user_budget: str
    session_budget: str
    skill_left: str
    """A mode is over because the caller said so."""
    skill_unclear: str
    """Neither yes nor no to whether a skill may begin."""
    skill_canceled: str
    skill_failed: str
    skill_done: str
    """An ability has nothing to say."""
    alarm: str
    """Before the name of an alarm, in a language that the skill which set it does not write."""
    missed: str
    """Before what was to be said while the caller was away."""

    def all(self) -> tuple[str, ...]:
        """Each sentence once: what is worth keeping as sound."""
        return tuple(
            getattr(self, field.name) for field in fields(self) if field.name not in NOT_SAID
        )

    def speaks(self, language: str) -> bool:
        """Whether these sentences are in that language."""
        return primary(language) == self.tag


ENGLISH = Lines(
    tag="en",
    language_name="English",
    greeting="Hello, this is June. I'm an AI assistant. How can I help you?",
    greeting_again="Hello again, this is June, the AI assistant. How can I help you?",
    greeting_resumed="We were cut off. This is June, the AI assistant. Let's go on.",
    goodbye="Thank you for calling. Goodbye.",
    still_there="Are you still there?",
    goodbye_unanswered="I can't hear you, so I will hang up now. Goodbye.",
    one_minute_left="Just so you know, we have one minute left.",
    call_too_long="We have talked for as long as I can. Goodbye.",
    leaving="I have to go now. Please call again in a moment. Goodbye.",
    input_too_long="That was too much for me at once. Could you say it in fewer words?",
    not_understood="I don't have an answer to that. Could you ask it in other words?",
    trouble="I'm sorry, I couldn't think of an answer just now. Could you ask me again?",
    lost_words="Sorry, I lost my words.",
    cannot_hear="I'm sorry, I can't hear you well at the moment. Could you say that again?",
    not_caught="I didn't catch that. Could you repeat?",
    broken="I'm sorry, something is broken on my side. Please call again later. Goodbye.",
    more_to_say="There is more, if you want to hear it.",
    near_limit="Just so you know, I can't answer many more questions right now.",
    too_many_turns="You are asking faster than I can answer. Please wait a moment.",
    too_many_calls="You have called very often just now. Please call again later. Goodbye.",
    blocked="That was too much for me. Please call again later. Goodbye.",
    out_of_budget="I'm temporarily unavailable due to high usage. "
    "Please try again in a few minutes. Goodbye.",
    user_budget="That is all I can do for you today. Please call again tomorrow. Goodbye.",
    session_budget="We have used up what I can do in one call. Thank you. Goodbye.",
    skill_left="Skill deactivated. I'm back to normal conversation mode.",
    skill_unclear="I didn't catch that. Please say 'yes' to proceed or 'no' to cancel.",
    skill_canceled="Okay, I've canceled that. What would you like to do instead?",
    skill_failed="I'm sorry, that did not work. What would you like to do instead?",
    skill_done="All right, that's done.",
    alarm="It is time:",
    missed="While you were away:",
)

GERMAN = Lines(
    tag="de",
    language_name="German",
    greeting="Hallo, hier ist June. Ich bin eine KI-Assistentin. Wie kann ich Ihnen helfen?",
    greeting_again="Schön, Sie wieder zu hören. Hier ist June, die KI-Assistentin. "
    "Was kann ich für Sie tun?",
    greeting_resumed="Wir wurden unterbrochen. Hier ist June, die KI-Assistentin. "
    "Machen wir weiter.",
    goodbye="Danke für Ihren Anruf. Auf Wiederhören.",
    still_there="Sind Sie noch da?",
    goodbye_unanswered="Ich höre Sie nicht, darum lege ich jetzt auf. Auf Wiederhören.",
    one_minute_left="Nur zur Erinnerung: Wir haben noch eine Minute.",
    call_too_long="Länger kann ich leider nicht sprechen. Auf Wiederhören.",
    leaving="Ich muss jetzt gehen. Bitte rufen Sie gleich noch einmal an. Auf Wiederhören.",
    input_too_long="Das war zu viel auf einmal. Können Sie es kürzer sagen?",
    not_understood="Darauf habe ich keine Antwort. Können Sie es anders fragen?",
    trouble="Entschuldigung, mir ist gerade keine Antwort eingefallen. "
    "Können Sie mich noch einmal fragen?",
    lost_words="Entschuldigung, ich habe den Faden verloren.",
    cannot_hear="Entschuldigung, ich kann Sie gerade schlecht hören. Können Sie das wiederholen?",
    not_caught="Das habe ich nicht mitbekommen. Können Sie es wiederholen?",
    broken="Entschuldigung, bei mir ist etwas kaputt. Bitte rufen Sie später noch einmal an. "
    "Auf Wiederhören.",
    more_to_say="Es gibt noch mehr, wenn Sie es hören möchten.",
    near_limit="Nur zur Information: Viele Fragen kann ich gerade nicht mehr beantworten.",
    too_many_turns="Sie fragen schneller, als ich antworten kann. Bitte warten Sie einen Moment.",
    too_many_calls="Sie haben gerade sehr oft angerufen. Bitte rufen Sie später noch einmal an. "
    "Auf Wiederhören.",
    blocked="Das war zu viel für mich. Bitte rufen Sie später noch einmal an. Auf Wiederhören.",
    out_of_budget="Ich bin gerade überlastet. Bitte versuchen Sie es in ein paar Minuten noch "
    "einmal. Auf Wiederhören.",
    user_budget="Mehr kann ich heute nicht für Sie tun. Bitte rufen Sie morgen wieder an. "
    "Auf Wiederhören.",
    session_budget="Mehr kann ich in einem Anruf nicht tun. Vielen Dank. Auf Wiederhören.",
    skill_left="Gut, das ist beendet. Jetzt sprechen wir wieder ganz normal.",
    skill_unclear="Das habe ich nicht verstanden. Bitte sagen Sie Ja oder Nein.",
    skill_canceled="Gut, ich lasse es. Was möchten Sie stattdessen tun?",
    skill_failed="Das hat leider nicht funktioniert. Was möchten Sie stattdessen tun?",
    skill_done="Gut, das ist erledigt.",
    alarm="Es ist so weit:",
    missed="Während Sie weg waren:",
)

LINES = {lines.tag: lines for lines in (ENGLISH, GERMAN)}


def lines_for(language: str) -> Lines:
    """The sentences of a language tag such as `en` or `en-GB`; English where there are none."""
    return LINES.get(primary(language), ENGLISH)


def primary(language: str) -> str:
    """The language itself, without region or script: `de` of `de-CH`."""
    return language.partition("-")[0].lower()
