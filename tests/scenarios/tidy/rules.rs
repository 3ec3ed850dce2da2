//! The rules of who knows whom, each a function from a file to its faults. What goes for the text of any file is in
//! `text`.

use super::text::fault;
use super::{Fault, File, Source};

/// Ways into the relay.
const DOORS: [&str; 6] = ["twilio", "listen", "cable", "api", "page", "ops"];

/// Rooms that know the whole relay, and therefore may be known by none of its parts.
const WHOLE: [&str; 7] = ["serve", "route", "cli", "simulate", "admin", "attach", "doctor"];

/// All that serving a session over a socket needs.
const PUMP: &[&str] = &["calls", "clock", "limits", "stop", "ws"];

/// Rooms that import nothing of their crate but themselves and what is listed.
const ONLY: [(&str, &str, &[&str], &str); 16] = [
    (
        "relay",
        "access",
        // Leaves: how often a stranger's doing is told · what a file looks like · one exchange of HTTP.
        &["sparing", "stamp", "fetch"],
        "a right does not depend on what it is a right to: `access` is a leaf",
    ),
    (
        "relay",
        "fetch",
        &[],
        "one exchange of HTTP, whatever it is about: `fetch` is a leaf",
    ),
    (
        "relay",
        "metrics",
        &[],
        "counters are named by all, so they may name nobody: `metrics` is a leaf",
    ),
    (
        "relay",
        "broadcast",
        &[],
        "what is told is one thing, and how it is sent another: `broadcast` is a leaf",
    ),
    (
        "relay",
        "broker",
        // Leaves, and certificates for its tests.
        &[
            "metrics",
            "stop",
            "trust",
            "lock",
            "patience",
            "sparing",
            "tls::tests_support",
        ],
        "`broker` carries topics and bytes and knows no calls",
    ),
    (
        "relay",
        "ws",
        // A connection keeps its place as long as it lives; `lock` is a leaf.
        &["shards", "lock"],
        "`ws` is bytes and frames: what is said in them is the doors'",
    ),
    ("relay", "pump", PUMP, "a session decides, whatever its door is"),
    (
        "relay",
        "simulate",
        // A leaf: whose certificates this machine trusts.
        &["twilio::signature", "trust"],
        "`simulate` speaks to the relay over sockets, so that it tests what Twilio meets",
    ),
    (
        "tui",
        "client",
        // A leaf: what went wrong, and its exit code.
        &["failure"],
        "`client` hands frames and messages on, not knowing who takes them",
    ),
    (
        "tui",
        "event",
        &[],
        "all that can happen, as plain data: `event` is a leaf",
    ),
    (
        "tui",
        "keymap",
        &["event"],
        "a key becomes an intent, whatever the app makes of it",
    ),
    (
        "tui",
        "app",
        &["event"],
        "`app` is data and functions: it knows neither screen, sound nor network",
    ),
    (
        "tui",
        "ui",
        &["app", "event", "keymap"],
        "a view is a function of the app: `run` brings in what the rest of the program knows",
    ),
    (
        "tui",
        "clip",
        // What is written, by whom it is known, and how it is put down.
        &["app", "config", "event", "print", "record"],
        "`clip` writes what it is handed: whether it may be kept is decided elsewhere",
    ),
    (
        "tui",
        "audio",
        &["event"],
        "`audio` is handed frames and looked at; it knows neither network nor screen",
    ),
    (
        "tui",
        "ear",
        &["audio", "event", "failure"],
        "an ear is a player elsewhere: who hears calls, and what is shown of it, is not its business",
    ),
];

/// Crates that a room does without, and the only room that may have one.
const BANNED_IN: [(&str, &str, &[&str], &str); 4] = [
    (
        "tui",
        "app",
        &["ratatui", "crossterm", "cpal", "tokio", "rustix"],
        "`app` is data and functions, tested without any of these",
    ),
    (
        "tui",
        "event",
        &["ratatui", "crossterm", "cpal", "tokio", "rustix"],
        "`event` is plain data",
    ),
    (
        "tui",
        "ui",
        &["cpal", "tokio", "tokio_tungstenite", "rustix"],
        "`ui` draws what it is given",
    ),
    (
        "tui",
        "audio",
        &["ratatui", "crossterm", "tokio", "tokio_tungstenite"],
        "sound runs in threads of its own and waits for nobody",
    ),
];

/// The one file of the monitor that may name the relay: a demo runs both in one process.
const DEMO: &str = "demo";

/// Crates and parts of std that a crate does without.
const FOREIGN: [(&str, &[&str], &str); 3] = [
    (
        "shared",
        &[
            "partyline_relay",
            "partyline",
            "tokio",
            "hyper",
            "tokio_tungstenite",
            "std::net",
            "std::fs",
            "std::thread",
        ],
        "`shared` is what the programs agree on: no I/O, no async, and neither program",
    ),
    (
        "relay",
        &["partyline", "ratatui", "crossterm", "cpal"],
        "the relay runs headless on a server: nothing of the terminal's",
    ),
    (
        "tui",
        &["partyline_relay"],
        "a supervisor's program meets the relay over the network only",
    ),
];

