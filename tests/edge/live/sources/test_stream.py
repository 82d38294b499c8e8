"""Network streams that FFmpeg plays."""

import subprocess
import sys


def test_neither_the_error_nor_ffmpeg_writes_the_address_to_the_terminal() -> None:
    program = (
        "from edge.errors import SourceError\n"
        "from edge.live.sources.stream import StreamSource\n"
        "try:\n    StreamSource('rtsp://amina:s3cret@127.0.0.1:1/live?token=t0ken').open()\n"
        "except SourceError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "rtsp://127.0.0.1:1/live?token=*** cannot be opened" in done.stdout
    for word in ("amina", "s3cret", "t0ken", "tcp://"):
        assert word not in done.stdout + done.stderr
