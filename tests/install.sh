#!/bin/sh
# Installs what this machine misses to build (`install.sh build`), to test (`install.sh test`, which is more), to pack
# (`install.sh package`), or to run something of Node or Python: `install.sh node FROM FOLDER` puts the packages that tests/FROM/package-lock.json
# names into the folder, `install.sh python FROM FOLDER` those of tests/FROM/requirements.txt (the stories that need them
# do this themselves). On Debian and Ubuntu, as root or by sudo; elsewhere it says what to install. Does nothing, and
# asks for no right, where all is there.
set -eu
what=$1
from=${2:-}
folder=${3:-}

missing=""
need() { # package, then a command that succeeds where it is installed
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
# Recorded speech; where it lies is known to tests/harness/speech.rs as well.
# The browser that the stories of the page open, by any of its names.
chromium_there() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
pulse_plugin() { [ -n "$(find /usr/lib /usr/lib64 -name libasound_module_pcm_pulse.so)" ]; }
sounds() { [ -n "$(find /usr/share/asterisk/sounds -name demo-congrats.wav)" ]; }

need gcc sh -c 'command -v cc'
if [ "$(uname)" = Linux ]; then
    # What macOS has in its compiler's package, and for sound in its frameworks.
    need libc6-dev      sh -c 'echo "#include <stdio.h>" | cc -E -'
    need pkg-config     sh -c 'command -v pkg-config'
    need libasound2-dev pkg-config --exists alsa
fi
if [ "$what" = test ]; then
    need sox                         sh -c 'command -v sox'
    # promtool, which knows whether rules and numbers are what Prometheus reads.
    need prometheus                  sh -c 'command -v promtool'
    need tmux                        sh -c 'command -v tmux'
    need python3                     sh -c 'command -v python3'
    need slowhttptest                sh -c 'command -v slowhttptest'
    need socat                       sh -c 'command -v socat'
    need asterisk-core-sounds-en-wav sounds
    need curl                        sh -c 'command -v curl'
    need ffmpeg                      sh -c 'command -v ffplay'
    need chromium                    chromium_there
fi
# Stories of a relay that runs as a service: behind a proxy, as a unit, from a package, beside others.
if [ "$what" = test ] && [ "$(uname)" = Linux ]; then
    need nginx-light test -x /usr/sbin/nginx
    need haproxy     test -x /usr/sbin/haproxy
    need caddy       test -x /usr/bin/caddy
    need systemd     sh -c 'command -v systemd-analyze'
    need redis-server sh -c 'command -v redis-server'
    # A sound server, and how ALSA reaches it.
    need pulseaudio         sh -c 'command -v pulseaudio'
    need pulseaudio-utils   sh -c 'command -v pactl && command -v parec'
    need libasound2-plugins pulse_plugin
    # What is left of Rails while people move: Action Cable, and what serves it.
    need puma             sh -c 'command -v puma'
    need ruby-actioncable ruby -e 'require "action_cable"'
    need ruby-redis       ruby -e 'require "redis"'
fi
if [ "$what" = test ] || [ "$what" = package ]; then
    need dpkg     sh -c 'command -v dpkg-deb'
    need binutils sh -c 'command -v strip && command -v objdump'
fi
# A C compiler for the parts of the static relay that are not Rust.
if [ "$what" = package ]; then
    need musl-tools sh -c 'command -v musl-gcc'
fi

if [ "$what" = node ] || [ "$what" = test ]; then
    need nodejs sh -c 'command -v node'
    need npm    sh -c 'command -v npm'
fi

if [ "$what" = python ] || [ "$what" = test ]; then
    need python3-venv python3 -c 'import ensurepip'
fi

# Exactly what the lock file says, and only where that has changed; nothing is written into the source tree.
node_packages() { # folder of package.json and its lock, folder to install into
    from=$1
    shift
    cmp -s "$from/package-lock.json" "$1/package-lock.json" && [ -d "$1/node_modules" ] && return
    mkdir -p "$1"
    cp "$from/package.json" "$from/package-lock.json" "$1"
    echo "make: installing packages of Node"
    # Without the lock file the next time tries again.
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --silent) || { rm -f "$1/package-lock.json"; exit 1; }
}
# The same for Python, in an environment of its own.
python_packages() {
    cmp -s "$1/requirements.txt" "$2/requirements.txt" && return
    rm -rf "$2"
    python3 -m venv "$2"
    echo "make: installing packages of Python"
    "$2/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$1/requirements.txt"
    # Last: without it the next time tries again.
    cp "$1/requirements.txt" "$2"
}
finish() {
    case $what in
        node) node_packages "$(dirname "$0")/$from" "$folder" ;;
        python) python_packages "$(dirname "$0")/$from" "$folder" ;;
    esac
    exit 0
}

[ -n "$missing" ] || finish

if ! command -v apt-get >/dev/null; then
    echo "make: missing, by Debian's names:$missing" >&2
    case $what in
        build) echo "Install what matches them here: a C compiler, pkg-config and ALSA's headers. Without the latter two it" \
            "runs without sound: cargo run -p partyline --no-default-features --features demo -- demo" ;;
        node) echo "Install what matches them here: a C compiler, pkg-config, ALSA's headers, Node.js and npm. Without the" \
            "latter two there is no relay in Node to compare with: make bench ARGS=--no-node" ;;
        *) echo "Install what matches them here: a C compiler, pkg-config, ALSA's headers, sox, tmux, Python 3, slowhttptest, socat," \
            "Node.js, npm, Python's venv, curl, ffmpeg, Chromium, the WAV files of" \
            "Asterisk's English core sounds below /usr/share/asterisk/sounds, and on Linux nginx, HAProxy and Caddy where Debian" \
            "has them (/usr/sbin/nginx, /usr/sbin/haproxy, /usr/bin/caddy), systemd-analyze, redis-server, PulseAudio with" \
            "pactl, parec and its ALSA plugin, Puma with Action" \
            "Cable and redis for Ruby, dpkg-deb and binutils." ;;
    esac >&2
    exit 1
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "make: missing:$missing" >&2
        echo "As root: apt-get update && apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi

echo "make: installing$missing"
# Package names without spaces: the words are meant to be split.
# shellcheck disable=SC2086
apt_install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >"$log" 2>&1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Stories run proxies and a Redis of their own; this machine is not to become a server by its tests.
services_off() {
    for service in nginx haproxy caddy redis-server; do
        case "$missing " in
            *" $service"*) $as_root systemctl disable --quiet --now "$service" >/dev/null 2>&1 || true ;;
        esac
    done
}
# Lists of packages may be absent or too old; fetching them takes longer than trying.
if ! apt_install; then
    $as_root apt-get update -qq
    if ! apt_install; then
        cat "$log" >&2
        echo "Could not install:$missing" >&2
        exit 1
    fi
fi
services_off
finish
