#!/bin/sh
# The steps of arm64_proof.sh, run inside the root.
set -eu
export LC_ALL=C.UTF-8
cd /srv

step() {
    echo
    echo "== $*"
}

# A network namespace begins with its loopback down; the root has no program to raise it.
python3 - <<'PYTHON'
import fcntl, socket, struct
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING
PYTHON

step "The machine"
uname -m
. /etc/os-release && echo "$PRETTY_NAME"
python3 --version
step "Installed"
rm -rf bundle /opt/plasmolite && mkdir bundle && tar xzf bundle.tar.gz -C bundle --strip-components=1
bundle/install.sh
plasmolite --version
plasmolite doctor || [ $? -eq 1 ]
python=/opt/plasmolite/current/venv/bin/python
samples=$("$python" -c 'import edge.samples, pathlib; print(pathlib.Path(edge.samples.__file__).parent)')

step "plasmolite classify"
plasmolite classify --json "$samples/cells"
step "plasmolite analyze"
code=0
plasmolite analyze --json "$samples/fields" >/tmp/fields.jsonl || code=$?
echo "code $code"
[ "$code" -le 1 ]
cut -c 1-300 /tmp/fields.jsonl
tail -n 1 /tmp/fields.jsonl

step "plasmolite serve"
plasmolite serve --port 8080 --slides /tmp/slides.sqlite >/tmp/serve.log 2>&1 &
server=$!
"$python" - "$samples/cells/cell_01.png" <<'PYTHON'
import json, sys, time, urllib.request
base = "http://127.0.0.1:8080"
data = open(sys.argv[1], "rb").read()
for _ in range(240):
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

step "The tests of edge"
if ls test-wheels/*.whl >/dev/null 2>&1; then
    # Into a folder beside the installed release, which stays as it was packed.
    rm -rf /srv/test-tools
    tool=$(echo bundle/tools/pip-*.whl)
    "$python" "$tool/pip" --isolated install --quiet --no-index --no-deps --target /srv/test-tools test-wheels/*.whl
    cd source
    # shellcheck disable=SC2046 - one word a file
    PYTHONPATH=/srv/test-tools PYTHONDONTWRITEBYTECODE=1 "$python" -m pytest -q -p no:cacheprovider \
        ${EDGE_TESTS:-$(grep -lE '^(from|import) edge' tests/test_*.py | xargs grep -LE '(from|import) (server|train|convert|benchmarks|selenium|tensorflow|fhir)')}
else
    echo "left out: no wheels of the test tools were given"
fi
echo
echo "All steps came out as they should."
