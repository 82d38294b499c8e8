"""Annotated fields: boxes of other programs, laid on the cells that the device's own finder cuts."""
