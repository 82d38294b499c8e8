"""The application: blueprints, checks and handlers put together round the context handed in."""

from flask import Flask
from flask_smorest import Blueprint as ApiBlueprint

from server.context import ServerContext, install
from server.http.access_log import keep_access_log
from server.http.assets import assets, compress_answers
from server.http.openapi import API_CONFIG, documents
from server.http.query_check import check_queries
from server.http.security import secure
from server.problems import ProblemApi, register_problem_handlers
from server.routes.analyze import analyze
from server.routes.cell_pictures import cell_pictures
from server.routes.explain import explain
from server.routes.live import live
from server.routes.outbox import outbox
from server.routes.page import page_blueprint
from server.routes.predict import predict
from server.routes.slide_fields import slide_fields
from server.routes.slides import slides
from server.routes.status import status
from server.routes.teaching import teaching

API_BLUEPRINTS: tuple[ApiBlueprint, ...] = (
    predict,
    explain,
    analyze,
    slides,
    cell_pictures,
    slide_fields,
    live,
    teaching,
    outbox,
    status,
)


def create_app(context: ServerContext) -> Flask:
    """Make the WSGI application.

    Args:
        context: everything that the requests share; closed by the caller after the last of them.
    """
    app = Flask("server", template_folder="templates", static_folder="static")
    app.config.update(API_CONFIG)
    app.config.update(
        MAX_CONTENT_LENGTH=context.settings.max_body_bytes,
        # Pictures have a parser of their own: Flask's takes the sign-in form apart.
        MAX_FORM_PARTS=16,
        TRAP_HTTP_EXCEPTIONS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    install(app, context)
    keep_access_log(app)
    secure(app, context.settings, context.token)
    register_problem_handlers(app)
    compress_answers(app)
    api = ProblemApi(app)
    for blueprint in API_BLUEPRINTS:
        api.register_blueprint(blueprint)
    check_queries(app)
    app.register_blueprint(documents)
    app.register_blueprint(page_blueprint)
    app.register_blueprint(assets)
    return app
