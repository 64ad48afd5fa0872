"""Which time zones a place has, by its English name."""

from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

OTHER_PLACES: Mapping[str, tuple[str, ...]] = {
    "beijing": ("Asia/Shanghai",),
    "shenzhen": ("Asia/Shanghai",),
    "mumbai": ("Asia/Kolkata",),
    "bombay": ("Asia/Kolkata",),
    "delhi": ("Asia/Kolkata",),
    "new delhi": ("Asia/Kolkata",),
    "bangalore": ("Asia/Kolkata",),
    "chennai": ("Asia/Kolkata",),
    "osaka": ("Asia/Tokyo",),
    "kyoto": ("Asia/Tokyo",),
    "hanoi": ("Asia/Ho_Chi_Minh",),
    "islamabad": ("Asia/Karachi",),
    "abu dhabi": ("Asia/Dubai",),
    "tel aviv": ("Asia/Jerusalem",),
    "ankara": ("Europe/Istanbul",),
    "munich": ("Europe/Berlin",),
    "hamburg": ("Europe/Berlin",),
    "frankfurt": ("Europe/Berlin",),
    "cologne": ("Europe/Berlin",),
    "geneva": ("Europe/Zurich",),
    "barcelona": ("Europe/Madrid",),
    "milan": ("Europe/Rome",),
    "florence": ("Europe/Rome",),
    "venice": ("Europe/Rome",),
    "naples": ("Europe/Rome",),
    "lyon": ("Europe/Paris",),
    "nice": ("Europe/Paris",),
    "edinburgh": ("Europe/London",),
    "glasgow": ("Europe/London",),
    "manchester": ("Europe/London",),
    "rotterdam": ("Europe/Amsterdam",),
    "krakow": ("Europe/Warsaw",),
    "saint petersburg": ("Europe/Moscow",),
    "kiev": ("Europe/Kyiv",),
    "san francisco": ("America/Los_Angeles",),
    "san diego": ("America/Los_Angeles",),
    "seattle": ("America/Los_Angeles",),
    "portland": ("America/Los_Angeles",),
    "las vegas": ("America/Los_Angeles",),
    "california": ("America/Los_Angeles",),
    "washington": ("America/New_York",),
    "boston": ("America/New_York",),
    "miami": ("America/New_York",),
    "atlanta": ("America/New_York",),
    "philadelphia": ("America/New_York",),
    "florida": ("America/New_York",),
    "houston": ("America/Chicago",),
    "dallas": ("America/Chicago",),
    "austin": ("America/Chicago",),
    "texas": ("America/Chicago", "America/Denver"),
    "new orleans": ("America/Chicago",),
    "salt lake city": ("America/Denver",),
    "montreal": ("America/Toronto",),
    "ottawa": ("America/Toronto",),
    "calgary": ("America/Edmonton",),
    "rio": ("America/Sao_Paulo",),
    "rio de janeiro": ("America/Sao_Paulo",),
    "brasilia": ("America/Sao_Paulo",),
    "hawaii": ("Pacific/Honolulu",),
    "cape town": ("Africa/Johannesburg",),
    "pretoria": ("Africa/Johannesburg",),
    "marrakesh": ("Africa/Casablanca",),
    "canberra": ("Australia/Sydney",),
    "wellington": ("Pacific/Auckland",),
    "germany": ("Europe/Berlin",),
    "france": ("Europe/Paris",),
    "italy": ("Europe/Rome",),
    "england": ("Europe/London",),
    "scotland": ("Europe/London",),
    "wales": ("Europe/London",),
    "great britain": ("Europe/London",),
    "the uk": ("Europe/London",),
    "austria": ("Europe/Vienna",),
    "switzerland": ("Europe/Zurich",),
    "the netherlands": ("Europe/Amsterdam",),
    "holland": ("Europe/Amsterdam",),
    "belgium": ("Europe/Brussels",),
    "poland": ("Europe/Warsaw",),
    "sweden": ("Europe/Stockholm",),
    "norway": ("Europe/Oslo",),
    "denmark": ("Europe/Copenhagen",),
    "finland": ("Europe/Helsinki",),
    "ireland": ("Europe/Dublin",),
    "greece": ("Europe/Athens",),
    "turkey": ("Europe/Istanbul",),
    "ukraine": ("Europe/Kyiv",),
    "japan": ("Asia/Tokyo",),
    "china": ("Asia/Shanghai",),
    "india": ("Asia/Kolkata",),
    "south korea": ("Asia/Seoul",),
    "korea": ("Asia/Seoul",),
    "thailand": ("Asia/Bangkok",),
    "vietnam": ("Asia/Ho_Chi_Minh",),
    "the philippines": ("Asia/Manila",),
    "israel": ("Asia/Jerusalem",),
    "egypt": ("Africa/Cairo",),
    "kenya": ("Africa/Nairobi",),
    "nigeria": ("Africa/Lagos",),
    "south africa": ("Africa/Johannesburg",),
    "new zealand": ("Pacific/Auckland",),
    "argentina": ("America/Argentina/Buenos_Aires",),
    "spain": ("Europe/Madrid", "Atlantic/Canary"),
    "portugal": ("Europe/Lisbon", "Atlantic/Azores"),
    "russia": ("Europe/Moscow", "Asia/Vladivostok"),
    "australia": ("Australia/Sydney", "Australia/Perth"),
    "canada": ("America/Toronto", "America/Vancouver"),
    "brazil": ("America/Sao_Paulo", "America/Manaus"),
    "mexico": ("America/Mexico_City", "America/Tijuana"),
    "indonesia": ("Asia/Jakarta", "Asia/Makassar"),
    "america": ("America/New_York", "America/Los_Angeles"),
    "the us": ("America/New_York", "America/Los_Angeles"),
    "the usa": ("America/New_York", "America/Los_Angeles"),
    "the united states": ("America/New_York", "America/Los_Angeles"),
}
"""Countries, and cities that have no zone of their own name. Two zones stand for several."""

PREFERRED = ("Europe", "America", "Asia", "Australia", "Africa", "Pacific", "Atlantic", "Indian")


def zones_of(place: str) -> tuple[ZoneInfo, ...]:
    """One of a place that has one; several of a country that has; none of an unknown place."""
    wanted = " ".join(place.casefold().strip(" .?!,").split())
    names = OTHER_PLACES.get(wanted) or OTHER_PLACES.get(f"the {wanted}")
    if names is None:
        city = _cities().get(wanted) or _cities().get(wanted.partition(",")[0])
        names = () if city is None else (city,)
    return tuple(ZoneInfo(name) for name in names)


@cache
def _cities() -> Mapping[str, str]:
    """The zones by their cities: `new york` is in `America/New_York`."""
    names = [name for name in available_timezones() if name.partition("/")[0] in PREFERRED]
    return {name.rpartition("/")[2].replace("_", " ").casefold(): name for name in sorted(names)}
