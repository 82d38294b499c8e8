"""``/teaching``: what reviewed cells would teach the model, teaching it, and taking that back."""

from typing import Any

from flask import current_app
from flask_smorest import Blueprint

from server.context import server_context
from server.http.openapi import problems
from server.routes.slides import slide_store
from server.schemas.teaching import SiteSchema, TeachingSchema
from server.teaching import begin_adaptation, put_taught_in_use, take_back, teaching_facts

teaching = Blueprint("teaching", __name__, description="What reviewed cells teach the model")


@teaching.route("/teaching", methods=["GET"])
@teaching.response(200, TeachingSchema)
@problems(teaching, 507)
def show_teaching() -> dict[str, Any]:
    """Tell how many cells are reviewed, whether that is enough, and how far the adaptation is."""
    return teaching_facts(server_context(), slide_store())


@teaching.route("/teaching", methods=["POST"])
@teaching.arguments(SiteSchema)
@teaching.response(202, TeachingSchema)
@problems(teaching, 409, 415, 422, 507)
def try_teaching(wish: dict[str, str]) -> dict[str, Any]:
    """Find out in the background what teaching would bring; the model in use stays as it is."""
    context, store = server_context(), slide_store()
    begin_adaptation(context, store, wish["site"].strip())
    return teaching_facts(context, store)


@teaching.route("/teaching/use", methods=["POST"])
@teaching.response(200, TeachingSchema)
@problems(teaching, 409, 507)
def use_taught_model() -> dict[str, Any]:
    """Judge with the model that the last adaptation made, from now on and after every start."""
    put_taught_in_use(current_app)
    return teaching_facts(server_context(), slide_store())


@teaching.route("/teaching/undo", methods=["POST"])
@teaching.response(200, TeachingSchema)
@problems(teaching, 409, 507)
def undo_teaching() -> dict[str, Any]:
    """Go back to the model before the one that was taught here."""
    take_back(current_app)
    return teaching_facts(server_context(), slide_store())
