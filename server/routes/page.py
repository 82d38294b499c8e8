"""The page beside the microscope: one document, its scripts and its catalogues of strings, all from here."""

from importlib.resources import files

from flask import Blueprint, Response, abort, render_template, request

from edge.about import RESEARCH_USE, VERSION
from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from server.context import server_context
from server.http.security import csrf_token
from server.language import asked_language

page_blueprint = Blueprint("page", __name__)


@page_blueprint.get("/")
def page() -> str:
    """The page."""
    context = server_context()
    language = asked_language()
    return render_template(
        "page.html",
        # In place before any script has run; the scripts change them where another language was chosen here.
        language=language,
        words=catalogue(language).text,
        csrf=csrf_token(),
        languages={language.value: language.own_name for language in Language},
        model=context.model,
        research_use=RESEARCH_USE,
        version=VERSION,
        live=context.live is not None,
        slides=context.store is not None,
        signed_in=context.token is not None,
    )


@page_blueprint.get("/example.jpg")
def example() -> Response:
    """A drawn field to try the page with."""
    picture = (files("edge.samples") / "fields" / "field_01.jpg").read_bytes()
    return Response(picture, content_type="image/jpeg")


@page_blueprint.get("/messages/<language>.json")
def messages(language: str) -> Response:
    """The catalogue of a language: every sentence and label, as the page writes them."""
    if language not in set(Language):
        abort(404)
    catalogue = (files("edge.messages") / f"{language}.json").read_bytes()
    answer = Response(catalogue, content_type="application/json; charset=utf-8")
    answer.headers["Cache-Control"] = (
        "no-cache"  # kept, but asked for again: an update brings other sentences
    )
    answer.add_etag()
    answer.make_conditional(request)
    return answer
