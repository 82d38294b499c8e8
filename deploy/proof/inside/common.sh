# The head of the steps that run inside a root, read by each of them with: . /srv/common.sh
set -eu
export LC_ALL=C.UTF-8
cd /srv

step() {
    echo
    echo "== $*"
}

unpack() {
    rm -rf "$2" && mkdir "$2" && tar xzf "$1" -C "$2" --strip-components=1
}

# A network namespace begins with its loopback down; the root has no program to raise it.
raise_loopback() {
    python3 - <<'PYTHON'
import fcntl, socket, struct
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING
PYTHON
}

# There must be no way out: the proofs are about devices that have none.
check_cut_off() {
    if python3 -c 'import socket; socket.create_connection(("192.0.2.1", 80), 3)' 2>/tmp/told; then
        echo "WRONG: there is a network." >&2
        exit 1
    fi
    tail -n 1 /tmp/told
}

# Folder of the cells and fields that come with the installed release.
bundled_samples() {
    /opt/plasmolite/current/venv/bin/python -c 'import edge.samples, pathlib; print(pathlib.Path(edge.samples.__file__).parent)'
}

# What a technician does: judges the bundled cells and fields, and asks the server.
judge_and_serve() {
    samples=$(bundled_samples)
    step "plasmolite classify"
    plasmolite classify --json "$samples/cells" >/tmp/cells.jsonl
    head -n 3 /tmp/cells.jsonl
    echo "... $(wc -l </tmp/cells.jsonl) cells"
    step "plasmolite classify with the fast model"
    plasmolite classify --json --model "$samples/../models/plasmolite-nano-int8.tflite" "$samples/cells/cell_01.png"
    step "plasmolite analyze"
    code=0
    plasmolite analyze --json "$samples/fields" >/tmp/fields.jsonl || code=$?
    echo "code $code"
    [ "$code" -le 1 ]
    tail -n 1 /tmp/fields.jsonl | cut -c 1-400
    step "plasmolite serve"
    plasmolite serve --port 8080 --slides /tmp/slides.sqlite >/tmp/serve.log 2>&1 &
    server=$!
    python3 - "$samples/cells/cell_01.png" <<'PYTHON'
import json, sys, time, urllib.request
base = "http://127.0.0.1:8080"
data = open(sys.argv[1], "rb").read()
for _ in range(300):
    try:
        print("/health:", urllib.request.urlopen(base + "/health", timeout=60).read().decode()[:200])
        break
    except OSError:
        time.sleep(1)
else:
    sys.exit("WRONG: the server does not answer:\n" + open("/tmp/serve.log").read())
request = urllib.request.Request(base + "/predict", data, {"Content-Type": "image/png"})
print("/predict:", json.dumps(json.load(urllib.request.urlopen(request, timeout=600)))[:400])
PYTHON
    kill "$server"
    wait "$server" || true
}
