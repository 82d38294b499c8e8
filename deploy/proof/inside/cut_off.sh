#!/bin/sh
# The steps of cut_off_test.sh, run inside the root. Not for a real device: it breaks things on purpose.
. /srv/common.sh

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

# The service is the one of the release in use.
check_unit() {
    cmp /etc/systemd/system/plasmolite.service /opt/plasmolite/current/plasmolite.service
}

# Makes the list of hashes fit what was done to a bundle: only its maker's signature would tell.
list_again() {
    (cd "$1" && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | sort | xargs sha256sum >SHA256SUMS)
}

raise_loopback
step "No network here"
check_cut_off
rm -rf /opt/plasmolite /var/lib/plasmolite /etc/plasmolite
unpack old.tar.gz old
unpack new.tar.gz new
# The older release has a unit of its own, to be seen in the place of the newer one's after a rollback.
echo "# of the older release" >>old/plasmolite.service
list_again old

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
list_again bad
refused "This bundle is for riscv64" bad/install.sh

step "A bundle that somebody else signed is refused"
minisign -G -W -f -p site.pub -s site.key >/dev/null
minisign -G -W -f -p other.pub -s other.key >/dev/null
minisign -S -s site.key -m old/SHA256SUMS >/dev/null
refused "not signed with the key" old/install.sh --key other.pub
[ ! -e /opt/plasmolite/current ]

step "Installed, its signature checked"
old/install.sh --key site.pub
first=$(readlink /opt/plasmolite/current)
plasmolite --version
plasmolite doctor || [ $? -eq 1 ]
step "Installed again: nothing changes"
old/install.sh
[ "$(readlink /opt/plasmolite/current)" = "$first" ]

judge_and_serve

step "Any user judges with the device's model; the slides are the service's"
nobody="setpriv --reuid=nobody --regid=nogroup --clear-groups"
service="setpriv --reuid=plasmolite --regid=plasmolite --init-groups"
$nobody plasmolite classify --json "$samples/cells/cell_01.png"
code=0
$nobody plasmolite doctor >/tmp/told || code=$?
grep -A 1 "^FAILURE" /tmp/told
[ "$code" -eq 2 ]
[ "$(grep -c "^FAILURE" /tmp/told)" -eq 1 ]
grep -q "not this user" /tmp/told
$service plasmolite doctor >/tmp/told || [ $? -eq 1 ]
grep "^ok *writing" /tmp/told
$service plasmolite live --source simulator --slide seen --cells 100 --until-reached \
    2>&1 | tail -n 3
plasmolite slides report seen --to /tmp/seen
ls /tmp/seen

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
check_unit
plasmolite --version
/opt/plasmolite/current/install.sh --rollback
[ "$(readlink /opt/plasmolite/current)" = "$second" ]
check_unit

step "An upgrade that fails its check leaves the release in use"
unpack old.tar.gz bad
sed -i 's/^release=.*/release=9.9.9-broken/' bad/BUNDLE
# Without its runtime the new release cannot judge: as a wheel that does not fit this board.
sed -i '/^ai_edge_litert/d; /^tflite_runtime/d' bad/requirements.txt
list_again bad
refused "does not work on this device" bad/install.sh
[ "$(readlink /opt/plasmolite/current)" = "$second" ]
[ ! -e /opt/plasmolite/releases/9.9.9-broken ]
plasmolite --version
step "An upgrade during which the power is cut leaves the release in use, and is taken up again"
unpack old.tar.gz bad
sed -i 's/^release=.*/release=9.9.9-cut/' bad/BUNDLE
list_again bad
setsid bad/install.sh &
installer=$!
until ls /opt/plasmolite/releases/9.9.9-cut/venv/lib/python3*/site-packages/numpy >/dev/null 2>&1; do sleep 0.2; done
kill -s KILL -- "-$installer"
wait "$installer" || true
[ "$(readlink /opt/plasmolite/current)" = "$second" ]
[ ! -e /opt/plasmolite/releases/9.9.9-cut/complete ]
plasmolite --version
bad/install.sh
[ "$(readlink /opt/plasmolite/current)" = releases/9.9.9-cut ]
/opt/plasmolite/current/install.sh --rollback
[ "$(readlink /opt/plasmolite/current)" = "$second" ]

step "An upgrade onto a full disk leaves the release in use"
# A disk that holds what is installed and 20 MB more.
size=$(($(du -sm /opt/plasmolite | cut -f 1) + 20))
mount -t tmpfs -o "size=${size}m" tmpfs /mnt
cp -a /opt/plasmolite/. /mnt/
mount --bind /mnt /opt/plasmolite
unpack old.tar.gz bad
sed -i 's/^release=.*/release=9.9.9-full/' bad/BUNDLE
list_again bad
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
