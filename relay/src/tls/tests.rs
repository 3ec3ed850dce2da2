//! Certificate and key: what is wrong with them is told with its mend, and a wrong pair changes nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use partyline_shared::time::UtcTime;

use super::files::MAX_FILE;
use super::tests_support::{Folder, made, put};
use super::watch::{Ask, Seen};
use super::*;
use crate::metrics::Metrics;

fn at(text: &str) -> UtcTime {
    UtcTime::parse(text).unwrap()
}

fn today() -> UtcTime {
    at("2026-11-22T09:00:00Z")
}

#[test]
fn what_a_certificate_says_of_itself_is_known() {
    let folder = Folder::new();
    folder.write(&made(
        &["calls.example.com", "*.example.org", "127.0.0.1", "::1"],
        2031,
    ));
    let tls = Tls::load(&folder.files(), today()).unwrap();
    assert_eq!(tls.warnings(), [""; 0]);
    let facts = tls.facts();
    assert_eq!(
        facts.names,
        ["calls.example.com", "*.example.org", "127.0.0.1", "::1"]
    );
    assert_eq!(facts.not_before, at("2020-01-01T00:00:00Z"));
    assert_eq!(facts.not_after, at("2031-01-01T00:00:00Z"));
    assert_eq!((facts.chain, facts.issuer.is_empty()), (2, false));
}

