//! Where and with what it was measured. What cannot be found out is said to be unknown.

use std::path::Path;
use std::process::Command;

/// For the report: what, and which.
pub(crate) struct Machine(pub(crate) Vec<(&'static str, String)>);

impl Machine {
    /// Looks before anything runs, so that the load is that of others. `node` is the folder of the Node relay,
    /// `redis` the program, where it is used.
    pub(crate) fn look(relay: &Path, node: Option<&Path>, redis: Option<&str>) -> Machine {
        let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let load = file("/proc/loadavg");
        let load: Vec<&str> = load.split(' ').take(3).collect();
        let memory = field(&file("/proc/meminfo"), "MemTotal")
            .and_then(|kb| kb.split(' ').next()?.parse::<f64>().ok());
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let mut facts = vec![
            ("date", said("date", &["-u", "+%Y-%m-%d"])),
            ("processor", known(field(&file("/proc/cpuinfo"), "model name"))),
            ("cores", cores.to_string()),
            (
                "memory",
                known(memory.map(|kb| format!("{:.1} GiB", kb / 1_048_576.0))),
            ),
            (
                "kernel",
                known(nonempty(file("/proc/sys/kernel/osrelease").trim())),
            ),
            ("load before", known(nonempty(&load.join(" ")))),
            ("relay", version(relay)),
            ("rustc", said("rustc", &["--version"])),
        ];
        if let Some(redis) = redis {
            facts.push(("redis-server", said(redis, &["--version"])));
        }
        if let Some(folder) = node {
            let package = std::fs::read(folder.join("node_modules/ws/package.json")).unwrap_or_default();
            let package: serde_json::Value = serde_json::from_slice(&package).unwrap_or_default();
            facts.push(("node", said("node", &["--version"])));
            facts.push(("ws", known(package["version"].as_str().map(str::to_owned))));
        }
        Machine(facts)
    }
}

/// Its version, and the commit where this is a clone.
fn version(relay: &Path) -> String {
    let version = said(&relay.to_string_lossy(), &["--version"]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    match said(
        "git",
        &["-C", folder, "describe", "--always", "--dirty", "--exclude", "*"],
    )
    .as_str()
    {
        UNKNOWN => version,
        commit => format!("{version} ({commit})"),
    }
}

const UNKNOWN: &str = "unknown";

fn known(fact: Option<String>) -> String {
    fact.unwrap_or_else(|| UNKNOWN.to_owned())
}

fn nonempty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The first line that a program prints.
fn said(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output().ok();
    let out = out.filter(|out| out.status.success());
    known(out.and_then(|out| nonempty(String::from_utf8_lossy(&out.stdout).lines().next()?.trim())))
}

/// A field of /proc's `name : value` files.
fn field(text: &str, name: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(field, _)| field.trim() == name)?;
    nonempty(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_names() {
        let text = "model\t\t: 25\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Some CPU @ 2 GHz"));
        assert_eq!(field(text, "flags"), None);
    }

    #[test]
    fn who_cannot_be_asked_is_unknown() {
        assert_eq!(said("no-such-program-of-ours", &[]), UNKNOWN);
        assert_eq!(said("false", &[]), UNKNOWN);
    }
}
