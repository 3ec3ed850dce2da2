//! Small files that keep or break each rule: a rule that finds nothing here would find nothing anywhere.

use super::source::Source;
use super::{Fault, File};
use super::{rules, text};

/// The lines of the faults that `rule` finds.
fn lines(rule: fn(&File) -> Vec<Fault>, path: &str, text: &str) -> Vec<usize> {
    let file = File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    rule(&file).iter().map(|fault| fault.line).collect()
}

fn names(text: &str, module: &[&str]) -> Vec<String> {
    Source::read(text)
        .paths(module)
        .iter()
        .map(|named| named.path.join("::"))
        .collect()
}

#[test]
fn paths_are_found_in_uses_and_expressions() {
    let text = "use crate::{calls::{Call, registry::*}, twilio as t};\nuse tokio;\nlet x = crate::api::get::<u8>(a);";
    assert_eq!(
        names(text, &[]),
        [
            "crate::calls::Call",
            "crate::calls::registry::*",
            "crate::twilio",
            "tokio",
            "crate::api::get"
        ]
    );
}

#[test]
fn super_and_self_are_resolved_also_in_inline_modules() {
    let module = ["calls", "call"];
    assert_eq!(
        names("use super::fanout::Fanout;", &module),
        ["crate::calls::fanout::Fanout"]
    );
    assert_eq!(
        names("super::super::listen::Session", &module),
        ["crate::listen::Session"]
    );
    assert_eq!(
        names("use self::inner::X;", &module),
        ["crate::calls::call::inner::X"]
    );
    let text = "mod tests { use super::*; fn f() { super::super::a(); } } use super::b;";
    assert_eq!(
        names(text, &module),
        ["crate::calls::call::*", "crate::calls::a", "crate::calls::b"]
    );
    let captures = "fn f() -> impl Future + use<> { a } fn g() -> impl Fn() + use<T> { crate::b }";
    assert_eq!(names(captures, &module), ["crate::b"]);
}

#[test]
fn comments_strings_and_characters_name_nothing() {
    let text = r####"
// crate::a::b
/* crate::a::b */ let s = "crate::a \" crate::b"; let r = r#"crate::c " crate::d"#; let b = b"crate::e";
let c = '"'; let d = '\''; let e: &'a str = crate::real::thing;
"####;
    assert_eq!(names(text, &[]), ["crate::real::thing"]);
    assert_eq!(Source::read(text).paths(&[])[0].line, 4);
}

#[test]
fn a_door_that_imports_a_door_is_found() {
    let text = "//! Doors.\nuse crate::calls::Call;\nuse crate::{metrics, listen::socket};\n";
    assert_eq!(lines(rules::imports, "relay/src/cable/session.rs", text), [3]);
    assert_eq!(lines(rules::imports, "relay/src/listen/session.rs", text), [0; 0]);
    assert_eq!(lines(rules::imports, "relay/src/route.rs", text), [0; 0]);
    assert_eq!(
        lines(
            rules::imports,
            "relay/src/api.rs",
            "fn f() { super::twilio::x(); }"
        ),
        [1]
    );
}

#[test]
fn calls_that_know_a_door_or_the_whole_are_found() {
    let text = "use crate::access::Grant;\nuse crate::twilio::stream;\nuse crate::serve;\nuse crate::*;";
    assert_eq!(lines(rules::imports, "relay/src/calls/call.rs", text), [2, 3, 4]);
    assert_eq!(
        lines(rules::imports, "relay/src/ops.rs", "use crate::route::Route;"),
        [1]
    );
}

#[test]
fn a_leaf_with_imports_is_found() {
    let text = "use crate::calls::Call;\nuse super::grant;\nuse crate::access::tokens;\nuse std::fs;";
    assert_eq!(lines(rules::imports, "relay/src/access/jwt.rs", text), [1]);
    assert_eq!(
        lines(rules::imports, "relay/src/metrics.rs", "use crate::access::X;"),
        [1]
    );
    assert_eq!(
        lines(rules::imports, "relay/src/broker/redis.rs", "crate::calls::X"),
        [1]
    );
    assert_eq!(
        lines(
            rules::imports,
            "tui/src/client/session.rs",
            "use crate::cli::Cli;"
        ),
        [1]
    );
}

#[test]
fn a_simulator_that_knows_the_relay_is_found() {
    let text = "use crate::twilio::signature::sign;\nuse crate::simulate::script;\nuse crate::twilio::twiml;";
    assert_eq!(lines(rules::imports, "relay/src/simulate/call.rs", text), [3]);
}

