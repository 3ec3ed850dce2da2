#!/bin/sh
# Autobahn's suite against the echo server over the relay's WebSocket: `run.sh FOLDER SERVER`. The suite runs under
# Python 2.7 alone, named by PYTHON2 or found; it is installed into FOLDER once, and its full report lies there. The
# summary goes to tests/autobahn/report.md; it fails where a case does.
set -eu
folder=$1
server=$2
here=$(dirname "$0")
# The version that the kept report is of.
suite=autobahntestsuite==25.10.1
# The last one that makes environments for Python 2.7.
virtualenv='virtualenv<20.22'

python=
for candidate in "${PYTHON2:-}" python2.7 "$(pyenv root 2>/dev/null)"/versions/2.7.*/bin/python2.7; do
    # A name alone may be a shim that leads nowhere.
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || {
    echo "make autobahn: needs Python 2.7, which the suite is written in; name one: PYTHON2=/path/to/python2.7" >&2
    exit 1
}
mkdir -p "$folder"
if ! [ -x "$folder/venv/bin/wstest" ]; then
    echo "make autobahn: installing $suite"
    "$python" -m pip install --quiet --disable-pip-version-check --target "$folder/tools" "$virtualenv"
    PYTHONPATH="$folder/tools" "$python" -m virtualenv --quiet "$folder/venv"
    "$folder/venv/bin/pip" install --quiet "$suite"
fi

rm -f "$folder/address"
"$server" 127.0.0.1:0 >"$folder/address" &
pid=$!
trap 'kill $pid 2>/dev/null || true' EXIT
until [ -s "$folder/address" ]; do kill -0 $pid && sleep 0.1; done
address=$(cat "$folder/address")

rm -rf "$folder/reports"
# 12 and 13 are permessage-deflate, which this relay never agrees to.
cat >"$folder/spec.json" <<SPEC
{"outdir": "$folder/reports", "servers": [{"agent": "partyline", "url": "ws://$address"}],
 "cases": ["*"], "exclude-cases": ["12.*", "13.*"], "exclude-agent-cases": {}}
SPEC
"$folder/venv/bin/wstest" -m fuzzingclient -s "$folder/spec.json" >"$folder/wstest.log"
"$folder/venv/bin/python" "$here/report.py" "$folder/reports/index.json" "$suite" >"$folder/report.md" || failed=1
cp "$folder/report.md" "$here/report.md"
cat "$here/report.md"
exit ${failed:-0}
