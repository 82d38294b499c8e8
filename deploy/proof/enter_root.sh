#!/bin/sh
# Runs one of the scripts in deploy/proof/inside in a root that can reach no network: the root of debian_root.sh, in a network
# namespace of its own.
#
#   sudo deploy/proof/enter_root.sh ROOT cut_off.sh
set -eu

if [ $# -ne 2 ]; then
    echo "Usage: $0 ROOT SCRIPT" >&2
    exit 2
fi
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cp "$here/inside/common.sh" "$here/inside/$2" "$1/srv/"
exec unshare --net --mount --pid --fork sh -c '
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
    exec chroot "$1" sh "/srv/$2"
' sh "$1" "$2"
