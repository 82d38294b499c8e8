"""Plasmolite: malaria detection at the microscope, offline. A research tool, not a diagnostic device."""

__version__ = "0.1.0"
RESEARCH_USE = (
    "Research use only. Not a diagnostic device: every result needs confirmation by a microscopist."
)
