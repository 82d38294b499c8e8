"""``plasmolite serve``: the API and the page beside the microscope."""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from edge.messages.codes import Code
from edge.messages.message import system_reason
from plasmolite.commands.options.camera import camera_options, take_camera_settings
from plasmolite.commands.options.paths import FILE
from plasmolite.commands.options.slide import slide_options
from plasmolite.terminal.language import end_without_package, refuse, spoken

_OPENCV_PIXELS = 64_000_000
"""OpenCV's own bound on decoding, behind ours."""


@click.command(
    context_settings={"show_default": True},
    epilog="Examples:\n\n  plasmolite serve\n\n"
    "  plasmolite serve --host 0.0.0.0 --token-file token.json --source 0 --slides slides.sqlite\n\n"
    "  curl -F file=@cell.png http://127.0.0.1:8080/predict",
)
@click.option("--host", default="127.0.0.1", help="Address to listen on; any but loopback needs a token.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="TCP port; 0 takes a free one.")
@click.option(
    "--token-file",
    type=FILE,
    help="File of the token's hash; made when it is missing, and the token shown once.",
)
@click.option(
    "--new-token", is_flag=True, help="Create a new token. The old one stops working and all sessions end."
)
@click.option("--allow-host", multiple=True, metavar="NAME", help="Further host name to answer to.")
@click.option(
    "--allow-origin",
    multiple=True,
    metavar="ORIGIN",
    help="Origin whose pages may call the API with the token, such as https://lab.example.",
)
@click.option(
    "--trusted-proxy",
    default="",
    show_default=False,
    metavar="ADDRESS",
    help="Address of the proxy whose X-Forwarded headers are believed.",
)
@click.option(
    "--path-prefix",
    default="",
    show_default=False,
    metavar="PATH",
    help="Path under which a proxy shows the server, /malaria.",
)
@slide_options
@click.option("--workers", type=click.IntRange(2, 128), default=12, help="Requests worked on at a time.")
@click.option("--max-body", type=click.IntRange(1, 1024), default=48, help="Largest request, MiB.")
@click.option("--rate-limit", type=click.IntRange(1), default=1200, help="Requests a minute of one client.")
@click.option(
    "--slides",
    type=FILE,
    help="File of the slides.  [default: that of plasmolite live]",
)
@click.option(
    "--source", help="Camera, stream, folder or simulator for the live view, as plasmolite live takes it."
)
@camera_options
@click.option("--verbose", is_flag=True, help="Log every request, not only refusals and changes.")
def command(
    *,
    host: str,
    port: int,
    token_file: Path | None,
    new_token: bool,
    allow_host: tuple[str, ...],
    allow_origin: tuple[str, ...],
    trusted_proxy: str,
    path_prefix: str,
    workers: int,
    max_body: int,
    rate_limit: int,
    slides: Path | None,
    source: str | None,
    verbose: bool,
    **judging: Any,
) -> None:
    """Serve the API and the page beside the microscope until interrupted.

    On loopback no token is needed; on any other address one is drawn, shown once, and kept as a hash. The
    server speaks plain HTTP: on a network that others share put a TLS proxy before it.

    Exit code: 0 stopped as told, 2 invalid input; nothing was processed.
    """
    # Before OpenCV is first imported, which reads it once.
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(_OPENCV_PIXELS))
    try:
        from edge.calibration.setup import set_up_slide
        from edge.errors import PlasmoliteError
        from edge.memory import bound_arenas
        from plasmolite.site_models import put_in_use
        from server.app import create_app
        from server.context import context_of
        from server.credentials.pairing import addresses_of, pairing_address, qr_in_terminal
        from server.http.access_log import log_to_stderr
        from server.settings import ServerSettings
        from server.startup import open_context, settle_token
        from server.wsgi.serve import make_server, run_until_stopped
    except ImportError as error:
        end_without_package(error, "server")

    bound_arenas()
    camera = take_camera_settings(judging)
    try:
        settings = ServerSettings(
            host=host,
            port=port,
            threads=workers,
            max_body_bytes=max_body * 1024 * 1024,
            requests_per_minute=rate_limit,
            token_file=token_file,
            allowed_hosts=allow_host,
            allowed_origins=tuple(origin.rstrip("/") for origin in allow_origin),
            trusted_proxy=trusted_proxy,
            path_prefix=f"/{path_prefix.strip('/')}" if path_prefix.strip("/") else "",
        )
        token = settle_token(settings, renew=new_token, tell=_tell_token)
        setup = set_up_slide(**judging)
        context = open_context(
            settings, setup, token, slides=slides, source=source, camera=camera, put_in_use=put_in_use
        )
        app = create_app(context)
    except (PlasmoliteError, OSError) as error:
        refuse(error)
    try:
        server = make_server(app, settings)
    except OSError as error:
        reason = spoken().text("serve.no-port", host=host, port=port, reason=system_reason(error))
        click.echo(spoken().text(Code.COMMAND_ERROR, reason=reason), err=True)
        sys.exit(2)
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    addresses = addresses_of(server.effective_host, server.effective_port)
    words = spoken()
    click.echo(words.text("serve.address", addresses=", ".join(addresses)), err=True)
    if token is not None and not settings.on_loopback:
        once = pairing_address(addresses[0], context.pairing.draw())
        click.echo(words.text("serve.pair", code=qr_in_terminal(once)), err=True)
    click.echo(words.text("research"), err=True)
    run_until_stopped(server, partial(context_of, app))


def _tell_token(token: str, path: Path) -> None:
    click.echo(spoken().text("serve.token", path=path, token=token), err=True)
