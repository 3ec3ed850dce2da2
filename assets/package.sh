#!/bin/sh
# What a release is made of, in a folder: package.sh FOLDER. The relay for this machine's own system as a package of
# Debian's, the same as one static program for any Linux, and checksums. What cannot be made here is said, and the
# rest is made all the same; it fails where nothing could be.
set -eu
out=$1
source=$(cd "$(dirname "$0")/.." && pwd)
cargo=${CARGO:-cargo}
cd "$source"
target=${CARGO_TARGET_DIR:-target}
name=partyline-relay
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
machine=$(uname -m)
triple=$machine-unknown-linux-musl

not_made() {
    echo "make package: $1 was not made: $2" >&2
}
mkdir -p "$out"
# Nothing of an earlier version among what is new.
rm -f "$out"/*.deb "$out"/*.tar.gz "$out/SHA256SUMS"

package() {
    command -v dpkg-deb >/dev/null || { not_made "the .deb" "there is no dpkg-deb here"; return; }
    "$cargo" build --release --locked -p $name --bin $name
    assets/deb/make.sh "$target/release/$name" "$out" >/dev/null
}

static() {
    what="the static program"
    [ "$(uname)" = Linux ] || { not_made "$what" "it is for Linux, and made there"; return; }
    command -v musl-gcc >/dev/null || { not_made "$what" "there is no musl-gcc here (Debian: musl-tools)"; return; }
    if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$triple" ] && ! rustup target add "$triple"; then
        not_made "$what" "Rust's library for $triple is missing (rustup target add $triple)"
        return
    fi
    "$cargo" build --release --locked -p $name --bin $name --target "$triple"
    folder=$name-$version-$machine-linux
    made=$(mktemp -d)
    mkdir "$made/$folder"
    cp "$target/$triple/release/$name" LICENSE CHANGELOG.md README.md "$made/$folder/"
    strip "$made/$folder/$name"
    cp assets/relay.toml "$made/$folder/relay.sample.toml"
    cp assets/systemd/relay.toml assets/systemd/$name.service assets/partyline.logrotate "$made/$folder/"
    cp -R assets/proxy assets/grafana assets/prometheus "$made/$folder/"
    tar -C "$made" --owner=0 --group=0 -czf "$out/$folder.tar.gz" "$folder"
    rm -rf "$made"
}

package
static
not_made "an image" "docker build -f assets/docker/Dockerfile -t $name . makes it, where Docker is"

cd "$out"
set -- *.*
[ -e "$1" ] || { echo "make package: nothing was made" >&2; exit 1; }
sha256sum "$@" >SHA256SUMS
echo "make package: in $out"
ls -l "$@" SHA256SUMS | awk '{ print "  " $NF, int(($5 + 1023) / 1024) " KB" }'
