"""What a person would write to send figures to DHIS2."""

MAPPING = """
data_set = "pBOMPrpg1QX"
[sites]
Kisumu = "DiszpKrYNg8"
[elements]
slides = "FTRrcoaog83"
"""
"""Of the site in the tests' settings; further elements can be written behind it."""
