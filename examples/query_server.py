"""Ask a running `plasmolite serve`.

Usage: python examples/query_server.py http://127.0.0.1:8080 cell.png [TOKEN]
"""

import json
import sys
import urllib.request
from pathlib import Path


def main(address: str, picture: str, token: str | None = None) -> int:
    """Send one picture of a single cell and print the verdict."""
    headers = {"Content-Type": "application/octet-stream"}
    if token is not None:  # needed unless the server is on this machine
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{address}/predict", Path(picture).read_bytes(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        verdict = json.load(answer)
    print(
        f"{verdict['label']}, P(parasitised) = {verdict['probability']:.3f}, model {verdict['model']['name']}"
    )
    print(verdict["research_use"])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
