#!/bin/sh
# Says what to do when Rust is missing or older than the first argument, e.g. 1.88, or when one of cargo's
# commands that are the other arguments is missing.
set -eu
need=$1
shift
how="install it by https://rustup.rs (curl -sSf https://sh.rustup.rs | sh), or: rustup update stable"

if ! command -v "${CARGO:-cargo}" >/dev/null || ! command -v rustc >/dev/null; then
    echo "Rust is missing: Partyline needs rustc and cargo $need or newer; $how" >&2
    exit 1
fi
have=$(rustc --version | sed -n 's/^rustc \([0-9]*\.[0-9]*\).*/\1/p')
if [ "$(printf '%s\n%s\n' "$need" "$have" | sort -t. -k1,1n -k2,2n | head -n 1)" != "$need" ]; then
    echo "rustc $have is too old: Partyline needs $need or newer; $how" >&2
    exit 1
fi
for part in "$@"; do
    if ! "${CARGO:-cargo}" "$part" --version >/dev/null 2>&1; then
        echo "cargo $part is missing: rustup component add rustfmt clippy (or install your system's package of it)" >&2
        exit 1
    fi
done
