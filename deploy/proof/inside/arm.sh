#!/bin/sh
# The steps of arm_proof.sh, run inside the root.
. /srv/common.sh

raise_loopback
step "The machine"
uname -m
. /etc/os-release && echo "$PRETTY_NAME"
python3 --version
check_cut_off

step "Installed"
rm -rf /opt/plasmolite
unpack bundle.tar.gz bundle
bundle/install.sh
plasmolite --version
plasmolite doctor || [ $? -eq 1 ]

judge_and_serve

step "The tests of edge"
# Into a folder beside the installed release, which stays as it was packed.
rm -rf test-tools
python=/opt/plasmolite/current/venv/bin/python
tool=$(echo bundle/tools/pip-*.whl)
"$python" "$tool/pip" --isolated install --quiet --no-index --no-deps --target test-tools test-wheels/*.whl
cd source
PYTHONPATH=/srv/test-tools PYTHONDONTWRITEBYTECODE=1 "$python" -m pytest -q -p no:cacheprovider tests/edge
echo
echo "All steps came out as they should."
