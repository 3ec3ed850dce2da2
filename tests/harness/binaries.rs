//! Where the built programs are. Cargo builds no binary of another package for a test, and no example for one test
//! alone, so the first story that needs one has cargo bring all of them up to date, in the same folder and profile
//! as the test itself.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The relay's program.
pub const RELAY: &str = "partyline-relay";
/// The listener's program.
pub const LISTENER: &str = "partyline";

/// The load program and its floor, for Linux only.
pub const BENCH: &str = "examples/bench";

/// The path of a built program.
pub fn path(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER
        .get_or_init(build)
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Builds; gives the folder of the binaries: `target/debug` for a test in `target/debug/deps`.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("a test lies in target/PROFILE/deps");
    let target = profile.parent().expect("a profile lies in target");
    let name = profile.file_name().and_then(|n| n.to_str()).unwrap_or("debug");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(cargo);
    // What cargo says of this package is not true of the ones that it builds: their build scripts (ring's)
    // would see a change, and be run again each time, here and in the next build.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_PRIMARY_"]
            .iter()
            .any(|of_a_package| text.starts_with(of_a_package))
        {
            cargo.env_remove(&name);
        }
    }
    let out = cargo
        .args(["build", "--quiet", "--locked", "--workspace", "--bins"])
        .args(if cfg!(target_os = "linux") {
            &["--example", "bench"][..]
        } else {
            &[]
        })
        .args(["--profile", if name == "debug" { "dev" } else { name }])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .output()
        .expect("cargo can be run");
    assert!(
        out.status.success(),
        "the programs do not build:\n{}",
        String::from_utf8_lossy(&out.stderr)
    );
    profile.to_owned()
}