#[test]
fn programs_that_know_each_other_are_found() {
    assert_eq!(
        lines(
            rules::imports,
            "relay/src/serve.rs",
            "use partyline::client;\nuse ratatui::Frame;"
        ),
        [1, 2]
    );
    assert_eq!(
        lines(rules::imports, "tui/src/run.rs", "use partyline_relay::serve;"),
        [1]
    );
    assert_eq!(
        lines(rules::imports, "tui/src/main.rs", "partyline::run();"),
        [0; 0]
    );
    assert_eq!(
        lines(
            rules::imports,
            "shared/src/id.rs",
            "use tokio::time;\nstd::fs::read(x);"
        ),
        [1, 2]
    );
    assert_eq!(
        lines(
            rules::imports,
            "tests/harness/relay.rs",
            "use partyline_relay::x;"
        ),
        [0; 0]
    );
    let text =
        "[package]\nname = \"partyline\"\n[dependencies]\nbytes = \"1\"\npartyline-relay.workspace = true\n";
    assert_eq!(lines(rules::manifest, "tui/Cargo.toml", text), [5]);
    assert_eq!(
        lines(
            rules::manifest,
            "relay/Cargo.toml",
            "[dependencies]\npartyline = \"1\"\n"
        ),
        [2]
    );
    assert_eq!(lines(rules::manifest, "tests/Cargo.toml", text), [0; 0]);
}

#[test]
fn a_machine_with_a_clock_is_found() {
    let text = "use std::time::Instant;\nasync fn f() {}\nlet t = Instant::now();\nuse tokio::time;\n\
                #[cfg(test)]\nmod tests { fn t() { Instant::now(); } }\nstd::net::lookup();\nSystemTime::now();";
    let mut found = lines(rules::sans_io, "relay/src/listen/session.rs", text);
    found.sort_unstable();
    assert_eq!(found, [2, 3, 4, 7, 8]);
    assert_eq!(lines(rules::sans_io, "tui/src/audio/jitter.rs", "x.await"), [1]);
    assert_eq!(
        lines(
            rules::sans_io,
            "relay/src/listen/session.rs",
            "use std::net::{IpAddr, UdpSocket};\nstd::net::Ipv4Addr::LOCALHOST;\nuse std::net;"
        ),
        [1, 3]
    );
    assert_eq!(
        lines(rules::sans_io, "tui/src/commands/recorder.rs", "hyper::x()"),
        [1]
    );
    assert_eq!(
        lines(rules::sans_io, "shared/src/time.rs", "SystemTime::now()"),
        [1]
    );
    assert_eq!(lines(rules::sans_io, "relay/src/listen/socket.rs", text), [0; 0]);
    assert_eq!(
        lines(rules::sans_io, "relay/src/simulate/stream.rs", text),
        [0; 0]
    );
}

#[test]
fn a_file_out_of_shape_is_found() {
    let long = |lines: usize| format!("//! Long.\n{}", "\n".repeat(lines - 1));
    assert_eq!(lines(text::shape, "relay/src/a.rs", &long(400)), [0; 0]);
    assert_eq!(lines(text::shape, "relay/src/a.rs", &long(401)), [401]);
    assert_eq!(lines(text::shape, "relay/src/main.rs", "fn main() {}"), [1]);
    assert_eq!(lines(text::shape, "relay/src/calls/mod.rs", "//! Calls."), [1]);
    assert_eq!(lines(text::shape, "README.md", "# Partyline"), [0; 0]);
}

#[test]
fn stubs_skipped_tests_and_unbounded_queues_are_found() {
    let text = concat!(
        "// todo! is a word here\nlet s = \"todo!()\";\ntodo!();\nunimplemented!(\"x\");\n#[ignore = \"slow\"]\n",
        "// FIX",
        "ME: later\nuse tokio::sync::mpsc::unbounded_channel;\nlet t: UnboundedSender<u8>;\nstd::sync::mpsc::channel();\n",
        "tokio::sync::mpsc::channel(8);\n"
    );
    let mut found = lines(text::unfinished, "relay/src/a.rs", text);
    found.sort_unstable();
    assert_eq!(found, [3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_path_of_one_machine_is_found() {
    let text = concat!("fine: /tmp/x and ./work\nsee /wo", "rk/main\ncd /ro", "ot\n");
    assert_eq!(lines(text::machine_paths, "README.md", text), [2, 3]);
}

#[test]
fn a_fault_names_file_line_and_reason() {
    let file = File {
        path: "tui/src/run.rs".to_owned(),
        text: "\nuse partyline_relay::x;".to_owned(),
    };
    let fault = rules::imports(&file).remove(0);
    assert_eq!(
        fault.to_string(),
        "tui/src/run.rs:2: run names partyline_relay::x: a supervisor's program meets the relay over the network only"
    );
}