#[test]
fn a_file_is_so_large_and_no_larger() {
    let folder = Folder::new();
    let files = folder.files();
    let whole = made(&["calls.example.com"], 2031);
    let padded = |text: &str, bytes: u64| format!("{text}{}", "\n".repeat(bytes as usize - text.len()));
    for (path, text, flag) in [
        (&files.cert, &whole.cert, "--tls-cert"),
        (&files.key, &whole.key, "--tls-key"),
    ] {
        folder.write(&whole);
        put(path, &padded(text, MAX_FILE));
        assert!(Tls::load(&files, today()).is_ok(), "{flag}");
        put(path, &padded(text, MAX_FILE + 1));
        let told = Tls::load(&files, today()).unwrap_err().to_string();
        assert!(told.contains(flag) && told.contains("no file of PEM"), "{told}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_mend() {
    let folder = Folder::new();
    let files = folder.files();
    let right = made(&["calls.example.com"], 2031);
    let other = made(&["calls.example.com"], 2031);
    let leaf = right
        .cert
        .split_inclusive("-----END CERTIFICATE-----\n")
        .next()
        .unwrap();
    let backwards = format!("{}{leaf}", right.authority);
    let half = &right.cert[..leaf.len() / 2];
    let rubbish = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let locked = right.key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let unknown = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    let (cert, key) = (right.cert.as_str(), right.key.as_str());
    for (cert, key, flag, said, mend) in [
        (&*backwards, key, "--tls-cert", "not the server's own", "first"),
        (half, key, "--tls-cert", "", "again"),
        (rubbish, key, "--tls-cert", "cannot be understood", "again"),
        ("", key, "--tls-cert", "no certificate", "BEGIN CERTIFICATE"),
        (key, key, "--tls-cert", "has a key", "--tls-key"),
        (
            cert,
            &*other.key,
            "--tls-key",
            "not the key of the certificate",
            "made for",
        ),
        (cert, &*locked, "--tls-key", "passphrase", "openssl pkey"),
        (cert, cert, "--tls-key", "has a certificate", "--tls-cert"),
        (cert, "", "--tls-key", "no key", "BEGIN PRIVATE KEY"),
        (cert, unknown, "--tls-key", "kind", "P-256"),
    ] {
        put(&files.cert, cert);
        put(&files.key, key);
        let unusable = Tls::load(&files, today()).unwrap_err();
        let text = unusable.to_string();
        let path = if flag == "--tls-cert" {
            &files.cert
        } else {
            &files.key
        };
        assert_eq!((unusable.flag, &unusable.path), (flag, path), "{text}");
        assert!(text.contains(said) && unusable.fix.contains(mend), "{text}");
        assert!(
            text.starts_with(&format!("{flag} {}: ", path.display())),
            "{text}"
        );
    }
    put(&files.cert, cert);
    fs::remove_file(&files.key).unwrap();
    let gone = Tls::load(&files, today()).unwrap_err().to_string();
    assert!(
        gone.contains("cannot be read") && gone.contains("this user can read"),
        "{gone}"
    );
    fs::create_dir(&files.key).unwrap();
    let folder = Tls::load(&files, today()).unwrap_err().to_string();
    assert!(folder.contains("no file of PEM"), "{folder}");
}

#[test]
fn what_clients_would_mind_is_a_warning() {
    let folder = Folder::new();
    let files = folder.files();
    folder.write(&made(&["calls.example.com"], 2026));
    let warned = |now| Tls::load(&files, now).unwrap().warnings().join("\n");
    assert!(
        warned(today()).contains("ended at 2026-01-01"),
        "{}",
        warned(today())
    );
    assert!(warned(at("2019-06-01T00:00:00Z")).contains("not valid before 2020-01-01"));
    assert_eq!(warned(at("2025-06-01T00:00:00Z")), "");
    for (mode, warns) in [(0o644, true), (0o640, false), (0o602, true)] {
        fs::set_permissions(&files.key, Permissions::from_mode(mode)).unwrap();
        let warning = warned(at("2025-06-01T00:00:00Z"));
        assert_eq!(warning.contains("chmod 600"), warns, "{mode:o}: {warning}");
    }
}

#[test]
fn a_wrong_pair_keeps_the_old_one_and_a_right_one_is_taken() {
    let folder = Folder::new();
    let first = made(&["first.example.com"], 2031);
    folder.write(&first);
    let metrics = Arc::<Metrics>::default();
    let server = Server::open(&folder.files(), metrics.clone()).unwrap();
    let second = made(&["second.example.com"], 2032);
    put(&folder.files().cert, &second.cert);
    assert!(server.reload().is_err());
    assert_eq!(server.certificate().names, ["first.example.com"]);
    put(&folder.files().key, &second.key);
    server.reload().unwrap();
    assert_eq!(server.certificate().names, ["second.example.com"]);
    assert_eq!(
        (metrics.tls_reloaded.get(), metrics.tls_not_reloaded.get()),
        (1, 1)
    );
}

#[test]
fn a_pair_that_is_still_being_written_is_waited_for_and_a_wrong_one_told_once() {
    let folder = Folder::new();
    let files = folder.files();
    let mut in_force = files::look(&files);
    let looks = |seen: &mut Seen, in_force| seen.look(files::look(&files), in_force);
    let mut seen = Seen::new(in_force);
    assert_eq!(looks(&mut seen, in_force), Ask::Nothing);
    put(&files.cert, "a");
    assert_eq!(looks(&mut seen, in_force), Ask::Try, "the key may follow");
    put(&files.key, "a");
    assert_eq!(looks(&mut seen, in_force), Ask::Try);
    in_force = files::look(&files);
    assert_eq!(looks(&mut seen, in_force), Ask::Nothing);
    fs::write(&files.key, "half").unwrap();
    assert_eq!(looks(&mut seen, in_force), Ask::Try);
    assert_eq!(looks(&mut seen, in_force), Ask::TryAndTell, "it stood still");
    assert_eq!(looks(&mut seen, in_force), Ask::Nothing, "told once");
    fs::remove_file(&files.key).unwrap();
    assert_eq!(looks(&mut seen, in_force), Ask::Try);
}

/// SIGHUP has the same files read, or others, while they are looked at.
#[test]
fn what_was_read_too_early_does_not_stay_in_force() {
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    folder.write(&made(&["first.example.com"], 2031));
    elsewhere.write(&made(&["elsewhere.example.com"], 2031));
    let server = Server::open(&folder.files(), Arc::<Metrics>::default()).unwrap();
    let first = server.current();
    let mut seen = Seen::new(first.stamps);
    let early = Server::read(&folder.files()).unwrap();
    folder.write(&made(&["second.example.com"], 2031));
    server.look(&mut seen);
    assert_eq!(server.certificate().names, ["second.example.com"]);
    server.apply(early);
    server.look(&mut seen);
    assert_eq!(server.certificate().names, ["second.example.com"]);

    server.apply(Server::read(&elsewhere.files()).unwrap());
    server.apply_in_place_of(&first, Server::read(&folder.files()).unwrap());
    server.look(&mut seen);
    assert_eq!(server.certificate().names, ["elsewhere.example.com"]);
}
