#!/bin/sh
# Proves a bundle on arm64 without a board: a Debian root of that architecture under qemu, the network cut off, the
# installer, and then what a technician does. Takes about an hour; the times seen in it mean nothing for a Pi.
#
#   sudo deploy/arm64_proof.sh BUNDLE-aarch64-cp311.tar.gz [bookworm|trixie] [ROOT]
#
# The `edge` tests run in the root too where the test tools' wheels are in TEST_WHEELS (pip download --only-binary=:all:
# --dest FOLDER pytest hypothesis).
set -eu

if [ $# -lt 1 ]; then
    echo "Usage: $0 BUNDLE.tar.gz [SUITE] [ROOT]" >&2
    exit 2
fi
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
bundle=$1
suite=${2:-bookworm}
root=${3:-/var/tmp/plasmolite-arm64-$suite}

[ -e "$root/usr/bin/python3" ] || "$here/debian_root.sh" arm64 "$suite" "$root"
cp "$bundle" "$root/srv/bundle.tar.gz"
cp "$here/arm64_inside.sh" "$root/srv/arm64_inside.sh"
rm -rf "$root/srv/source" "$root/srv/test-wheels"
mkdir -p "$root/srv/source" "$root/srv/test-wheels"
cp -r "$here/../tests" "$here/../pyproject.toml" "$root/srv/source/"
[ -z "${TEST_WHEELS-}" ] || cp "$TEST_WHEELS"/*.whl "$root/srv/test-wheels/"
exec unshare --net --mount --pid --fork sh -c '
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
    exec chroot "$1" sh /srv/arm64_inside.sh
' sh "$root"
