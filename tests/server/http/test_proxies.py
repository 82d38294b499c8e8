"""The examples of deploy/proxy, run: nginx and Caddy before a server, with TLS, under a path of its own."""

import http.client
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.credentials.token import make_token
from tests.support.http.running_server import cell_png, make_context, served, store_in

_EXAMPLES = Path(__file__).parents[3] / "deploy" / "proxy"


def nginx(folder: Path, port: int, behind: int) -> list[str]:
    """Put the example into a whole configuration; the command that runs it."""
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=bench.example", "-keyout", str(folder / "key"), "-out", str(folder / "pem")]
    subprocess.run(certificate + names, check=True, capture_output=True, timeout=120)
    example = (_EXAMPLES / "nginx.conf").read_text(encoding="utf-8")
    for here, there in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/bench.example.pem": str(folder / "pem"),
        "/etc/ssl/bench.example.key": str(folder / "key"),
        "127.0.0.1:8080": f"127.0.0.1:{behind}",
    }.items():
        assert here in example
        example = example.replace(here, there)
    kept = "".join(
        f"{kind}_temp_path {folder / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    whole.write_text(
        f"daemon off; pid {folder / 'pid'}; error_log {folder / 'log'}; events {{}}\n"
        f"http {{ access_log off; {kept}\n{example} }}",
        encoding="utf-8",
    )
    return ["nginx", "-c", str(whole), "-p", str(folder)]


def caddy(folder: Path, port: int, behind: int) -> list[str]:
    """The same for Caddy, whose certificates are its own."""
    example = (_EXAMPLES / "Caddyfile").read_text(encoding="utf-8")
    for here, there in {
        "bench.example {": f"https://bench.example:{port} {{",
        "127.0.0.1:8080": f"127.0.0.1:{behind}",
    }.items():
        assert here in example
        example = example.replace(here, there)
    options = (
        f"{{\nadmin off\nauto_https disable_redirects\nskip_install_trust\nstorage file_system {folder}\n}}\n"
    )
    whole = folder / "Caddyfile"
    whole.write_text(options + example, encoding="utf-8")
    return ["caddy", "run", "--config", str(whole), "--adapter", "caddyfile"]


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    """Run a proxy until it takes connections, and end it afterwards."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, command
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


class Person:
    """Who goes through the proxy, as a browser would: a name, TLS, a cookie."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookie = ""

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request: its status, headers and body."""
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        line = http.client.HTTPSConnection("127.0.0.1", self.port, context=trusting, timeout=60)
        line.sock = trusting.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), timeout=60), server_hostname="bench.example"
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Host": "bench.example"} | ({"Cookie": self.cookie} if self.cookie else {})
        line.request(method, path, body, named)
        answer = line.getresponse()
        said = answer.read()
        line.close()
        return answer.status, dict(answer.getheaders()), said


@pytest.mark.slow
@pytest.mark.parametrize("proxy", [nginx, caddy], ids=["nginx", "caddy"])
def test_the_example_serves_the_page_and_the_api(
    tmp_path: Path, proxy: Callable[[Path, int, int], list[str]]
) -> None:
    if shutil.which(proxy.__name__) is None or shutil.which("openssl") is None:
        pytest.skip(f"{proxy.__name__} or openssl is not installed")
    secret, record = make_token()
    limits = {
        "allowed_hosts": ("bench.example",),
        "trusted_proxy": "127.0.0.1",
        "path_prefix": "/malaria",
        "logins_per_minute": 3,
    }
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        store_in(tmp_path) as store,
        make_context(tmp_path, store=store, token=record, **limits) as context,
        served(context) as address,
        running(proxy(tmp_path, port, urlsplit(address).port or 0), port),
    ):
        person = Person(port)
        form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": "https://bench.example"}
        status, headers, _ = person.ask("POST", "/malaria/sign-in", f"token={secret}".encode(), **form)
        assert (status, headers["Location"]) == (302, "/malaria/")
        assert "Secure" in headers["Set-Cookie"]
        person.cookie = headers["Set-Cookie"].split(";")[0]
        page = person.ask("GET", "/malaria/", Accept="text/html")[2].decode()
        style = re.search(r'href="(/malaria/static/[^"]+page\.css)"', page)
        csrf = re.search(r'name="csrf" content="([^"]+)"', page)
        assert style is not None
        assert csrf is not None
        assert person.ask("GET", style[1])[0] == 200
        status, _, said = person.ask(
            "POST",
            "/malaria/predict",
            cell_png(),
            Content_Type="image/png",
            X_CSRF_Token=csrf[1],
            Origin="https://bench.example",
            Sec_Fetch_Site="same-origin",
        )
        assert (status, b"Parasitized" in said) == (200, True)
        # An address that a stranger makes up is not the one that his tries are counted for.
        stranger = Person(port)
        tries = [
            stranger.ask("POST", "/malaria/sign-in", b"token=guess", X_Forwarded_For=f"10.0.0.{n}", **form)[0]
            for n in range(3)
        ]
        assert tries[-1] == 429
