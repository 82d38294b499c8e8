"""The application for another WSGI server: ``gunicorn --threads 12 "server.factory:make_app()"``."""

import atexit
from pathlib import Path
from typing import Any

from flask import Flask

from edge.calibration.setup import set_up_slide
from edge.memory import bound_arenas
from server.app import create_app
from server.context import context_of
from server.credentials.token import read_record
from server.http.access_log import log_to_stderr
from server.settings import ServerSettings
from server.startup import open_context


def make_app(
    *,
    token_file: str | None = None,
    slides: str | None = None,
    source: str | None = None,
    profile: str | None = None,
    **limits: Any,
) -> Flask:
    """Open model, store and camera and make the application; to be called in the process that serves.

    One process: the batches, the live count and the limits are shared by its threads, not between processes. The
    token's file has to exist: ``plasmolite serve`` makes it.

    Args:
        token_file: file of the token's hash; without one every client is let in, so that only loopback, or a proxy
            that asks for a password, may reach the server.
        slides: file of the slides; by default that of ``plasmolite live``.
        source: camera, stream, folder or simulator for the live view.
        profile: site profile.
        **limits: further values of :class:`server.settings.ServerSettings`.

    Raises:
        PlasmoliteError: something named is not there.
    """
    bound_arenas()
    log_to_stderr()
    settings = ServerSettings(token_file=None if token_file is None else Path(token_file), **limits)
    token = None if settings.token_file is None else read_record(settings.token_file)
    setup = set_up_slide(profile=None if profile is None else Path(profile))
    context = open_context(
        settings, setup, token, slides=None if slides is None else Path(slides), source=source
    )
    app = create_app(context)
    atexit.register(lambda: context_of(app).close())
    return app
