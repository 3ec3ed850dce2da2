//! What an operator installs: the package's list and what it says of itself, the unit as systemd reads it, and the image
//! as Docker would. The program in it is the one that the tests run, since a release takes minutes to build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use harness::{Program, Scratch, binaries, wait::SOON};

mod compose;
mod image;
mod unit;

/// A file of `assets`.
fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets").join(name)
}

/// What a command writes; it has to succeed.
fn told(command: &mut Command) -> String {
    let out = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}; tests/install.sh test installs it"));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?}: {said}");
    String::from_utf8(out.stdout).expect("text")
}

/// The package, made once, and the folder that it was unpacked to.
struct Package {
    file: PathBuf,
    root: PathBuf,
    _folder: Scratch,
}

fn package() -> &'static Package {
    static MADE: OnceLock<Package> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Scratch::new();
        let made = told(
            Command::new(asset("deb/make.sh"))
                .arg(binaries::path(binaries::RELAY))
                .arg(folder.file("made"))
                .arg("none"),
        );
        let (file, root) = (PathBuf::from(made.trim()), folder.file("root"));
        told(Command::new("dpkg-deb").arg("-x").arg(&file).arg(&root));
        Package {
            file,
            root,
            _folder: folder,
        }
    })
}

/// A field of the package's control file.
fn field(name: &str) -> String {
    let file = &package().file;
    let value = told(Command::new("dpkg-deb").arg("-f").arg(file).arg(name));
    value.trim().to_owned()
}

#[test]
fn the_package_says_what_it_is_and_what_it_needs() {
    assert_eq!(field("Package"), "partyline-relay");
    assert_eq!(field("Version"), env!("CARGO_PKG_VERSION"));
    let architecture = told(Command::new("dpkg").arg("--print-architecture"));
    assert_eq!(field("Architecture"), architecture.trim());
    // The C library by its version, and `adduser` for postinst.
    let depends = field("Depends");
    assert!(depends.starts_with("libc6 (>= 2."), "{depends}");
    assert!(depends.ends_with(", adduser"), "{depends}");
    let name = package().file.file_name().and_then(|name| name.to_str());
    let named = format!(
        "partyline-relay_{}_{}.deb",
        env!("CARGO_PKG_VERSION"),
        architecture.trim()
    );
    assert_eq!(name, Some(named.as_str()));
}

/// Mode, owner and path of each file that is in it.
fn listed() -> Vec<(String, String, String)> {
    let list = told(Command::new("dpkg-deb").arg("-c").arg(&package().file));
    let entry = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[0].to_owned(), words[1].to_owned(), words[5].to_owned())
    };
    list.lines().map(entry).collect()
}

#[test]
fn every_file_is_where_and_as_it_has_to_be() {
    let listed = listed();
    for (mode, path) in [
        ("-rwxr-xr-x", "./usr/bin/partyline-relay"),
        ("-rw-r--r--", "./usr/lib/systemd/system/partyline-relay.service"),
        ("drwxr-x---", "./etc/partyline/"),
        ("-rw-r-----", "./etc/partyline/relay.toml"),
        ("-rw-r--r--", "./etc/logrotate.d/partyline"),
        ("-rw-r--r--", "./usr/share/doc/partyline-relay/copyright"),
        ("-rw-r--r--", "./usr/share/doc/partyline-relay/README.md"),
        ("-rw-r--r--", "./usr/share/doc/partyline-relay/changelog.gz"),
        (
            "-rw-r--r--",
            "./usr/share/doc/partyline-relay/examples/relay.toml",
        ),
        (
            "-rw-r--r--",
            "./usr/share/doc/partyline-relay/examples/proxy/nginx.conf",
        ),
        (
            "-rw-r--r--",
            "./usr/share/doc/partyline-relay/examples/proxy/haproxy.cfg",
        ),
        (
            "-rw-r--r--",
            "./usr/share/doc/partyline-relay/examples/proxy/haproxy-two-relays.cfg",
        ),
        (
            "-rw-r--r--",
            "./usr/share/doc/partyline-relay/examples/proxy/Caddyfile",
        ),
    ] {
        let found = listed.iter().find(|(_, _, name)| name == path);
        let (is, _, _) = found.unwrap_or_else(|| panic!("{path} is not in it"));
        assert_eq!(is, mode, "{path}");
    }
    for (mode, owner, path) in &listed {
        let superusers = owner.split('/').all(|name| name == "root");
        assert!(superusers, "{owner} {path}");
        let open = mode.as_bytes()[8] == b'w' || mode.contains('s');
        assert!(!open, "{mode} {path}");
    }
    // What an operator changes is left alone by the next version.
    let control = package().root.with_file_name("control");
    told(
        Command::new("dpkg-deb")
            .arg("-e")
            .arg(&package().file)
            .arg(&control),
    );
    let mine = std::fs::read_to_string(control.join("conffiles")).expect("a list");
    let mine: Vec<_> = mine.lines().collect();
    let mut below_etc: Vec<_> = listed
        .iter()
        .filter_map(|(mode, _, path)| path.strip_prefix('.').filter(|_| mode.starts_with('-')))
        .filter(|path| path.starts_with("/etc/"))
        .collect();
    below_etc.sort_by_key(|path| path.contains("logrotate"));
    assert_eq!(mine, below_etc);
    for script in ["postinst", "prerm", "postrm"] {
        told(Command::new("sh").arg("-n").arg(control.join(script)));
    }
}

#[tokio::test]
async fn what_was_unpacked_runs() {
    let program = package().root.join("usr/bin/partyline-relay");
    let version = Program::start(&program, ["--version"], &[]);
    let version = version.finish(SOON).await.expect_code(0);
    assert_eq!(
        version.text(),
        format!("partyline-relay {}\n", env!("CARGO_PKG_VERSION"))
    );

    // As it comes it starts nothing, and says what is to be filled in and no more.
    let etc = package().root.join("etc/partyline");
    let etc = etc.to_str().expect("a path in UTF-8");
    let config = std::fs::read_to_string(format!("{etc}/relay.toml")).expect("a configuration");
    let folder = Scratch::new();
    let place = |name: &str| folder.file(name).display().to_string();
    let here = config
        .replace("/etc/partyline/tokens", &place("tokens"))
        .replace("/var/log/partyline/audit.jsonl", &place("audit.jsonl"))
        .replace("/var/lib/partyline/calls", &place("calls"));
    let serve = |config: &str| {
        let config = folder.write("relay.toml", config).display().to_string();
        Program::start(
            &program,
            ["serve", "--config", &config, "--listen", "127.0.0.1:0"],
            &[],
        )
    };
    folder.write("tokens", "");
    let unfinished = serve(&here).finish(SOON).await.expect_code(2);
    let missing: Vec<_> = unfinished
        .stderr
        .lines()
        .filter_map(|line| line.split_once(" is missing"))
        .map(|(what, _)| what.trim())
        .collect();
    assert_eq!(
        missing,
        ["a Twilio auth token", "--public-url"],
        "{}",
        unfinished.stderr
    );

    let mut filled = here;
    for key in ["public_url", "twilio_account"] {
        let example = format!("# {key} = ");
        assert!(filled.contains(&example), "{filled}");
        filled = filled.replacen(&example, &format!("{key} = "), 1);
    }
    let relay = serve(&filled);
    relay
        .line(SOON, "the relay to accept connections", |line| {
            line.starts_with("listening on ")
        })
        .await;
    relay.signal("TERM");
    relay.finish(SOON).await.expect_code(0);
}
