"""Opens everything that the server works with, in the order in which each can fail."""

from collections.abc import Callable
from pathlib import Path

from edge.calibration.setup import SlideSetup
from edge.camera.settings import CameraSettings
from edge.errors import SourceError
from edge.messages.codes import Code
from edge.messages.message import system_reason
from edge.slides.location import default_store_path, state_folder
from edge.slides.store import SlideStore
from server.admission import AdmissionQueue
from server.context import PutInUse, ServerContext, judges_of
from server.credentials.ended_sessions import EndedSessions
from server.credentials.token import TokenRecord, make_token, read_record, write_record
from server.live_camera import LiveCamera
from server.metrics import ServerMetrics
from server.quiet import AfterQuiet
from server.settings import ServerSettings


def settle_token(
    settings: ServerSettings, *, renew: bool, tell: Callable[[str, Path], None]
) -> TokenRecord | None:
    """Find or draw the token that clients need.

    Args:
        settings: the address, and where the token's file is.
        renew: draw a new one even where there is one.
        tell: shows a new token, with the file of its hash, to the person who starts the server.

    Returns:
        The token's record; ``None`` on loopback where no token was asked for.

    Raises:
        TokenFileError: the file cannot be read or written.
    """
    if settings.on_loopback and settings.token_file is None and not renew:
        return None
    path = token_path(settings)
    if path.exists() and not renew:
        return read_record(path)
    token, record = make_token()
    write_record(path, record)
    tell(token, path)
    return record


def token_path(settings: ServerSettings) -> Path:
    """Where the token's hash lies."""
    return settings.token_file or state_folder() / "token.json"


def open_context(
    settings: ServerSettings,
    setup: SlideSetup,
    token: TokenRecord | None,
    *,
    slides: Path | None,
    source: str | None,
    camera: CameraSettings | None = None,
    put_in_use: PutInUse | None = None,
) -> ServerContext:
    """Open the store and the live camera, and start the thread that feeds the network.

    Raises:
        PlasmoliteError: one of them cannot be opened.
    """
    path = slides or default_store_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(Code.FILE_FOLDER_NOT_MADE, path=path.parent, reason=system_reason(error)) from error
    store = SlideStore(path)
    live = None if source is None else LiveCamera(setup, store, source, camera)
    metrics = ServerMetrics()
    batcher, analyser = judges_of(setup, settings, metrics)
    return ServerContext(
        settings=settings,
        setup=setup,
        batcher=batcher,
        metrics=metrics,
        fields_admission=AdmissionQueue(settings.fields_at_once, settings.fields_waiting),
        analyser=analyser,
        store=store,
        data_folder=store.path.parent,
        live=live,
        viewers_admission=AdmissionQueue(settings.max_viewers, 0),
        token=token,
        quiet=AfterQuiet(settings.quiet_seconds),
        put_in_use=put_in_use,
        ended_sessions=EndedSessions(
            None if token is None else token_path(settings).with_suffix(".ended"),
            settings.session_hours * 3600,
        ),
    )
