#!/bin/sh
# Installs or upgrades Plasmolite from this bundle, with no network.
#
#   sudo ./install.sh                  install, or upgrade what is installed
#   sudo ./install.sh --rollback       go back to the release before
#   sudo ./install.sh --key FILE.pub   check the bundle's signature (SHA256SUMS.minisig, needs minisign)
#   sudo ./install.sh --prefix FOLDER  into a folder, without service (for trying it)
#
# Each release has a folder of its own; `current` points to the one in use and changes last, at once. A release
# that fails its check is removed, and one whose service does not come up is rolled back. Slides are not touched.
set -eu
umask 022 # every user of the device runs what is installed here

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
prefix=
key=
rollback=no
while [ $# -gt 0 ]; do
    case "$1" in
        --prefix) prefix=${2%/}; shift ;;
        --key) key=$(realpath -m -- "$2"); shift ;;
        --rollback) rollback=yes ;;
        *) echo "Usage: $0 [--rollback] [--key FILE.pub] [--prefix FOLDER]" >&2; exit 2 ;;
    esac
    shift
done
home=$prefix/opt/plasmolite
data=$prefix/var/lib/plasmolite

fail() {
    echo "Error: $*" >&2
    exit 2
}

managed_by_systemd() {
    [ -z "$prefix" ] && [ -d /run/systemd/system ]
}

# A rename replaces the link in one step: there is no moment without a current release.
point() {
    # A power cut may have left the new link: without -fn it would be followed, and the old release named again.
    ln -sfn "$2" "$home/$1.new"
    mv -T "$home/$1.new" "$home/$1"
}

check_writable() {
    mkdir -p "$home/releases" 2>/dev/null && : 2>/dev/null >"$home/.writable" && rm "$home/.writable" \
        || fail "$home cannot be written to. Run this with sudo; a worn SD card turns read-only."
}

service_is_up() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
        sleep 5
        systemctl is-active --quiet plasmolite.service && return 0
    done
    return 1
}

switch_to() {
    leaving=$(readlink "$home/current" 2>/dev/null || true)
    if [ "$leaving" = "$1" ]; then
        return 0
    fi
    if [ -n "$leaving" ]; then
        point previous "$leaving"
    fi
    point current "$1"
}

# With the unit of the release in use: a newer one's may ask for what an older release cannot do.
restart_service() {
    cp "$home/current/plasmolite.service" "$prefix/etc/systemd/system/plasmolite.service" || return 1
    for unit in plasmolite-send.service plasmolite-send.timer; do
        # An earlier release sends nothing.
        if [ -e "$home/current/$unit" ]; then
            cp "$home/current/$unit" "$prefix/etc/systemd/system/$unit" || return 1
        else
            rm -f "$prefix/etc/systemd/system/$unit"
        fi
    done
    managed_by_systemd || return 0
    systemctl daemon-reload
    systemctl enable --quiet plasmolite.service
    if [ -e "$home/current/plasmolite-send.timer" ]; then
        # It does nothing until /etc/plasmolite/send.toml says where to.
        systemctl enable --quiet --now plasmolite-send.timer
    fi
    systemctl restart plasmolite.service || true
    service_is_up
}

if [ "$rollback" = yes ]; then
    former=$(readlink "$home/previous" 2>/dev/null || true)
    [ -n "$former" ] && [ -e "$home/$former/complete" ] || fail "There is no release to go back to in $home."
    check_writable
    switch_to "$former"
    restart_service || fail "The release before was put back, but its service does not start: plasmolite doctor"
    echo "In use now: ${former#releases/}."
    exit 0
fi

# 1. Is the bundle what was packed? Before anything in it is run or unpacked.
cd "$here"
[ -f SHA256SUMS ] || fail "SHA256SUMS is missing: this is not a whole bundle. Copy it again."
if [ -n "$key" ]; then
    command -v minisign >/dev/null || fail "minisign is not installed, so the signature cannot be checked."
    minisign -Vq -p "$key" -m SHA256SUMS \
        || fail "The bundle is not signed with the key in $key. Do not install it; ask who gave it to you."
fi
damaged=$(sha256sum --check --quiet SHA256SUMS 2>&1 | sed -n 's/: FAILED.*//p' | tr '\n' ' ')
[ -z "$damaged" ] || fail "These files were altered or damaged: ${damaged}- nothing was installed. Copy the bundle again."
sha256sum --check --status SHA256SUMS \
    || fail "Files of the bundle are missing; nothing was installed. Copy the bundle again."
listed=$(sed 's/^[0-9a-f]*  //' SHA256SUMS | LC_ALL=C sort)
found=$(find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.minisig | sed 's|^\./||' | LC_ALL=C sort)
[ "$listed" = "$found" ] || fail "The bundle holds files that do not belong to it; nothing was installed."

# 2. Is it for this device?
. ./BUNDLE
interpreter=$(command -v "python$python" || true)
[ -n "$interpreter" ] || fail "This bundle is for Python $python, which is not here ($(python3 --version 2>&1)). Take the bundle for this system."
# Python's own word: a 64-bit kernel may carry a 32-bit system.
actual=$("$interpreter" -c 'import struct, platform as p; print(p.machine() if struct.calcsize("P") == 8 else {"aarch64": "armv7l", "armv8l": "armv7l"}.get(p.machine(), p.machine()))')
[ "$actual" = "$machine" ] || fail "This bundle is for $machine and this system is $actual. Take the bundle for this system."
for package in $system_packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' \
        || fail "$package has no wheel for $machine and must come from the system: sudo apt install $system_packages"
