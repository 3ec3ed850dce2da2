//! What a relay leaves behind, and what the next one makes of it, on real files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use partyline_shared::twilio::callback::Parties;

use super::file::{MAX_ENTRIES, MAX_FILE};
use super::*;
use crate::calls::call::Accepted;
use crate::calls::parties::FromWebhook;
use crate::calls::registry::Settings;
use crate::clock::Now;
use partyline_shared::phone::PhoneNumber;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("partyline-state-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("calls")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn registry() -> Arc<Registry> {
    let settings = Settings {
        retention: Duration::from_secs(60),
        history: Duration::ZERO,
        max_calls: 100,
    };
    Arc::new(Registry::new("n".into(), settings, Arc::default()))
}

fn sid(n: u32) -> CallSid {
    CallSid::parse(&format!("CA{n}")).unwrap()
}

fn rung(registry: &Registry, n: u32) {
    let now = Now::take();
    let from = FromWebhook {
        parties: Parties {
            account_sid: Some("AC1".into()),
            from: PhoneNumber::non_empty("client:alice"),
            to: PhoneNumber::non_empty("+15550100002"),
            direction: Some("inbound".into()),
        },
        customer_id: Some("7".into()),
        dialed: PhoneNumber::non_empty("+15550100002"),
        ..FromWebhook::default()
    };
    registry.open(now, &sid(n)).unwrap().webhook(now, from, None);
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn what_is_in_progress_is_known_to_the_next_relay() {
    let folder = Folder::new("next");
    let (state, registry) = (State::open(Some(folder.file())).unwrap(), registry());
    for n in 1..=3 {
        rung(&registry, n);
        let call = registry.known(&sid(n)).unwrap();
        let stream = Accepted::default();
        call.accept_stream(Now::take(), n, stream);
    }
    registry.known(&sid(1)).unwrap().stream_stopped(Now::take(), 1);
    registry
        .known(&sid(2))
        .unwrap()
        .stream_lost(Now::take(), 2, "gone");
    state.write(&registry);
    let written = text(&folder.file());
    state.write(&registry);
    assert_eq!(written, text(&folder.file()), "nothing has changed");
    let mode = std::fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        !format!("{:?}", state.book).contains("5550100002"),
        "no print shows a number"
    );
    drop(state);

    let next = State::open(Some(folder.file())).unwrap();
    let before = next.before();
    let names: Vec<&CallSid> = before.iter().map(|entry| &entry.call_sid).collect();
    assert_eq!(names, [&sid(2), &sid(3)], "the first one is over");
    let restored = before[0].restored();
    assert_eq!(restored.customer_id.as_deref(), Some("7"));
    assert_eq!(restored.parties.from.unwrap().as_str(), "client:alice");
    assert_eq!(restored.agent, Some(partyline_shared::track::Track::Inbound));
    assert!(restored.heard && restored.ours);
    // What is not looked at yet stays in the file, whatever becomes of this relay.
    next.settled(&sid(2));
    next.write(&self::registry());
    let left = text(&folder.file());
    assert!(left.contains("CA3") && !left.contains("CA2"), "{left}");
}

