#!/bin/sh
# Proves a bundle for an ARM board without the board: a Debian root of that architecture under qemu, the network cut
# off, the installer, and then what a technician does, and the tests of edge. Takes about an hour; the times seen in it
# mean nothing for a Pi.
#
#   sudo deploy/proof/arm_proof.sh dist/plasmolite-VERSION-aarch64-cp311.tar.gz [ROOT]
#
# What the root must be stands in the bundle: arm64 or armhf, Debian 12 or 13. A ROOT that is there already is used
# again. Needs a network before the root is entered: for Debian's packages and for the wheels of the test tools.
set -eu

if [ $# -lt 1 ]; then
    echo "Usage: $0 BUNDLE.tar.gz [ROOT]" >&2
    exit 2
fi
bundle=$1
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
description=$(mktemp)
trap 'rm -f "$description"' EXIT
tar xzOf "$bundle" --wildcards '*/BUNDLE' >"$description"
. "$description"
case "$machine" in
    aarch64) architecture=arm64 ;;
    armv7l) architecture=armhf ;;
    *) echo "$bundle is for $machine, which is no ARM board." >&2; exit 2 ;;
esac
case "$python" in
    3.11) suite=bookworm ;;
    3.13) suite=trixie ;;
    *) echo "No Debian is known that has Python $python." >&2; exit 2 ;;
esac
root=$(realpath -m "${2:-/var/tmp/plasmolite-$architecture-$suite}")

# shellcheck disable=SC2086 - one word a package
[ -e "$root/usr/bin/python3" ] || "$here/debian_root.sh" "$architecture" "$suite" "$root" $system_packages
rm -rf "$root/srv/source" "$root/srv/test-wheels"
mkdir -p "$root/srv/source/edge"
cp "$bundle" "$root/srv/bundle.tar.gz"
cd "$here/../.."
"${PYTHON:-python3}" -m deploy.bundle --test-tools "$root/srv/test-wheels" \
    --platform "$machine-cp$(echo "$python" | tr -d .)"
cp -r tests pyproject.toml "$root/srv/source/"
cp -r edge/samples "$root/srv/source/edge/"
# The runtimes ask the kernel for its processors. This machine's own /sys would describe them to an ARM program as what
# they are, and it would crash; so a Pi's four are named in its place.
mkdir -p "$root/sys/devices/system/cpu"
echo 0-3 | tee "$root/sys/devices/system/cpu/possible" >"$root/sys/devices/system/cpu/present"

# As the oldest board that is supported (Pi 3, Zero 2 W). Under qemu's own choice of a processor, with every extension
# that it knows, numpy 2.5's matrix products come out wrong: no Pi has those extensions.
case "$architecture" in
    arm64) QEMU_CPU=cortex-a53 ;;
    armhf) QEMU_CPU=cortex-a7 ;;
esac
export QEMU_CPU
"$here/enter_root.sh" "$root" arm.sh
