"""How titles are searched: by the beginnings of words, whatever the case and the accents."""

from __future__ import annotations

import re
import unicodedata

# Letters that have no decomposition but that people type without their stroke or ligature.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
# A word is a run of letters, digits and signs that carry meaning ("100%", "M_M", "C#"). All
# other punctuation stands between words.
_WORD = re.compile(r"(?:[^\W_]|[%_+#$&@=])+")


def fold(text: str) -> str:
    """Return the text without case and accents.

    >>> fold("Les Misérables"), fold("STRASSE") == fold("Straße"), fold("Smørrebrød")
    ('les miserables', True, 'smorrebrod')
    """
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return bare.casefold().translate(_PLAIN)


def words(text: str) -> list[str]:
    """Return the folded words of a text in their order.

    >>> words("Spider-Man: No Way Home"), words("100% Wolf"), words(" ?! ")
    (['spider', 'man', 'no', 'way', 'home'], ['100%', 'wolf'], [])
    """
    return _WORD.findall(fold(text))


def search_text(title: str) -> str:
    """Return what is stored to search a title: its words, each after a space.

    Words that punctuation splits are added in one piece at the end, so that "spiderman" and
    "schindlers" are found too.

    >>> search_text("Schindler's List"), search_text("Amélie")
    (' schindler s list schindlers', ' amelie')
    """
    pieces = (words(piece) for piece in title.split())
    joined = ["".join(parts) for parts in pieces if len(parts) > 1]
    return "".join(f" {word}" for word in [*words(title), *joined])
