"""Numbers as a language writes them: counts, shares in percent, densities, decimals.

The page does the same in ``server/static/words.js``; a test holds both to the same results.
"""

import re
from decimal import Decimal

from edge.messages.language import Language

# Decimal mark and separator of thousands; French groups by a narrow no-break space.
_MARKS = {Language.ENGLISH: (".", ","), Language.FRENCH: (",", "\u202f")}


def count(number: float, language: Language = Language.ENGLISH) -> str:
    """Write a whole number with its thousands separated: 12345 is "12,345" in English."""
    return _localise(f"{number:,.0f}", language)


def percent(share: float, language: Language = Language.ENGLISH) -> str:
    """Write a share in [0, 1] as percent with three significant digits: 0.0123 is "1.23", 0.1 is "10.0".

    The sign is not part of the result.
    """
    return _localise(_percent(share), language)


def _percent(share: float) -> str:
    value = 100.0 * share
    if value == 0.0:
        return "0"
    if value >= 99.95:
        # Rounding must not turn 99.97 into a perfect 100.
        return "100" if share == 1.0 else f"{value:.3f}"
    decimals = 1 if value >= 10 else 2 if value >= 1 else 3
    text = f"{value:.{decimals}f}"
    return text if float(text) > 0 else format(Decimal(f"{value:.1g}"), "f")


def density(per_ul: float, digits: int = 2, language: Language = Language.ENGLISH) -> str:
    """Write cells per µL with the two digits that such counts mostly bear: 14941.4 is "15,000", 7.3 is "7"."""
    if per_ul < 10:
        text = f"{per_ul:.0f}" if per_ul >= 1 or per_ul == 0 else format(Decimal(f"{per_ul:.1g}"), "f")
    else:
        text = f"{float(f'{per_ul:.{digits}g}'):,.0f}"
    return _localise(text, language)


def rounded(value: float, digits: int) -> float:
    """Round to so many significant digits, so that a sentence shows no more than a figure bears."""
    return float(f"{value:.{digits}g}")


def is_one(value: object, language: Language = Language.ENGLISH) -> bool:
    """Whether a counted thing is in the singular: one does; in French, none does too."""
    return isinstance(value, int | float) and (
        round(value) == 1 or (round(value) == 0 and language is Language.FRENCH)
    )


def decimal(value: float, decimals: int, language: Language = Language.ENGLISH) -> str:
    """Write a number with so many decimals: 0.5 with three is "0.500"."""
    return _localise(f"{value:,.{decimals}f}", language)


def significant(value: float, digits: int, language: Language = Language.ENGLISH) -> str:
    """Write a number with at most so many significant digits: 0.12345 with three is "0.123"."""
    return _localise(format(Decimal(f"{value:.{digits}g}"), "f"), language)


def recorded(value: object, language: Language = Language.ENGLISH) -> str:
    """Write a value as it was stored, such as a setting: no figure longer than six decimals, "none" for none."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return _localise(f"{value:,.6f}".rstrip("0").rstrip("."), language)
    return str(value)


_FORMAT = re.compile(r"(\+?)\.(\d)([fg])")


def formatted(value: float, form: str, language: Language) -> str:
    """Write a number in the format that a place of a sentence names.

    Args:
        value: the number.
        form: ``,`` for a count, ``percent``, ``density``, ``density3``, ``.2f`` (decimals), ``.3g`` (significant
            digits), ``+.2f`` (with its sign; not on the page); empty for an integer as it stands or at most six
            significant digits.
        language: which decimal mark and separator to use.

    Raises:
        ValueError: there is no such format.
    """
    if not form:
        return str(value) if isinstance(value, int) else significant(value, 6, language)
    if form == ",":
        return count(value, language)
    if form == "percent":
        return percent(value, language)
    if form in {"density", "density3"}:
        return density(value, 3 if form == "density3" else 2, language)
    match = _FORMAT.fullmatch(form)
    if match is None:
        message = f"{form!r} is not a format of a number."
        raise ValueError(message)
    sign, digits, kind = match[1], int(match[2]), match[3]
    text = decimal(value, digits, language) if kind == "f" else significant(value, digits, language)
    return text if text.startswith("-") else sign + text


def _localise(english: str, language: Language) -> str:
    mark, group = _MARKS[language]
    return english.replace(",", "\0").replace(".", mark).replace("\0", group)
