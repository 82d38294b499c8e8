"""Plasmolite: malaria detection at the microscope, offline. A research tool, not a diagnostic device."""

from edge import about

__version__ = about.VERSION
