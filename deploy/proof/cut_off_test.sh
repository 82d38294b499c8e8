#!/bin/sh
# Installs a bundle in an empty Debian root with the network cut off, and does to it what happens to devices:
# tampering, upgrade, a failed upgrade, a power cut, rollback, removal. Every step says what it saw; the first that is
# wrong ends it.
#
#   sudo deploy/proof/debian_root.sh amd64 bookworm ROOT minisign
#   sudo deploy/proof/cut_off_test.sh ROOT BUNDLE.tar.gz NEWER_BUNDLE.tar.gz
set -eu

if [ $# -ne 3 ]; then
    echo "Usage: $0 ROOT BUNDLE.tar.gz NEWER_BUNDLE.tar.gz" >&2
    exit 2
fi
cp "$2" "$1/srv/old.tar.gz"
cp "$3" "$1/srv/new.tar.gz"
exec "$(dirname -- "$0")/enter_root.sh" "$1" cut_off.sh