/// Files of these names are machines: bytes and times in, values out.
const MACHINES: [&str; 4] = ["stream", "session", "jitter", "recorder"];

/// The crate, room and module path of `relay/src/twilio/stream.rs`: `relay`, `twilio`, `[twilio, stream]`.
fn place(path: &str) -> Option<(&str, &str, Vec<&str>)> {
    let (krate, inside) = path.strip_suffix(".rs")?.split_once("/src/")?;
    let mut module: Vec<&str> = inside.split('/').collect();
    let room = module[0];
    if matches!(inside, "lib" | "main") {
        module.clear();
    }
    Some((krate, room, module))
}

/// Who may import whom.
pub(super) fn imports(file: &File) -> Vec<Fault> {
    let Some((krate, room, module)) = place(&file.path) else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    for named in Source::read(&file.text).paths(&module) {
        let mut broken = |why: &str| {
            faults.push(fault(
                file,
                named.line,
                format!("{room} names {}: {why}", named.path.join("::")),
            ));
        };
        for (of, names, why) in FOREIGN {
            let demo = (krate, room) == ("tui", DEMO);
            if of == krate && !demo && names.iter().any(|name| named.is_in(name)) {
                broken(why);
            }
        }
        for (of, here, names, why) in BANNED_IN {
            if (of, here) == (krate, room) && names.iter().any(|name| named.is_in(name)) {
                broken(why);
            }
        }
        if named.path[0] != "crate" || named.path.len() < 2 || matches!(room, "lib" | "main") {
            continue;
        }
        if named.path[1] == "*" {
            broken("name the room, so that a reader and this test see which it is");
        }
        for (of, here, others, why) in ONLY {
            let known = named.is_in(&format!("crate::{here}"));
            let allowed = others.iter().any(|other| named.is_in(&format!("crate::{other}")));
            if (of, here) == (krate, room) && !known && !allowed {
                broken(why);
            }
        }
        let target = named.path[1].as_str();
        // A room's tests may look at it from outside.
        if krate != "relay" || target == room || module.contains(&"tests") {
            continue;
        }
        if DOORS.contains(&room) && DOORS.contains(&target) {
            broken("a door never imports a door: what both need is `calls`' or a room of its own");
        }
        if (DOORS.contains(&room) || room == "calls") && WHOLE.contains(&target) {
            broken("a part does not know the whole that it is built into");
        }
        if room == "calls" && DOORS.contains(&target) {
            broken("`calls` knows no door, so that every door can use it");
        }
    }
    faults
}

/// The same, as the manifests say it.
pub(super) fn manifest(file: &File) -> Vec<Fault> {
    let Some(krate) = file.path.strip_suffix("/Cargo.toml") else {
        return Vec::new();
    };
    let mut table = "";
    let mut faults = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        if line.starts_with('[') {
            table = line;
        }
        let name: String = line
            .chars()
            .take_while(|c| c.is_alphanumeric() || "_-".contains(*c))
            .collect();
        let name = name.replace('-', "_");
        for (of, names, why) in FOREIGN {
            // An optional dependency of the monitor's is the demo's; which file names it is looked at there.
            let demo = krate == "tui" && line.contains("optional = true");
            if of == krate && !demo && table.contains("dependencies") && names.contains(&name.as_str()) {
                faults.push(fault(file, at + 1, format!("{krate} depends on {name}: {why}")));
            }
        }
    }
    faults
}

/// No async, no runtime, no clock where time is an argument. Tests of such a file may take the time.
pub(super) fn sans_io(file: &File) -> Vec<Fault> {
    let Some((krate, room, module)) = place(&file.path) else {
        return Vec::new();
    };
    let machine = module.iter().any(|part| MACHINES.contains(part)) && room != "simulate";
    if (krate != "shared" && !machine) || module.contains(&"tests") {
        return Vec::new();
    }
    let source = Source::read(&file.text).without_tests();
    let mut faults = Vec::new();
    let why = "a protocol is a machine without sockets or clocks: time is an argument, bytes are handed in";
    for row in [
        &["async"][..],
        &["await"],
        &["tokio"],
        &["hyper"],
        &["tokio_tungstenite"],
        &["Instant", "::", "now"],
        &["SystemTime", "::", "now"],
    ] {
        for line in source.lines_of(row) {
            faults.push(fault(file, line, format!("{} here: {why}", row.concat())));
        }
    }
    for named in source.paths(&module) {
        // An address is a number that is written with dots; what opens sockets is all else in that room.
        let address = ["IpAddr", "Ipv4Addr", "Ipv6Addr"].iter();
        let address = address
            .map(|name| format!("std::net::{name}"))
            .any(|name| named.is_in(&name));
        let io = ["std::net", "std::fs", "std::thread"];
        if !address && io.iter().any(|io| named.is_in(io)) {
            faults.push(fault(
                file,
                named.line,
                format!("{} here: {why}", named.path.join("::")),
            ));
        }
    }
    faults
}
