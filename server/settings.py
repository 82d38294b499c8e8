"""What the server may do and how much of it: one frozen value, made once by ``plasmolite serve``."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Limits and places. The defaults suit a Raspberry Pi 4 with 2 GB of memory.

    Attributes:
        host: address to listen on; only loopback needs no token.
        port: TCP port, 0 for any free one.
        threads: requests that are worked on at a time; each viewer of the live stream holds one.
        max_body_bytes: larger request bodies are refused (413).
        max_pictures: pictures in one request.
        max_cell_pixels: larger pictures of one cell are refused before decoding.
        max_field_pixels: larger fields are refused before decoding: 20 megapixels and a little.
        queue_cells: cells that may wait for the network; beyond, the answer is 503.
        gather_seconds: how long a batch waits for requests that are being decoded already.
        fields_at_once: fields that are analysed at a time.
        fields_waiting: requests that may wait for that; beyond, the answer is 503.
        quiet_seconds: without a field, after which what is kept for the next one is given back.
        max_viewers: viewers of the live stream; beyond, the answer is 503.
        requests_per_minute: rate limit of one client off loopback.
        logins_per_minute: tries at the token of one client.
        session_hours: how long a browser stays signed in.
        least_free_bytes: free disk space below which the server says that it is not ready.
        token_file: where the token's hash lies; ``None`` on loopback without a token.
        allowed_hosts: further names by which browsers may call the server.
        allowed_origins: origins whose pages may call the API with the token.
        trusted_proxy: address of the proxy whose X-Forwarded headers are believed; ``*`` is any, empty is none.
        path_prefix: path under which a proxy shows the server, such as ``/malaria``; empty for none.
        drain_seconds: how long a stopping server works on what it has accepted.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 12
    max_body_bytes: int = 48 * 1024 * 1024
    max_pictures: int = 64
    max_cell_pixels: int = 4_000_000
    max_field_pixels: int = 24_000_000
    queue_cells: int = 512
    gather_seconds: float = 0.004
    fields_at_once: int = 1
    fields_waiting: int = 4
    quiet_seconds: float = 10.0
    max_viewers: int = 4
    requests_per_minute: int = 1200
    logins_per_minute: int = 10
    session_hours: float = 12.0
    least_free_bytes: int = 200 * 1024 * 1024
    token_file: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    trusted_proxy: str = ""
    path_prefix: str = ""
    drain_seconds: float = 30.0

    @property
    def on_loopback(self) -> bool:
        """Whether only this computer can reach the server."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this computer alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Tell whether a host is given by its address, not by a name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
