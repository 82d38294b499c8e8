"""The page beside the microscope: one document, its scripts and its catalogues of strings, all from here."""

from flask import Blueprint, render_template

from plasmolite import RESEARCH_USE, __version__
from server.context import instruments
from server.security import csrf_token

page_blueprint = Blueprint("page", __name__)

LANGUAGES = {"en": "English", "fr": "Français"}
"""Each has one catalogue, ``static/lang/<code>.json``."""


@page_blueprint.get("/")
def page() -> str:
    """The page."""
    kit = instruments()
    return render_template(
        "page.html",
        csrf=csrf_token(),
        languages=LANGUAGES,
        model=kit.model,
        research_use=RESEARCH_USE,
        version=__version__,
        live=kit.live is not None,
        slides=kit.store is not None,
        signed_in=kit.token is not None,
    )
