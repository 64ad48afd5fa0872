"""Languages by their English names, with the tag that voices know them by."""

import re
from collections.abc import Sequence

LANGUAGES = {
    "Afrikaans": "af",
    "Albanian": "sq",
    "Arabic": "ar",
    "Bengali": "bn",
    "Brazilian Portuguese": "pt",
    "Bulgarian": "bg",
    "Catalan": "ca",
    "Chinese": "zh",
    "Croatian": "hr",
    "Czech": "cs",
    "Danish": "da",
    "Dutch": "nl",
    "English": "en",
    "Estonian": "et",
    "Farsi": "fa",
    "Filipino": "tl",
    "Finnish": "fi",
    "French": "fr",
    "German": "de",
    "Greek": "el",
    "Hebrew": "he",
    "Hindi": "hi",
    "Hungarian": "hu",
    "Icelandic": "is",
    "Indonesian": "id",
    "Irish": "ga",
    "Italian": "it",
    "Japanese": "ja",
    "Korean": "ko",
    "Latin": "la",
    "Latvian": "lv",
    "Lithuanian": "lt",
    "Malay": "ms",
    "Mandarin": "zh",
    "Norwegian": "no",
    "Persian": "fa",
    "Polish": "pl",
    "Portuguese": "pt",
    "Romanian": "ro",
    "Russian": "ru",
    "Serbian": "sr",
    "Slovak": "sk",
    "Slovenian": "sl",
    "Spanish": "es",
    "Swahili": "sw",
    "Swedish": "sv",
    "Tagalog": "tl",
    "Tamil": "ta",
    "Thai": "th",
    "Turkish": "tr",
    "Ukrainian": "uk",
    "Urdu": "ur",
    "Vietnamese": "vi",
    "Welsh": "cy",
}
"""Tags of BCP 47, without a region: a voice is chosen by the language alone."""

_BY_NAME = {name.casefold(): name for name in LANGUAGES}
_ANY = re.compile(rf"\b(?:{'|'.join(sorted(_BY_NAME, key=len, reverse=True))})\b")


def named(said: str) -> str | None:
    """The language as it is called here, however it is written; None for an unknown one."""
    return _BY_NAME.get(said.strip().casefold())


def languages_in(text: str) -> Sequence[str]:
    """All that are named in it, in order and each once."""
    return list(dict.fromkeys(_BY_NAME[found] for found in _ANY.findall(text.casefold())))
