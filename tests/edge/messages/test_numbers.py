"""Numbers as English and French write them."""

import pytest

from edge.messages import numbers
from edge.messages.language import Language

FRENCH = Language.FRENCH


@pytest.mark.parametrize(
    ("value", "form", "english", "french"),
    [
        (12345, "", "12345", "12345"),
        (0.1234567, "", "0.123457", "0,123457"),
        (12345, ",", "12,345", "12\u202f345"),
        (1234.5, ".1f", "1,234.5", "1\u202f234,5"),
        (1234.5, ".3g", "1230", "1230"),
        (0.0125, "+.3f", "+0.013", "+0,013"),
        (-1234.5, "+.1f", "-1,234.5", "-1\u202f234,5"),
        (0.0001234, ".2g", "0.00012", "0,00012"),
        (0.0123, "percent", "1.23", "1,23"),
        (0.1, "percent", "10.0", "10,0"),
        (0.0, "percent", "0", "0"),
        (0.0000001, "percent", "0.00001", "0,00001"),
        (0.99975, "percent", "99.975", "99,975"),
        (1.0, "percent", "100", "100"),
        (14941.4, "density", "15,000", "15\u202f000"),
        (14941.4, "density3", "14,900", "14\u202f900"),
        (7.3, "density", "7", "7"),
        (0.04, "density", "0.04", "0,04"),
    ],
)
def test_a_number_is_written_as_its_place_asks(value: float, form: str, english: str, french: str) -> None:
    assert numbers.formatted(value, form, Language.ENGLISH) == english
    assert numbers.formatted(value, form, FRENCH) == french


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a format"):
        numbers.formatted(1.0, "weight", FRENCH)