#[test]
fn a_call_that_is_held_back_is_so_after_a_start_whatever_is_heard_of_it_first() {
    let folder = Folder::new("paused");
    let admin = crate::access::Grant::insecure();
    let (state, registry) = (State::open(Some(folder.file())).unwrap(), registry());
    for n in 1..=4 {
        rung(&registry, n);
        let call = registry.known(&sid(n)).unwrap();
        call.accept_stream(Now::take(), n, Accepted::default());
        if n > 1 {
            call.pause(Now::take(), &admin).unwrap();
        }
        if n > 2 {
            call.stream_stopped(Now::take(), n);
        }
    }
    registry.erase(Now::take(), &sid(4));
    state.write(&registry);
    let written = text(&folder.file());
    let over = written.lines().find(|line| line.contains("CA3")).unwrap();
    assert!(
        !over.contains("5550100002"),
        "nothing but that is kept of it: {over}"
    );
    assert!(!written.contains(r#""call_sid":"CA4""#), "erased");
    drop(state);

    let next = State::open(Some(folder.file())).unwrap();
    assert_eq!(next.before().len(), 2, "the others are over");
    assert_eq!(next.paused(), [sid(2), sid(3)]);
    let registry = self::registry();
    registry.keep_paused(next.paused());
    for n in 1..=3 {
        rung(&registry, n);
    }
    let paused = |n| registry.known(&sid(n)).unwrap().view().paused;
    assert_eq!([1, 2, 3].map(paused), [false, true, true]);
    // From here on it is as the calls themselves say.
    registry
        .known(&sid(3))
        .unwrap()
        .resume(Now::take(), &admin)
        .unwrap();
    next.write(&registry);
    drop(next);
    assert_eq!(State::open(Some(folder.file())).unwrap().paused(), [sid(2)]);

    // A day later nothing comes back.
    let old = over.replace("\"ended_at\":\"20", "\"ended_at\":\"19");
    std::fs::write(folder.file(), format!("partyline state 1\n{old}\n")).unwrap();
    assert_eq!(State::open(Some(folder.file())).unwrap().paused(), []);
}

#[test]
fn a_call_that_was_erased_stays_so_after_a_start_for_a_day() {
    let folder = Folder::new("erased");
    let (state, registry) = (State::open(Some(folder.file())).unwrap(), registry());
    rung(&registry, 1);
    rung(&registry, 2);
    state.write(&registry);
    registry.erase(Now::take(), &sid(1));
    state.write(&registry);
    let written = text(&folder.file());
    let line = written.lines().find(|line| line.contains("CA1")).unwrap();
    assert!(
        !line.contains("+1") && line.contains("erased_at"),
        "its name alone: {line}"
    );
    drop(state);

    let next = State::open(Some(folder.file())).unwrap();
    assert_eq!(next.before().len(), 1);
    let registry = self::registry();
    registry.keep_erased(Now::take(), next.erased());
    assert!(
        registry.open(Now::take(), &sid(1)).is_err(),
        "what is late does not make it anew"
    );
    assert!(registry.open(Now::take(), &sid(2)).is_ok());
    // Also where another one is erased then.
    registry.erase(Now::take(), &sid(2));
    next.write(&registry);
    drop(next);
    let third = State::open(Some(folder.file())).unwrap();
    let names: Vec<CallSid> = third.erased().into_iter().map(|(sid, _)| sid).collect();
    assert_eq!(names, [sid(1), sid(2)]);
    drop(third);

    let old = line.replace("\"erased_at\":\"20", "\"erased_at\":\"19");
    std::fs::write(folder.file(), format!("partyline state 1\n{old}\n")).unwrap();
    assert_eq!(State::open(Some(folder.file())).unwrap().erased(), []);
}

#[test]
fn so_many_calls_are_read_of_a_file_so_large() {
    let folder = Folder::new("most");
    let (state, registry) = (State::open(Some(folder.file())).unwrap(), registry());
    rung(&registry, 1);
    state.write(&registry);
    drop(state);
    let written = text(&folder.file());
    let (head, entry) = written.split_once('\n').unwrap();
    let calls = |count: usize| {
        let named = |n| entry.replace("\"CA1\"", &format!("\"CA{n}\""));
        let text = format!("{head}\n{}", (0..count).map(named).collect::<String>());
        std::fs::write(folder.file(), text).unwrap();
        State::open(Some(folder.file())).unwrap().before().len()
    };
    assert_eq!(calls(MAX_ENTRIES), MAX_ENTRIES);
    assert_eq!(calls(MAX_ENTRIES + 1), MAX_ENTRIES, "one is left out");
    let sized = |bytes: u64| {
        std::fs::write(folder.file(), &written).unwrap();
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(folder.file())
            .unwrap();
        file.set_len(bytes).unwrap();
        look(&folder.file())
    };
    assert!(sized(MAX_FILE).is_ok());
    assert!(sized(MAX_FILE + 1).unwrap_err().is_configuration());
}

#[test]
fn what_is_no_state_is_left_alone_and_a_broken_line_costs_one_call() {
    let folder = Folder::new("broken");
    let open = || State::open(Some(folder.file()));
    for (content, says) in [
        ("[relay]\nlisten = 1\n", "is no state file"),
        ("partyline state 2\n{}\n", "later version"),
        ("q", "is no state file"),
    ] {
        std::fs::write(folder.file(), content).unwrap();
        let failed = open().unwrap_err();
        assert!(
            failed.to_string().contains(says) && failed.is_configuration(),
            "{failed}"
        );
        assert_eq!(text(&folder.file()), content);
    }
    std::fs::write(folder.file(), "").unwrap();
    assert!(open().unwrap().before().is_empty());
    let seen = folder.0.join("calls.seen");
    std::fs::write(&seen, "a letter").unwrap();
    let failed = open().unwrap_err();
    assert!(
        failed
            .to_string()
            .ends_with("remove FILE.seen, or name another file")
            && failed.is_configuration(),
        "{failed}"
    );
    std::fs::remove_file(seen).unwrap();
    let line = r#"{"call_sid":"CA1","roles":{"inbound":"customer","outbound":"agent"},"stream":"live"}"#;
    std::fs::write(
        folder.file(),
        format!("partyline state 1\n{{\"call_sid\n{line}\n\0\0"),
    )
    .unwrap();
    let before = open().unwrap().before();
    assert_eq!(before.len(), 1);
    std::fs::remove_file(folder.file()).unwrap();
    std::fs::create_dir(folder.file()).unwrap();
    assert!(open().unwrap_err().is_configuration());
}

/// A file system that lost the end of a file may cost calls, and never the start.
#[test]
fn wherever_it_is_cut_off_the_relay_starts() {
    let folder = Folder::new("cut");
    let line = r#"{"call_sid":"CA1","roles":{"inbound":"customer","outbound":"agent"},"stream":"live"}"#;
    let whole = format!("partyline state 1\n{line}\n{}\n", line.replace("CA1", "CA2"));
    let (seen, header) = (folder.0.join("calls.seen"), "partyline seen 1\n");
    for length in 0..=whole.len() {
        std::fs::write(folder.file(), &whole[..length]).unwrap();
        std::fs::write(&seen, &header[..length.min(header.len())]).unwrap();
        let state =
            State::open(Some(folder.file())).unwrap_or_else(|failed| panic!("{length} bytes: {failed}"));
        let calls = whole[..length].matches("live\"}").count();
        assert_eq!(state.before().len(), calls, "{length} bytes");
    }
}

#[test]
fn two_relays_do_not_share_one() {
    let folder = Folder::new("shared");
    let first = State::open(Some(folder.file())).unwrap();
    let second = State::open(Some(folder.file())).unwrap_err();
    assert!(second.to_string().contains("another relay uses it"), "{second}");
    drop(first);
    State::open(Some(folder.file())).unwrap();
}

#[test]
fn a_disk_that_does_not_take_it_is_told_and_tried_again() {
    let folder = Folder::new("full");
    let (state, registry) = (State::open(Some(folder.file())).unwrap(), registry());
    rung(&registry, 1);
    // Something that no file can replace, as good as a full disk.
    let new = folder.0.join("calls.new");
    std::fs::create_dir(&new).unwrap();
    state.write(&registry);
    state.write(&registry);
    assert_eq!(registry.metrics().state_failures.get(), 2);
    assert!(!text(&folder.file()).contains("CA1"));
    std::fs::remove_dir(&new).unwrap();
    state.write(&registry);
    assert!(text(&folder.file()).contains("CA1"));
    let nowhere = State::open(Some(folder.0.join("none").join("calls"))).unwrap_err();
    assert!(
        !nowhere.is_configuration() && nowhere.to_string().contains("folder"),
        "{nowhere}"
    );
}

#[test]
fn more_changes_than_are_taken_at_once_are_all_taken() {
    let folder = Folder::new("many");
    let (state, registry) = (State::open(Some(folder.file())).unwrap(), registry());
    let many = 100;
    for _ in 0..5 {
        (0..many).for_each(|n| rung(&registry, n));
    }
    state.write(&registry);
    assert_eq!(text(&folder.file()).lines().count(), 1 + many as usize);
}
