"""Which time zone a place is in, by its English name."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from skills.words import words_of

OTHER_PLACES: Mapping[str, str] = {
    "Africa/Addis_Ababa": "ethiopia",
    "Africa/Algiers": "algeria",
    "Africa/Cairo": "egypt, alexandria",
    "Africa/Casablanca": "morocco, marrakesh, marrakech, rabat",
    "Africa/Accra": "ghana",
    "Africa/Johannesburg": "south africa, cape town, pretoria, durban",
    "Africa/Kampala": "uganda",
    "Africa/Lagos": "nigeria, abuja",
    "Africa/Nairobi": "kenya",
    "Africa/Tunis": "tunisia",
    "America/Argentina/Buenos_Aires": "argentina",
    "America/Bogota": "colombia, medellin, cartagena",
    "America/Caracas": "venezuela",
    "America/Chicago": "houston, dallas, austin, san antonio, new orleans, minneapolis, nashville, "
    "memphis, milwaukee, saint louis, st louis, kansas city, oklahoma city, central time",
    "America/Denver": "salt lake city, albuquerque, colorado, mountain time",
    "America/Edmonton": "calgary, alberta",
    "America/Guayaquil": "quito",
    "America/Havana": "cuba",
    "America/Lima": "peru",
    "America/La_Paz": "bolivia",
    "America/Los_Angeles": "san francisco, san diego, san jose, sacramento, oakland, seattle, "
    "portland, las vegas, california, hollywood, silicon valley, washington state, l a, la, "
    "pacific time",
    "America/Mexico_City": "guadalajara",
    "America/Montevideo": "uruguay",
    "America/New_York": "new york city, n y c, nyc, manhattan, brooklyn, washington, washington d c"
    ", washington dc, d c, boston, miami, orlando, atlanta, philadelphia, baltimore, pittsburgh, "
    "charlotte, cleveland, massachusetts, new jersey, eastern time",
    "America/Phoenix": "arizona, tucson",
    "America/Sao_Paulo": "rio, rio de janeiro, brasilia",
    "America/Toronto": "montreal, ottawa, quebec",
    "America/Vancouver": "british columbia",
    "Asia/Baghdad": "iraq",
    "Asia/Bangkok": "thailand, phuket",
    "Asia/Beirut": "lebanon",
    "Asia/Colombo": "sri lanka",
    "Asia/Dhaka": "bangladesh",
    "Asia/Dubai": "abu dhabi, emirates, united arab emirates",
    "Asia/Ho_Chi_Minh": "vietnam, hanoi, saigon, ho chi minh city",
    "Asia/Jerusalem": "israel, tel aviv, haifa",
    "Asia/Kabul": "afghanistan",
    "Asia/Karachi": "pakistan, islamabad, lahore",
    "Asia/Kathmandu": "nepal",
    "Asia/Kolkata": "india, mumbai, bombay, delhi, new delhi, bangalore, bengaluru, chennai, "
    "hyderabad, pune, goa",
    "Asia/Kuala_Lumpur": "malaysia",
    "Asia/Makassar": "bali",
    "Asia/Manila": "philippines",
    "Asia/Riyadh": "saudi arabia, mecca",
    "Asia/Seoul": "korea, south korea, busan",
    "Asia/Shanghai": "china, beijing, peking, shenzhen, guangzhou, wuhan",
    "Asia/Tehran": "iran",
    "Asia/Tokyo": "japan, osaka, kyoto, hiroshima, yokohama, sapporo",
    "Atlantic/Canary": "canary islands, tenerife, gran canaria",
    "Atlantic/Reykjavik": "iceland",
    "Australia/Sydney": "canberra",
    "Etc/UTC": "utc, gmt, greenwich, u t c, g m t",
    "Europe/Amsterdam": "netherlands, holland, rotterdam, hague",
    "Europe/Athens": "greece",
    "Europe/Belgrade": "serbia",
    "Europe/Berlin": "germany, munich, hamburg, frankfurt, cologne, stuttgart, dusseldorf, "
    "leipzig, dresden, bonn",
    "Europe/Bratislava": "slovakia",
    "Europe/Brussels": "belgium, antwerp, bruges",
    "Europe/Bucharest": "romania",
    "Europe/Budapest": "hungary",
    "Europe/Copenhagen": "denmark",
    "Europe/Dublin": "ireland",
    "Europe/Helsinki": "finland",
    "Europe/Istanbul": "turkey, ankara",
    "Europe/Kyiv": "ukraine, kiev",
    "Europe/Lisbon": "porto",
    "Europe/Ljubljana": "slovenia",
    "Europe/London": "england, scotland, wales, great britain, britain, u k, uk, united kingdom, "
    "edinburgh, glasgow, manchester, liverpool, birmingham, leeds, bristol, oxford, cambridge, "
    "cardiff",
    "Europe/Madrid": "barcelona, seville, valencia, mallorca",
    "Europe/Moscow": "saint petersburg, st petersburg",
    "Europe/Oslo": "norway, bergen",
    "Europe/Paris": "france, lyon, nice, marseille, bordeaux, strasbourg",
    "Europe/Prague": "czech republic, czechia",
    "Europe/Rome": "italy, milan, florence, venice, naples, turin, sicily",
    "Europe/Sofia": "bulgaria",
    "Europe/Stockholm": "sweden, gothenburg",
    "Europe/Vienna": "austria, salzburg, graz",
    "Europe/Vilnius": "lithuania",
    "Europe/Riga": "latvia",
    "Europe/Tallinn": "estonia",
    "Europe/Warsaw": "poland, krakow, gdansk",
    "Europe/Zagreb": "croatia",
    "Europe/Zurich": "switzerland, geneva, basel, bern",
    "Pacific/Auckland": "new zealand, wellington, christchurch",
    "Pacific/Honolulu": "hawaii",
}
"""Countries with one time zone, and places that no zone is named after."""

SEVERAL_ZONES = (
    *("america", "u s", "us", "u s a", "usa", "united states", "united states of america"),
    *("australia", "brazil", "canada", "chile", "democratic republic of the congo", "ecuador"),
    *("europe", "asia", "africa", "south america", "indonesia", "kazakhstan", "mexico", "mongolia"),
    *("portugal", "russia", "siberia", "spain", "texas", "florida", "georgia", "new guinea"),
)
"""Also a name of two places."""

_CONTINENTS = ("Europe", "America", "Asia", "Australia", "Africa", "Pacific", "Atlantic", "Indian")
_SAID_AFTER = re.compile(
    r"[\s,]+(right now|now|currently|at the moment|today|please)$", re.IGNORECASE
)


def named(place: str) -> str:
    """The name alone: "Tokyo" of "Tokyo right now?"."""
    name = " ".join(place.split()).strip(" .?!,")
    while (shorter := _SAID_AFTER.sub("", name)) != name:
        name = shorter
    return name


def has_several_zones(place: str) -> bool:
    return _plain(place) in SEVERAL_ZONES


def zone_of(place: str) -> ZoneInfo | None:
    """None for an unknown place, and for one with several zones."""
    wanted = _plain(place)
    if wanted in SEVERAL_ZONES:
        return None
    # "Berlin, Germany" is known by its first part.
    first = _plain(named(place).partition(",")[0])
    zone = _zones().get(wanted) or _zones().get(first)
    return None if zone is None else ZoneInfo(zone)


def _plain(place: str) -> str:
    letters = unicodedata.normalize("NFKD", named(place))
    unaccented = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return words_of(unaccented).plain.removeprefix("the ")


@cache
def _zones() -> Mapping[str, str]:
    """By the last part of their names, and by the other places in them."""
    names = [
        zone for zone in sorted(available_timezones()) if zone.partition("/")[0] in _CONTINENTS
    ]
    cities = {words_of(zone.rpartition("/")[2].replace("_", " ")).plain: zone for zone in names}
    others = {place: zone for zone, places in OTHER_PLACES.items() for place in places.split(", ")}
    return cities | others
