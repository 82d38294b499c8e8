"""Whether a slide shows an infection at all: a stated rule, which never says "negative".

1. Fewer than 1,000 red cells counted: cannot tell.
2. A person called a cell parasitised, or the lower end of the 95 % interval is above 0, so that false alarms alone
   explain what was called in about 2.5 % of uninfected slides like those by which the rates are known: evidence.
3. No cell stands as parasitised, or not more than the false alarms that this laboratory's own negative slides lead to
   expect: no evidence in N cells. That is no proof of absence: how few parasites it excludes, the interval's upper end
   says.
4. Else cannot tell: cells were called, and false alarms may explain them. A person has to look at them.

`plasmolite bench --sections patients` measures how often the rule errs on uninfected patients, and from how many
parasites on it finds an infection.
"""

from enum import StrEnum

TOO_FEW_CELLS = 1_000
"""Fewest red cells before a density is quoted: WHO practice counts against 1,000 to 2,000 in a thin film."""


class Presence(StrEnum):
    """The answer of the rule; the values stand in exports, and stay as they are."""

    EVIDENCE = "evidence"
    NO_EVIDENCE = "no evidence"
    CANNOT_TELL = "cannot tell"


def presence_of(
    *, counted: int, called: int, low: float | None, confirmed: int = 0, expected: float = 0.0
) -> Presence:
    """Apply the rule to a count.

    Args:
        counted: Red cells counted.
        called: Cells that stand as parasitised: called by the machine, less those that a person overruled.
        low: Lower end of the 95 % interval of the share of infected cells; None where nothing was counted.
        confirmed: Cells that a person called parasitised.
        expected: False alarms to expect in as many cells, where they were measured at this laboratory; else 0.
    """
    if counted < TOO_FEW_CELLS or low is None:
        return Presence.CANNOT_TELL
    if confirmed or low > 0:
        return Presence.EVIDENCE
    return Presence.NO_EVIDENCE if called <= expected else Presence.CANNOT_TELL
