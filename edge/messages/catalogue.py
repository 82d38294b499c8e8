"""What a parasitaemia is called in words: every sentence of the estimate, in one place for a translator.

Each entry is a ``str.format`` template; the names in braces are filled by ``edge.parasitaemia.estimate``. A count is
never called negative: none seen in few cells proves little, and the sentences say how little.
"""

ESTIMATE = (
    "{fraction} % of red cells are parasitised (95 % interval {low} to {high} %): about {per_ul} parasitised "
    "cells per µL (95 % interval {per_ul_low} to {per_ul_high})."
)
NONE_SEEN = "no parasites seen in {counted} cells: below {per_ul_high} per µL with 95 % confidence."
WITHIN_FALSE_ALARMS = (
    "{parasitized} of {counted} cells were called parasitised, no more than false alarms alone can explain "
    "(about {expected} expected at a rate of {false_alarm_rate} %): below {per_ul_high} per µL with 95 % "
    "confidence."
)
RESOLUTION = (
    "Below what the false-alarm rate can resolve: {counted} cells tell a slide from one without parasites "
    "reliably only from about {per_ul_resolved} parasitised cells per µL on."
)
MISFIT = (
    "False alarms alone should have brought about {expected}: the error rates measured on {source} do not "
    "fit this slide, so take the figure with care and calibrate on known-negative slides of this site."
)
TOO_FEW = "Too few red cells were counted: {counted}, and a density needs at least {wanted}."
NOTHING_COUNTED = "No red cell could be counted: there is no estimate."
OBSERVED = "{parasitized} of {counted} red cells counted were called parasitised ({observed} %)."
CORRECTED = (
    "Corrected for a sensitivity of {sensitivity} % ({infected} infected cells) and a false-alarm rate of "
    "{false_alarm_rate} % ({uninfected} uninfected cells), measured on {source}."
)
SENSITIVITY_FROM_ELSEWHERE = (
    "The false alarms were measured at this site, but the sensitivity on {sensitivity_source}: what share of this "
    "site's parasites is found, nobody has measured, and the interval does not allow for a difference."
)
FALSE_ALARMS_FROM_ELSEWHERE = (
    "The false alarms were not measured at this site: on slides of another laboratory up to two in a hundred "
    "uninfected cells were called parasitised, so a fraction of that size may be false alarms alone. Calibrate on "
    "known-negative slides of this site."
)
RED_CELLS = "Per µL with {rbc_per_ul} red cells per µL ({rbc_source})."
RBC_BY_CONVENTION = "by convention"
RBC_GIVEN = "as given"
RBC_FROM_HAEMATOCRIT = "from a haematocrit of {haematocrit} %"
TOTALS = (
    "Fields counted: {accepted}, refused: {refused}, unreadable: {unreadable}; red cells counted: {counted}, "
    "called parasitised: {parasitized}."
)
CONFIRM = "A microscopist has to look at the cells called parasitised before this figure is used."


def percent(share: float) -> str:
    """Write a share in [0, 1] as percent with three significant digits: 0.0123 is "1.23", 0.1 is "10.0"."""
    value = 100.0 * share
    if value == 0.0:
        return "0"
    if value >= 99.95:
        # Rounding must not turn 99.97 into a perfect 100.
        return "100" if share == 1.0 else f"{value:.3f}"
    decimals = 1 if value >= 10 else 2 if value >= 1 else 3
    text = f"{value:.{decimals}f}"
    return text if float(text) > 0 else f"{value:.1g}"


def recorded(value: object) -> str:
    """Write a value as it was stored, such as a setting: no figure longer than six decimals, "none" for none."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    return str(value)


def density(per_ul: float, digits: int = 2) -> str:
    """Write cells per µL with the two digits that such counts mostly bear: 14941.4 is "15,000", 7.3 is "7"."""
    if per_ul < 10:
        return f"{per_ul:.0f}" if per_ul >= 1 or per_ul == 0 else f"{per_ul:.1g}"
    return f"{float(f'{per_ul:.{digits}g}'):,.0f}"


def count(number: float) -> str:
    """Write a whole number with thousands separated: 12345 is "12,345"."""
    return f"{number:,.0f}"
