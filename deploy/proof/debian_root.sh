#!/bin/sh
# Make a small Debian root to install a bundle into, of this machine's architecture or of a foreign one.
#
#   sudo deploy/proof/debian_root.sh ARCHITECTURE SUITE FOLDER [PACKAGE...]
#   sudo deploy/proof/debian_root.sh arm64 bookworm /var/tmp/pi python3-venv
#
# Raspberry Pi OS 12 and 13 are Debian bookworm and trixie with other firmware. Packages come from the
# mirror that this machine's own apt uses. A foreign architecture runs under qemu-user-static.
set -eu

if [ $# -lt 3 ]; then
    echo "Usage: $0 ARCHITECTURE SUITE FOLDER [PACKAGE...]" >&2
    exit 2
fi
architecture=$1
suite=$2
folder=$3
shift 3
# debootstrap follows no virtual packages: what python3-cryptography needs by such a name is named here.
case " $* " in *" python3-cryptography "*) set -- "$@" python3-cffi-backend ;; esac
packages=$(echo "ca-certificates python3 python3-venv $*" | tr ' ' ',')

for tool in debootstrap apt-get dpkg; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is not installed: sudo apt install debootstrap qemu-user-static" >&2
        exit 2
    fi
done
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' \
    | awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }')
if [ -z "$mirror" ]; then
    echo "apt knows no Debian mirror here: run apt-get update first, on a Debian machine." >&2
    exit 2
fi

# The kernel must hand foreign programs to qemu: usually done when the package was installed, not in a container.
register_emulator() {
    case "$1" in
        arm64) name=qemu-aarch64 ;;
        armhf) name=qemu-arm ;;
        amd64) name=qemu-x86_64 ;;
        *) echo "No emulator is known for $1." >&2; exit 2 ;;
    esac
    [ -d /proc/sys/fs/binfmt_misc ] && [ -e /proc/sys/fs/binfmt_misc/register ] \
        || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    [ -e "/proc/sys/fs/binfmt_misc/$name" ] && return
    if [ ! -e "/usr/lib/binfmt.d/$name.conf" ]; then
        echo "There is no emulator for $1: sudo apt install qemu-user-static" >&2
        exit 2
    fi
    cat "/usr/lib/binfmt.d/$name.conf" >/proc/sys/fs/binfmt_misc/register
}

if [ "$architecture" != "$(dpkg --print-architecture)" ]; then
    register_emulator "$architecture"
fi
cache=${DEBOOTSTRAP_CACHE:-/var/tmp/debootstrap-$suite-$architecture}
mkdir -p "$cache"
debootstrap --arch="$architecture" --variant=minbase --include="$packages" --cache-dir="$cache" \
    "$suite" "$folder" "$mirror"
