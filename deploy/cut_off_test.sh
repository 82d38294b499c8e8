#!/bin/sh
# Installs a bundle in an empty Debian root with the network cut off, and does to it what happens to devices:
# tampering, upgrade, a failed upgrade, rollback, removal. Every step says what it saw; the first that is wrong ends it.
#
#   sudo deploy/cut_off_test.sh ROOT BUNDLE.tar.gz NEWER_BUNDLE.tar.gz
#
# ROOT comes from debian_root.sh. Nothing inside it can reach a network: it has a network namespace of its own.
set -eu

if [ $# -ne 3 ]; then
    echo "Usage: $0 ROOT BUNDLE.tar.gz NEWER_BUNDLE.tar.gz" >&2
    exit 2
fi
root=$1
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cp "$2" "$root/srv/old.tar.gz"
cp "$3" "$root/srv/new.tar.gz"
cp "$here/inside_root.sh" "$root/srv/inside_root.sh"
exec unshare --net --mount --pid --fork sh -c '
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
    exec chroot "$1" sh /srv/inside_root.sh
' sh "$root"
