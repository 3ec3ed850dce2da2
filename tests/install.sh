#!/bin/sh
# Installs what the tests need and this machine misses: on Debian and Ubuntu, as root or by sudo. Elsewhere
# it says what to install. Does nothing, and asks for no right, where all is there.
set -eu

missing=""
need() { # package, then a command that succeeds where it is installed
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
# Recorded speech; where it lies is known to tests/harness/speech.rs as well.
sounds() { [ -n "$(find /usr/share/asterisk/sounds -name demo-congrats.wav)" ]; }

need gcc                         sh -c 'command -v cc'
need libc6-dev                   sh -c 'echo "#include <stdio.h>" | cc -E -'
need pkg-config                  sh -c 'command -v pkg-config'
need libasound2-dev              pkg-config --exists alsa
need sox                         sh -c 'command -v sox'
need asterisk-core-sounds-en-wav sounds

[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "The tests miss, by their Debian names:$missing" >&2
    echo "Install what matches them here: a C compiler, pkg-config, ALSA's headers, sox, and the WAV files of" >&2
    echo "Asterisk's English core sounds below /usr/share/asterisk/sounds." >&2
    exit 1
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "The tests miss:$missing" >&2
        echo "As root: apt-get update && apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi

echo "make test: installing$missing"
# Package names without spaces: the words are meant to be split.
# shellcheck disable=SC2086
apt_install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >"$log" 2>&1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Lists of packages may be absent or too old; fetching them takes longer than trying.
if ! apt_install; then
    $as_root apt-get update -qq
    if ! apt_install; then
        cat "$log" >&2
        echo "Could not install:$missing" >&2
        exit 1
    fi
fi
