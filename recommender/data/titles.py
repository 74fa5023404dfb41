"""Titles and genres the way MovieLens writes them, and the way people read them."""

from __future__ import annotations

import re

from recommender.data.cells import FIRST_YEAR, LAST_YEAR

# Articles that MovieLens puts after the title. "L'" joins its word without a space.
_ARTICLES = (
    *("The", "A", "An"),
    *("La", "Le", "Les", "L'", "Un", "Une"),
    *("Il", "Lo", "I", "Gli", "Uno", "Una"),
    *("El", "Los", "Las"),
    *("Der", "Die", "Das", "Ein", "Eine"),
    *("De", "Det", "Den", "En", "Et", "Het", "O", "Os", "As", "Da"),
)
_TRAILING_ARTICLE = re.compile(
    rf"(?P<title>.+), (?P<article>{'|'.join(map(re.escape, _ARTICLES))})", re.DOTALL
)
# "(1995)", and for series "(2006-2007)" or "(2014-)", with either kind of dash.
_YEAR = re.compile(r"\s*\((?P<first>[0-9]{4})(?:\s*[\u2013-]\s*(?:[0-9]{4})?)?\)\s*$")
_PARENTHESIS = re.compile(r"\((?P<known_as>a\.k\.a\. )?(?P<title>[^()]*)\)")

NO_GENRES = "(no genres listed)"


def split_title(text: str) -> tuple[str, int | None]:
    """Return the title as people read it, and its year.

    The year in parentheses at the end is taken off (the first one of a span; ``None`` when there
    is none). An article after the title moves before it, in the main title and in other titles
    that stand in parentheses. Those stay: people search for the original title, and some films
    differ in nothing else.

    Parameters
    ----------
    text
        A title such as ``"Matrix, The (1999)"``.

    Examples
    --------
    >>> split_title("Matrix, The (1999)")
    ('The Matrix', 1999)
    >>> split_title("Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)")
    ("Amelie (Le Fabuleux destin d'Amélie Poulain)", 2001)
    >>> split_title("Avventura, L' (Adventure, The) (1960)")
    ("L'Avventura (The Adventure)", 1960)
    >>> split_title("Babylon 5")
    ('Babylon 5', None)
    """
    title, year = text.strip(), None
    found = _YEAR.search(title)
    if found and found.start() > 0 and FIRST_YEAR <= int(found["first"]) <= LAST_YEAR:
        title, year = title[: found.start()], int(found["first"])
    main, opening, others = title.partition(" (")
    moved = article_first(main)
    if opening:
        moved += opening[0] + _PARENTHESIS.sub(_moved_inside, "(" + others)
    return moved, year


def article_first(title: str) -> str:
    """Return the title with an article from its end at its beginning.

    Examples
    --------
    >>> article_first("Good, the Bad and the Ugly, The")
    'The Good, the Bad and the Ugly'
    >>> article_first("Love Me If You Dare")
    'Love Me If You Dare'
    """
    found = _TRAILING_ARTICLE.fullmatch(title)
    if not found:
        return title
    gap = "" if found["article"].endswith("'") else " "
    return found["article"] + gap + found["title"]


def split_genres(text: str) -> list[str]:
    """Return the genres of a cell such as ``"Comedy|Drama"``, each once, in its order.

    Examples
    --------
    >>> split_genres("Comedy|Drama"), split_genres("(no genres listed)")
    (['Comedy', 'Drama'], [])
    """
    genres = (genre.strip() for genre in text.split("|"))
    return list(dict.fromkeys(genre for genre in genres if genre and genre != NO_GENRES))


def _moved_inside(found: re.Match[str]) -> str:
    return f"({found['known_as'] or ''}{article_first(found['title'])})"
