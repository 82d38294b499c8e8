"""Fits the rule by which the device tells red cells of a stained smear from other things."""
