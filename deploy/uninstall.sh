#!/bin/sh
# Takes Plasmolite off this device. Slides, models and settings stay; the last line says where.
#
#   sudo ./uninstall.sh [--prefix FOLDER]
set -eu

prefix=
case "${1-}" in
    --prefix) prefix=${2%/} ;;
    "") ;;
    *) echo "Usage: $0 [--prefix FOLDER]" >&2; exit 2 ;;
esac
home=$prefix/opt/plasmolite
data=$prefix/var/lib/plasmolite

if [ ! -d "$home" ]; then
    echo "Plasmolite is not installed in $home; nothing was done."
    exit 0
fi
if [ -z "$prefix" ] && [ -d /run/systemd/system ]; then
    systemctl disable --now plasmolite.service plasmolite-send.timer 2>/dev/null || true
fi
rm -f "$prefix/etc/systemd/system/plasmolite.service" "$prefix/usr/local/bin/plasmolite"
rm -f "$prefix/etc/systemd/system/plasmolite-send.service" "$prefix/etc/systemd/system/plasmolite-send.timer"
rm -rf "$prefix/etc/systemd/system/plasmolite.service.d"
rm -f "$prefix/etc/systemd/journald.conf.d/plasmolite.conf"
rm -rf "$home"
if [ -z "$prefix" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
echo "Plasmolite was removed. Slides and models are still in $data, settings in $prefix/etc/plasmolite."
echo "The user plasmolite, who owns the slides, was kept as well."
