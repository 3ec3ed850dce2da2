//! The systemd unit: systemd reads it as it is meant, finds little that it leaves open, and it goes together with what
//! the relay does by itself and with the files beside it.

use std::process::Command;
use std::time::Duration;

use harness::Scratch;
use partyline_relay::config::{Config, ServeArgs};

use super::{asset, package, told};

/// The most that `systemd-analyze security` may find, in tenths: 17 are left by the network, a port below 1024 and
/// /proc/stat.
const EXPOSURE: &str = "20";

const UNIT: &str = "usr/lib/systemd/system/partyline-relay.service";

/// What a setting of the unit says, the last word counts.
fn setting(unit: &str, name: &str) -> String {
    let lines = unit.lines().rev();
    let mut values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    values
        .next()
        .unwrap_or_else(|| panic!("{name} is not set"))
        .to_owned()
}

#[test]
fn systemd_takes_it_and_finds_little_left_open() {
    let root = &package().root;
    let unit = std::fs::read_to_string(root.join(UNIT)).expect("a unit");
    // Where it was unpacked instead of where it will be installed: systemd looks whether the program is there.
    let program = root.join("usr/bin/partyline-relay");
    let start = "ExecStart=/usr/bin/partyline-relay ";
    assert!(unit.contains(start), "{unit}");
    let unit = unit.replace(start, &format!("ExecStart={} ", program.display()));
    let folder = Scratch::new();
    let path = folder.write("partyline-relay.service", unit);
    let verify = Command::new("systemd-analyze").arg("verify").arg(&path).output();
    let verify = verify.expect("systemd-analyze can be run");
    let said = String::from_utf8_lossy(&verify.stderr);
    // Unknown keys are told and forgiven.
    let ours: Vec<_> = said.lines().filter(|line| line.contains("partyline")).collect();
    assert!(verify.status.success() && ours.is_empty(), "{said}");
    let mut security = Command::new("systemd-analyze");
    security.args([
        "security",
        "--offline=true",
        "--no-pager",
        "--threshold",
        EXPOSURE,
    ]);
    told(security.arg(&path));
}

#[test]
fn it_waits_longer_than_the_relay_drains_and_keeps_to_the_files_that_are_named() {
    let unit = std::fs::read_to_string(asset("systemd/partyline-relay.service")).expect("a unit");
    let minutes = setting(&unit, "TimeoutStopSec");
    let minutes: u64 = minutes
        .strip_suffix("min")
        .and_then(|n| n.parse().ok())
        .expect("minutes");
    let insecure = ServeArgs {
        insecure: Some("true".to_owned()),
        ..ServeArgs::default()
    };
    let no_file = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let config = Config::load(&insecure, &|_| None, &no_file).expect("the defaults");
    let stops = Duration::from_secs(60 * minutes);
    let least = config.drain_timeout + Duration::from_secs(30);
    assert!(stops >= least && stops < least * 2, "{stops:?}");
    assert_eq!(setting(&unit, "Type"), "notify");
    assert_eq!(setting(&unit, "ExecReload"), "/bin/kill -HUP $MAINPID");
    assert_eq!(
        setting(&unit, "ExecStart"),
        "/usr/bin/partyline-relay serve --config /etc/partyline/relay.toml"
    );

    // The folders that it makes are the ones that the other files name.
    let toml = std::fs::read_to_string(asset("systemd/relay.toml")).expect("a configuration");
    let logrotate = std::fs::read_to_string(asset("partyline.logrotate")).expect("a configuration");
    for (folder, begin) in [
        ("ConfigurationDirectory", "/etc/"),
        ("StateDirectory", "/var/lib/"),
        ("LogsDirectory", "/var/log/"),
    ] {
        let place = format!("\"{begin}{}/", setting(&unit, folder));
        assert!(toml.contains(&place), "{place}");
    }
    assert!(
        toml.contains("audit = \"/var/log/partyline/audit.jsonl\""),
        "{toml}"
    );
    assert!(
        logrotate.contains("\n/var/log/partyline/audit.jsonl {\n"),
        "{logrotate}"
    );
    let user = format!("su {} {}", setting(&unit, "User"), setting(&unit, "Group"));
    assert!(logrotate.contains(&user), "{logrotate}");
}

#[test]
fn two_of_them_on_one_machine_are_made_as_the_readme_says() {
    let readme = std::fs::read_to_string(asset("../README.md")).expect("a README");
    let written = readme.replace("\\\n", " ");
    let made = written
        .lines()
        .find_map(|line| line.trim().strip_prefix("# sed "));
    let made = made.expect("a command that makes it");
    let package = &package().root;
    let folder = Scratch::new();
    let unit = folder.file("partyline-relay@.service");
    let made = made
        .replace(
            "/usr/lib/systemd",
            &package.join("usr/lib/systemd").display().to_string(),
        )
        .replace(
            "/etc/systemd/system/partyline-relay@.service",
            &unit.display().to_string(),
        );
    told(Command::new("sh").arg("-c").arg(format!("sed {made}")));
    let text = std::fs::read_to_string(&unit).expect("a unit");
    for (name, value) in [
        (
            "ExecStart",
            "/usr/bin/partyline-relay serve --config /etc/partyline/relay-%i.toml",
        ),
        ("EnvironmentFile", "-/etc/partyline/relay-%i.env"),
        ("StateDirectory", "partyline partyline/%i"),
        ("LogsDirectory", "partyline partyline/%i"),
        ("ConfigurationDirectory", "partyline"),
    ] {
        assert_eq!(setting(&text, name), value);
    }
    let program = package.join("usr/bin/partyline-relay");
    folder.write(
        "partyline-relay@.service",
        text.replace("/usr/bin/partyline-relay", &program.display().to_string()),
    );
    let verify = Command::new("systemd-analyze").arg("verify").arg(&unit).output();
    let verify = verify.expect("systemd-analyze can be run");
    let said = String::from_utf8_lossy(&verify.stderr);
    let ours: Vec<_> = said.lines().filter(|line| line.contains("partyline")).collect();
    assert!(verify.status.success() && ours.is_empty(), "{said}");
}
