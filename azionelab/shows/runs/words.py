"""The words of a run typed in English or Italian: weekdays, months, and small words (sentence.py)."""

import re
import unicodedata

_WEEKDAYS = (
    "mon monday mondays lun lunedi",
    "tue tues tuesday tuesdays mar martedi",
    "wed weds wednesday wednesdays mer merc mercoledi",
    "thu thur thurs thursday thursdays gio giov giovedi",
    "fri friday fridays ven venerdi",
    "sat saturday saturdays sab sabato sabati",
    "sun sunday sundays dom domenica domeniche",
)
# "mar" is martedì; March is written out, or "marzo", since a day number stands before a month.
_MONTHS = (
    "jan january gen gennaio", "feb february febbraio", "march marzo", "apr april aprile", "may mag maggio",
    "jun june giu giugno", "jul july lug luglio", "aug august ago agosto", "sep sept september set sett settembre",
    "oct october ott ottobre", "nov november novembre", "dec december dic dicembre",
)  # fmt: skip
WEEKDAYS = {word: number for number, words in enumerate(_WEEKDAYS) for word in words.split()}
MONTHS = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
DAILY = frozenset(["daily", "everyday", "day", "days", "giorni", "giorno"])
FROM = frozenset(["from", "since", "dal", "dall", "da", "dai"])
TO = frozenset(["to", "until", "till", "through", "thru", "al", "all", "a", "ad", "fino", "-"])
EXCEPT = frozenset(
    [
        "except",
        "excepting",
        "excluding",
        "without",
        "not",
        "no",
        "but",
        "tranne",
        "eccetto",
        "escluso",
        "esclusa",
        "esclusi",
        "salvo",
        "meno",
    ]
)
PLUS = frozenset(["plus", "also", "additionally", "extra", "anche", "inoltre", "piu", "+"])
FILLER = frozenset(
    [
        "and",
        "e",
        "ed",
        "&",
        "on",
        "the",
        "at",
        "ore",
        "alle",
        "ora",
        "h",
        "s",
        "il",
        "lo",
        "la",
        "i",
        "gli",
        "le",
        "l",
        "in",
        "di",
        "of",
        "every",
        "each",
        "ogni",
        "tutti",
        "tutte",
        "nei",
        "nel",
        "it",
        "oclock",
        "evening",
        "evenings",
        "sera",
    ]
)
# d/m or d/m/y, ISO dates, times with a colon, a dot or an h, numbers with an ordinal, words, signs.
TOKEN = re.compile(
    r"(?P<iso>\d{4}-\d{2}-\d{2})"
    r"|(?P<slashed>\d{1,2}/\d{1,2}(?:/\d{4})?)"
    r"|(?P<time>\d{1,2}[:.h]\d{2}(?!\d)(?:\s*[ap]m\b)?|\d{1,2}\s*[ap]m\b)"
    r"|(?P<year>\d{4})"
    r"|(?P<number>\d{1,2})(?:st|nd|rd|th|o|°)?(?![\w])"
    r"|(?P<word>[a-z]+)"
    r"|(?P<sign>[-+&;,])"
    r"|(?P<other>\S)"
)


def fold(text: str) -> str:
    """The text in small letters without accents and apostrophes, with plain dashes."""
    plain = unicodedata.normalize("NFKD", re.sub(r"[\u2010-\u2015\u2212]", "-", text)).lower()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"['\u2019`]", " ", plain)


AT = frozenset(["at", "alle", "ore", "h"])  # before a bare hour