done

# 3. Install beside what is there.
check_writable
target=releases/$release
if [ -e "$home/$target/complete" ]; then
    echo "Release $release is installed already."
else
    rm -rf "${home:?}/$target"
    mkdir -p "$home/$target"
    abandon() {
        rm -rf "${home:?}/$target"
        fail "$1 The release in use stays as it is."
    }
    trap 'abandon "The installation was interrupted."' INT TERM
    echo "Installing release $release ..."
    # The system's packages stay visible: picamera2 comes from there, and numpy and OpenCV on 32 bits.
    "$interpreter" -m venv --without-pip --system-site-packages "$home/$target/venv" \
        || abandon "Python's environment could not be made: is the disk full?"
    tool=$(echo tools/pip-*.whl)
    # --ignore-installed: what the system has of the same name may be older than what was packed.
    PIP_CONFIG_FILE=/dev/null "$home/$target/venv/bin/python" "$tool/pip" --isolated install --quiet \
        --no-index --no-deps --require-hashes --ignore-installed --no-cache-dir --disable-pip-version-check \
        --root-user-action=ignore --find-links wheels -r requirements.txt \
        || abandon "The wheels could not be installed: is the disk full?"
    cp install.sh uninstall.sh plasmolite.service plasmolite-send.service plasmolite-send.timer BUNDLE "$home/$target/"

    # 4. Does it work here? Runtime, model and one verdict, before anything is switched.
    PLASMOLITE_MODELS=$data/models "$home/$target/venv/bin/plasmolite" doctor --json --slides "$data" >"$home/$target/doctor.json" || true
    if [ ! -s "$home/$target/doctor.json" ] \
        || grep -E '"part": "(runtime|model)"' "$home/$target/doctor.json" | grep -q '"state": "failure"'; then
        cat "$home/$target/doctor.json" >&2
        abandon "The new release does not work on this device."
    fi
    trap - INT TERM
    sync
    : >"$home/$target/complete"
fi

# 5. The user, the folders and the service.
if [ -z "$prefix" ]; then
    getent group video >/dev/null || groupadd --system video
    getent passwd plasmolite >/dev/null \
        || useradd --system --home-dir "$data" --shell /usr/sbin/nologin --groups video plasmolite
fi
mkdir -p "$data/models" "$data/slides" "$prefix/etc/plasmolite" "$prefix/usr/local/bin"
if [ -z "$prefix" ]; then
    # Slides are the service's alone. Models are read by every user of the device, and changed by root alone.
    chown plasmolite:plasmolite "$data" "$data/slides"
    chown root:root "$data/models"
    chmod 751 "$data"
    chmod 750 "$data/slides"
    chmod 755 "$data/models"
fi
if [ ! -e "$prefix/etc/plasmolite/service.conf" ]; then
    cat >"$prefix/etc/plasmolite/service.conf" <<'CONF'
# Options of plasmolite serve. From other devices of the room (a token is then shown once by: journalctl -u plasmolite):
# PLASMOLITE_OPTIONS=--host 0.0.0.0 --port 8080 --token-file /var/lib/plasmolite/token.json --source 0
PLASMOLITE_OPTIONS=--host 127.0.0.1 --port 8080
CONF
fi
# Whoever judges on this device judges with its model.
cat >"$prefix/usr/local/bin/plasmolite" <<WRAPPER
#!/bin/sh
: "\${PLASMOLITE_MODELS:=$data/models}" "\${PLASMOLITE_SLIDES:=$data/slides/slides.sqlite}"
export PLASMOLITE_MODELS PLASMOLITE_SLIDES
exec $home/current/venv/bin/plasmolite "\$@"
WRAPPER
chmod 755 "$prefix/usr/local/bin/plasmolite"
mkdir -p "$prefix/etc/systemd/system" "$prefix/etc/systemd/journald.conf.d"
printf '# An SD card wears out by writing.\n[Journal]\nSystemMaxUse=50M\nRuntimeMaxUse=20M\nSyncIntervalSec=5m\n' \
    >"$prefix/etc/systemd/journald.conf.d/plasmolite.conf"
# Restarts that grow rarer exist since systemd 254 (Debian 13); before, five seconds apart and eight in ten minutes.
if managed_by_systemd && [ "$(systemctl --version | awk 'NR == 1 { print $2 + 0 }')" -ge 254 ]; then
    mkdir -p /etc/systemd/system/plasmolite.service.d
    printf '[Service]\nRestartSteps=6\nRestartMaxDelaySec=300\n' >/etc/systemd/system/plasmolite.service.d/backoff.conf
fi

# 6. Switch, and go back where the service does not come up.
former=$(readlink "$home/current" 2>/dev/null || true)
switch_to "$target"
if ! restart_service; then
    if [ -n "$former" ] && [ "$former" != "$target" ]; then
        point current "$former"
        rm -f "$home/$target/complete"
        restart_service || true
        fail "The service of release $release does not come up; release ${former#releases/} is in use again. See: journalctl -u plasmolite"
    fi
    fail "The service does not come up. See: plasmolite doctor, and journalctl -u plasmolite"
fi

# 7. Keep this release and the one before.
kept=$(readlink "$home/previous" 2>/dev/null || true)
for old in "$home"/releases/*; do
    case "releases/${old##*/}" in
        "$target" | "$kept") ;;
        *) rm -rf "$old" ;;
    esac
done
echo "In use now: $release. Check the device with: sudo -u plasmolite plasmolite doctor"
