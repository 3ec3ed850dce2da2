//! Every key of the help, pressed as the help writes it: what it says is what is seen then. A key that nobody has
//! told here fails the story of its group.

mod finds;
#[cfg(target_os = "linux")]
mod hears;
#[cfg(target_os = "linux")]
mod mixes;
mod moves;
#[cfg(target_os = "linux")]
mod past;
mod program;

use partyline::event::Intent;
use partyline::keymap::BINDINGS;

/// The help's headings, a story each.
const GROUPS: [&str; 6] = [
    moves::GROUP,
    "Listen",
    "Back in time",
    "Mix",
    finds::GROUP,
    program::GROUP,
];

/// What a terminal sends for a key that the help writes so.
fn bytes(shown: &str) -> Vec<u8> {
    let mut letters = shown.chars();
    match (shown, letters.next(), letters.next()) {
        ("↑", ..) => b"\x1b[A".to_vec(),
        ("↓", ..) => b"\x1b[B".to_vec(),
        ("→", ..) => b"\x1b[C".to_vec(),
        ("←", ..) => b"\x1b[D".to_vec(),
        ("PgUp", ..) => b"\x1b[5~".to_vec(),
        ("PgDn", ..) => b"\x1b[6~".to_vec(),
        ("Home", ..) => b"\x1b[H".to_vec(),
        ("End", ..) => b"\x1b[F".to_vec(),
        ("Tab", ..) => b"\t".to_vec(),
        ("Shift-Tab", ..) => b"\x1b[Z".to_vec(),
        ("Enter", ..) => b"\r".to_vec(),
        ("Space", ..) => b" ".to_vec(),
        ("Esc", ..) => b"\x1b".to_vec(),
        (_, Some(_), None) => shown.as_bytes().to_vec(),
        _ => match shown.strip_prefix("Ctrl-").map(str::as_bytes) {
            Some([letter @ b'A'..=b'Z']) => vec![letter - b'@'],
            _ => panic!("no terminal has a key {shown:?}"),
        },
    }
}

/// What the keys of a group mean, each key by itself, as the help writes it and as bytes.
fn keys(group: &str) -> impl Iterator<Item = (Intent, &'static str, Vec<u8>)> {
    let bindings = BINDINGS.iter().filter(move |binding| binding.group == group);
    bindings.flat_map(|binding| {
        let all = binding.shown.split(' ');
        all.map(|shown| (binding.intent, shown, bytes(shown)))
    })
}

/// A key of the help that no story tells of.
fn untold(shown: &str) -> ! {
    panic!("nobody has told here what {shown} does")
}

#[test]
fn no_heading_of_the_help_is_without_its_story() {
    for binding in BINDINGS {
        assert!(GROUPS.contains(&binding.group), "{}", binding.group);
    }
    for group in GROUPS {
        assert!(keys(group).count() > 0, "{group}");
    }
}
