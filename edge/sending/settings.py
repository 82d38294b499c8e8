"""Where a device sends to, and who it is: one TOML file that an installation writes once.

    [device]
    name = "bench 2"
    site = "Kisumu"

    [fhir]
    url = "https://openelis.example.org/fhir"
    ca = "/etc/plasmolite/ca.pem"              # where the server's certificate is not signed by a public authority
    certificate = "/etc/plasmolite/device.pem" # and key = "...": where the server asks for one
    token_file = "/etc/plasmolite/token"       # or user_file: one line, user:password
    crops = false

    [dhis2]
    url = "https://dhis2.example.org"          # with ca, token_file and so on as above
    mapping = "/etc/plasmolite/dhis2.toml"

    [metrics]
    file = "/var/lib/prometheus/node-exporter/plasmolite.prom"
    push = "https://pushgateway.example.org"
    controls = "CONTROL"                       # ids of known-negative control slides begin so

Secrets stand in files of their own, so that the settings can be shown.
"""

import os
import platform
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge.errors import SendError
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of, system_reason
from edge.messages.send_codes import SendCode
from edge.slides.identity import device_uuid

_LONGEST_TIMEOUT = 24 * 3600


class Target(NamedTuple):
    """One server and how to speak to it; paths are files."""

    url: str
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    token_file: str | None = None
    user_file: str | None = None
    timeout: float = 60.0
    """Seconds to wait for an answer."""


class DeviceIdentity(NamedTuple):
    """What tells this device from every other, to machines and to people."""

    uuid: str
    name: str
    site: str


class SendSettings(NamedTuple):
    """Everything that ``plasmolite send`` is told."""

    device: DeviceIdentity
    fhir: Target | None = None
    crops: bool = False
    dhis2: Target | None = None
    mapping: Path | None = None
    metrics_file: Path | None = None
    push: Target | None = None
    controls: str = "CONTROL"


def settings_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The settings of this device: ``$PLASMOLITE_SEND``, else ``/etc/plasmolite/send.toml``."""
    return Path(environ.get("PLASMOLITE_SEND") or "/etc/plasmolite/send.toml")


def read_settings(path: Path) -> SendSettings:
    """Read the settings; a file that is not there is one that says nothing.

    Raises:
        SendError: it cannot be read, is no TOML, or names what there is not.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        content = {}
    except OSError as error:
        raise SendError(SendCode.SETTINGS, path=path, reason=system_reason(error)) from error
    except ValueError as error:
        raise SendError(SendCode.SETTINGS, path=path, reason=reason_of(error)) from error
    try:
        return _settings(content)
    except (TypeError, AttributeError) as error:
        raise SendError(SendCode.SETTINGS, path=path, reason=reason_of(error)) from error


def _settings(content: dict[str, Any]) -> SendSettings:
    device, fhir = content.pop("device", {}), content.pop("fhir", {})
    dhis2, metrics = content.pop("dhis2", {}), content.pop("metrics", {})
    if content:
        raise TypeError(Message(SendCode.UNKNOWN, names=list(content)))
    crops, mapping = fhir.pop("crops", False), dhis2.pop("mapping", None)
    push, file = metrics.pop("push", None), metrics.pop("file", None)
    controls = metrics.pop("controls", "CONTROL")
    for name, value in {**device, "controls": controls}.items():
        _check(name, value, isinstance(value, str))
    # The text "false" is true to Python, and would send pictures.
    _check("crops", crops, isinstance(crops, bool))
    return SendSettings(
        device=DeviceIdentity(str(device_uuid()), **{"name": platform.node(), "site": "", **device}),
        fhir=_target(fhir) if fhir else None,
        crops=crops,
        dhis2=_target({"url": "", **dhis2}) if dhis2 else None,
        mapping=None if mapping is None else Path(mapping),
        metrics_file=None if file is None else Path(file),
        push=None if push is None else _target({"url": push, **metrics}),
        controls=controls,
    )


def _target(content: dict[str, Any]) -> Target:
    for name, value in content.items():
        if name == "timeout":
            _check(name, value, type(value) in {int, float} and 0 < value <= _LONGEST_TIMEOUT)
        else:
            _check(name, value, isinstance(value, str))
    return Target(**content)


def _check(name: str, value: Any, good: bool) -> None:
    if not good:
        raise TypeError(Message(Code.REASON_WRONG_VALUE, name=name, value=repr(value)))
