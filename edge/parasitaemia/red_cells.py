"""Red cells per µL of blood: measured, from a haematocrit, or by convention."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from edge.errors import PrevalenceError
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.messages.stored import phrase_from_json, phrase_to_json

RBC_PER_UL = 5_000_000
"""Red cells per µL of blood by convention for thin films (NLM Malaria Screener and WHO bench aids)."""

RBC_PER_UL_PER_PERCENT = 125_600
"""Red cells per µL for each percent of haematocrit, as Remoscope's analysis has it: it stands for a mean cell
volume of 79.6 fL (10,000 / 0.1256)."""


class RedCells(NamedTuple):
    """Red cells per µL of the blood on the slide, and where the figure comes from, as a phrase."""

    per_ul: float
    source: Message | str

    def to_json(self) -> dict[str, Any]:
        """Return figure and phrase, as slides hold them."""
        return {"per_ul": self.per_ul, **phrase_to_json("source", self.source)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote, in this version or an earlier one.

        Raises:
            KeyError: A value is missing.
        """
        return cls(float(content["per_ul"]), phrase_from_json("source", content))


def red_cells(rbc_per_ul: float | None = None, haematocrit: float | None = None) -> RedCells:
    """Settle how many red cells a µL of this blood holds.

    Args:
        rbc_per_ul: A measured count, 100,000 to 10,000,000.
        haematocrit: Instead of it, a haematocrit in percent, 5 to 75; times 125,600.

    Returns:
        The count with its source; the conventional 5,000,000 where neither is given.

    Raises:
        PrevalenceError: Both are given, or one is out of its range (such as a haematocrit of 0.4 for 40 %).
    """
    if rbc_per_ul is not None and haematocrit is not None:
        raise PrevalenceError(Code.ESTIMATE_TWO_BLOODS)
    if rbc_per_ul is not None:
        if not 100_000 <= rbc_per_ul <= 10_000_000:
            raise PrevalenceError(Code.ESTIMATE_RBC_OUT_OF_RANGE, rbc_per_ul=rbc_per_ul)
        return RedCells(float(rbc_per_ul), Message(Code.BLOOD_GIVEN))
    if haematocrit is not None:
        if not 5 <= haematocrit <= 75:
            raise PrevalenceError(Code.ESTIMATE_HAEMATOCRIT_OUT_OF_RANGE, haematocrit=haematocrit)
        source = Message(Code.BLOOD_FROM_HAEMATOCRIT, haematocrit=haematocrit)
        return RedCells(haematocrit * RBC_PER_UL_PER_PERCENT, source)
    return RedCells(float(RBC_PER_UL), Message(Code.BLOOD_BY_CONVENTION))
