"""Refuses query parameters that the OpenAPI document does not name: a misspelt one would change no figure, unseen."""

from flask import Flask, request

from edge.messages.request_codes import RequestCode
from server.http.openapi import METHODS, document, place_names
from server.http.uploads import shown_name
from server.problems import Problem


def check_queries(app: Flask) -> None:
    """Check the query of every request to an address of the API; to be called when all blueprints are registered."""
    with app.app_context():
        paths = document()["paths"]
    known = {
        (path, method.upper()): {
            parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"
        }
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in METHODS
    }

    def check() -> None:
        rule = "" if request.url_rule is None else place_names(request.url_rule.rule)
        method = "GET" if request.method == "HEAD" else request.method
        names = known.get((rule, method))
        if names is None:
            return
        for name in request.args:
            if name not in names:
                shown = shown_name(name)
                raise Problem(
                    422, RequestCode.UNKNOWN_PARAMETER, kind="invalid-field", field=shown, name=shown
                )

    app.before_request(check)
