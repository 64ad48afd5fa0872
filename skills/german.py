"""What a German caller says to a skill: yes, no, and stop. Whole utterances, like the English."""

YES = frozenset(
    {
        *("ja", "ja ja", "jawohl", "ja gerne", "gerne", "ja klar", "klar", "natürlich", "sicher"),
        *("genau", "ok", "in ordnung", "einverstanden", "nur zu", "auf jeden fall", "mach das"),
        *("machen sie das", "mach es", "machen sie es", "ja mach das", "ja machen sie das"),
        *("selbstverständlich", "warum nicht", "richtig", "stimmt", "von mir aus", "los"),
    }
)
NO = frozenset(
    {
        *("nein", "nein nein", "nö", "nee", "nein lieber nicht", "lieber nicht", "jetzt nicht"),
        *("nicht jetzt", "noch nicht", "später", "vielleicht später", "ein andermal", "lass es"),
        *("lassen sie es", "auf keinen fall", "ich möchte nicht", "ich will nicht", "doch nicht"),
        *("nein auf keinen fall", "keinesfalls", "vergiss es", "vergessen sie es", "egal"),
    }
)
EXITS = frozenset(
    {
        *("stopp", "stop", "halt", "aufhören", "hör auf", "hören sie auf", "hör auf damit"),
        *("hören sie auf damit", "hör auf zu übersetzen", "hören sie auf zu übersetzen"),
        *("beenden", "ende", "schluss", "schluss damit", "schluss jetzt", "abbrechen", "genug"),
        *("das genügt", "das reicht", "es reicht", "genug davon", "ich habe genug", "fertig"),
        *("ich bin fertig", "wir sind fertig", "zurück", "zurück zum normalen gespräch"),
        *("zurück zum gespräch", "normal", "normaler modus", "verlassen", "raus hier"),
        *("nicht mehr übersetzen", "keine geschichten mehr", "ausschalten", "exit", "quit"),
    }
)
POLITE = ("bitte", "danke", "vielen dank", "june", "jetzt", "ok", "also", "gut", "hallo")
"""What stands before or after it."""
