#!/bin/sh
# The steps of cut_off_test.sh, run inside the root. Not for a real device: it breaks things on purpose.
set -eu
export LC_ALL=C.UTF-8
cd /srv

step() {
    echo
    echo "== $*"
}

# Runs a command that must fail with code 2 and say the given words.
refused() {
    words=$1
    shift
    code=0
    "$@" >/tmp/told 2>&1 || code=$?
    cat /tmp/told
    if [ "$code" -ne 2 ] || ! grep -q "$words" /tmp/told; then
        echo "WRONG: code $code, expected 2 and the words: $words" >&2
        exit 1
    fi
}

unpack() {
    rm -rf "$2" && mkdir "$2" && tar xzf "$1" -C "$2" --strip-components=1
}

# A network namespace begins with its loopback down; the root has no program to raise it.
python3 - <<'PYTHON'
import fcntl, socket, struct
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING
PYTHON

step "No network here"
if python3 -c 'import socket; socket.create_connection(("192.0.2.1", 80), 3)' 2>/tmp/told; then
    echo "WRONG: there is a network." >&2
    exit 1
fi
tail -n 1 /tmp/told
rm -rf /opt/plasmolite /var/lib/plasmolite /etc/plasmolite
unpack old.tar.gz old
unpack new.tar.gz new

step "A tampered bundle is refused"
unpack old.tar.gz bad
printf x >>"$(ls bad/wheels/click-*.whl)"
refused "altered or damaged" bad/install.sh
[ ! -e /opt/plasmolite/current ]
step "A bundle with a file that does not belong is refused"
unpack old.tar.gz bad
: >bad/wheels/evil-1.0-py3-none-any.whl
refused "do not belong" bad/install.sh
step "A bundle that lacks a file is refused"
unpack old.tar.gz bad
rm bad/wheels/click-*.whl
refused "altered or damaged\|missing" bad/install.sh
step "A bundle for another board is refused"
unpack old.tar.gz bad
sed -i 's/^machine=.*/machine=riscv64/' bad/BUNDLE
(cd bad && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | sort | xargs sha256sum >SHA256SUMS)
refused "This bundle is for riscv64" bad/install.sh

step "Installed"
old/install.sh
first=$(readlink /opt/plasmolite/current)
plasmolite --version
plasmolite doctor || [ $? -eq 1 ]
step "Installed again: nothing changes"
old/install.sh
[ "$(readlink /opt/plasmolite/current)" = "$first" ]

step "It judges"
samples=$(/opt/plasmolite/current/venv/bin/python -c 'import edge.samples, pathlib; print(pathlib.Path(edge.samples.__file__).parent)')
plasmolite classify --json "$samples/cells" | head -n 3
step "It analyses a field"
code=0
plasmolite analyze --json "$samples/fields" >/tmp/fields.jsonl || code=$?
[ "$code" -le 1 ]
tail -n 1 /tmp/fields.jsonl | cut -c 1-400
step "It serves"
plasmolite serve --port 8080 --slides /tmp/slides.sqlite >/tmp/serve.log 2>&1 &
server=$!
python3 - "$samples/cells/cell_01.png" <<'PYTHON'
import json, sys, time, urllib.request
ip = "http://127.0.0.1:8080"
data = open(sys.argv[1], "rb").read()
for _ in range(90):
    try:
        urllib.request.urlopen(ip + "/health", timeout=30).read()
        break
    except OSError:
        time.sleep(1)
else:
    sys.exit("WRONG: the server does not answer:\n" + open("/tmp/serve.log").read())
request = urllib.request.Request(ip + "/predict", data, {"Content-Type": "image/png"})
print(json.dumps(json.load(urllib.request.urlopen(request, timeout=300)))[:400])
PYTHON
kill "$server"
wait "$server" || true

step "Slides and settings from before an upgrade"
echo "a slide" >/var/lib/plasmolite/slides/slide-1
echo "PLASMOLITE_OPTIONS=--port 9000" >/etc/plasmolite/service.conf
step "Upgraded"
new/install.sh
second=$(readlink /opt/plasmolite/current)
[ "$second" != "$first" ]
grep -q 9000 /etc/plasmolite/service.conf
plasmolite model list
step "Rolled back, and forward again"
/opt/plasmolite/current/install.sh --rollback | tee /tmp/told
[ "$(readlink /opt/plasmolite/current)" = "$first" ]
grep -q "In use now: ${first#releases/}" /tmp/told
plasmolite --version
/opt/plasmolite/current/install.sh --rollback
[ "$(readlink /opt/plasmolite/current)" = "$second" ]

step "An upgrade that fails its check leaves the release in use"
unpack old.tar.gz bad
sed -i 's/^release=.*/release=9.9.9-broken/' bad/BUNDLE
# Without its runtime the new release cannot judge: as a wheel that does not fit this board.
sed -i '/^ai_edge_litert/d; /^tflite_runtime/d' bad/requirements.txt
(cd bad && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | sort | xargs sha256sum >SHA256SUMS)
refused "does not work on this device" bad/install.sh
[ "$(readlink /opt/plasmolite/current)" = "$second" ]
[ ! -e /opt/plasmolite/releases/9.9.9-broken ]
plasmolite --version
step "An upgrade onto a full disk leaves the release in use"
# A disk that holds what is installed and 20 MB more.
size=$(($(du -sm /opt/plasmolite | cut -f 1) + 20))
mount -t tmpfs -o "size=${size}m" tmpfs /mnt
cp -a /opt/plasmolite/. /mnt/
mount --bind /mnt /opt/plasmolite
unpack old.tar.gz bad
sed -i 's/^release=.*/release=9.9.9-full/' bad/BUNDLE
(cd bad && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | sort | xargs sha256sum >SHA256SUMS)
refused "disk full" bad/install.sh
[ ! -e /opt/plasmolite/releases/9.9.9-full ]
[ "$(readlink /opt/plasmolite/current)" = "$second" ]
plasmolite --version
umount /opt/plasmolite

step "Removed; the slides stay"
new/uninstall.sh
[ ! -e /opt/plasmolite ] && [ ! -e /usr/local/bin/plasmolite ]
[ "$(cat /var/lib/plasmolite/slides/slide-1)" = "a slide" ]
echo
echo "All steps came out as they should."
