#!/bin/sh
# Packs a built relay for Debian and Ubuntu: make.sh BINARY FOLDER [COMPRESSION]. Prints the package's path. Needs
# dpkg-deb and binutils, and no right. COMPRESSION is dpkg-deb's, xz without.
set -eu
binary=$1
out=$2
compression=${3:-xz}

here=$(cd "$(dirname "$0")" && pwd)
assets=$(dirname "$here")
source=$(dirname "$assets")
name=partyline-relay
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/Cargo.toml" | head -n 1)
architecture=$(dpkg --print-architecture)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022
chmod 755 "$root"
put() { # mode, file, place in the package
    install -D -m "$1" "$2" "$root/$3"
}

put 755 "$binary" usr/bin/$name
strip "$root/usr/bin/$name"
put 644 "$assets/systemd/$name.service" usr/lib/systemd/system/$name.service
# What is in it is for the relay's user, whom there is not before the package is unpacked.
install -d -m 750 "$root/etc/partyline"
put 640 "$assets/systemd/relay.toml" etc/partyline/relay.toml
put 644 "$assets/partyline.logrotate" etc/logrotate.d/partyline

doc=usr/share/doc/$name
put 644 "$source/LICENSE" $doc/copyright
put 644 "$source/README.md" $doc/README.md
gzip -9n <"$source/CHANGELOG.md" >"$root/$doc/changelog.gz"
put 644 "$assets/relay.toml" $doc/examples/relay.toml
for folder in proxy grafana prometheus; do
    [ ! -d "$assets/$folder" ] || cp -R "$assets/$folder" "$root/$doc/examples/"
done
find "$root/$doc/examples" -type f -exec chmod 644 {} +

# A static program needs nothing of the system's; another one the C library whose symbols it names, or a later one.
glibc=$(objdump -T "$root/usr/bin/$name" 2>/dev/null | grep -o 'GLIBC_2[.][0-9.]*' | sort -Vu | tail -n 1)
depends=adduser
[ -z "$glibc" ] || depends="libc6 (>= ${glibc#GLIBC_}), libgcc-s1, $depends"

install -d "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<CONTROL
Package: $name
Version: $version
Architecture: $architecture
Maintainer: Partyline <partyline@example.com>
Installed-Size: $(du -sk --exclude DEBIAN "$root" | cut -f 1)
Depends: $depends
Recommends: ca-certificates, logrotate, procps
Suggests: nginx | haproxy | caddy
Section: comm
Priority: optional
Homepage: $(sed -n 's/^repository = "\(.*\)"/\1/p' "$source/Cargo.toml")
Description: relay of Twilio's calls to supervisors who listen
 Takes a company's calls from Twilio, with their audio and their transcript, and
 hands them to whoever may listen: the terminal monitor partyline, browsers and
 scripts. Keeps a record of who heard what.
CONTROL
printf '%s\n' /etc/partyline/relay.toml /etc/logrotate.d/partyline >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do
    install -m 755 "$here/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find etc usr -type f -exec md5sum {} + | sort -k 2) >"$root/DEBIAN/md5sums"

mkdir -p "$out"
package=$out/${name}_${version}_$architecture.deb
dpkg-deb --root-owner-group "-Z$compression" --build "$root" "$package" >/dev/null
echo "$package"
