//! Every key of the table, every intent by some key, and keys that mean nothing.

use std::collections::HashSet;

use super::*;

fn press(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
    KeyEvent::new(code, modifiers)
}

fn plain(c: char) -> KeyEvent {
    press(KeyCode::Char(c), KeyModifiers::NONE)
}

fn event(key: Key) -> KeyEvent {
    match key {
        Key::Plain(KeyCode::Char(c)) if c.is_uppercase() => press(KeyCode::Char(c), KeyModifiers::SHIFT),
        Key::Plain(code) => press(code, KeyModifiers::NONE),
        Key::Ctrl(c) => press(KeyCode::Char(c), KeyModifiers::CONTROL),
    }
}

#[test]
fn every_key_of_the_help_does_what_it_says_and_no_key_stands_twice() {
    let mut seen = Vec::new();
    for binding in BINDINGS {
        assert!(!binding.help.is_empty() && !binding.shown.is_empty());
        assert_eq!(
            binding.shown.split(' ').count(),
            binding.keys.len(),
            "{}: every key is shown",
            binding.shown
        );
        for &key in binding.keys {
            assert_eq!(
                intent(Mode::Normal, event(key)),
                Some(binding.intent),
                "{}",
                binding.shown
            );
            assert!(!seen.contains(&key), "{key:?}");
            seen.push(key);
        }
    }
}

#[test]
fn every_intent_can_be_reached() {
    let typing = [
        press(KeyCode::Backspace, KeyModifiers::NONE),
        press(KeyCode::Char('u'), KeyModifiers::CONTROL),
        press(KeyCode::Enter, KeyModifiers::NONE),
        press(KeyCode::Esc, KeyModifiers::NONE),
    ];
    let reached: HashSet<Intent> = BINDINGS
        .iter()
        .map(|binding| binding.intent)
        .chain(typing.into_iter().filter_map(|key| intent(Mode::Typing, key)))
        .collect();
    for wanted in crate::event::intents::all() {
        assert!(reached.contains(&wanted), "{wanted:?}");
    }
}

#[test]
fn while_text_is_typed_letters_are_letters() {
    for c in "qjk?/ 0é你".chars() {
        assert_eq!(intent(Mode::Typing, plain(c)), Some(Intent::Type(c)));
    }
    assert_eq!(
        intent(Mode::Typing, press(KeyCode::Char('Q'), KeyModifiers::SHIFT)),
        Some(Intent::Type('Q'))
    );
    assert_eq!(intent(Mode::Typing, event(Key::Ctrl('c'))), Some(Intent::Quit));
    assert_eq!(
        intent(Mode::Typing, press(KeyCode::Tab, KeyModifiers::NONE)),
        None
    );
}

#[test]
fn the_help_is_moved_and_closed_and_hides_all_other_keys() {
    assert_eq!(intent(Mode::Help, plain('j')), Some(Intent::Down));
    assert_eq!(intent(Mode::Help, plain('?')), Some(Intent::Help));
    assert_eq!(intent(Mode::Help, plain('q')), Some(Intent::Cancel));
    assert_eq!(intent(Mode::Help, event(Key::Ctrl('c'))), Some(Intent::Quit));
    assert_eq!(
        intent(Mode::Help, press(KeyCode::Enter, KeyModifiers::NONE)),
        None
    );
}

#[test]
fn the_picker_is_moved_in_chosen_from_and_closed_and_hides_all_other_keys() {
    let means = |key| intent(Mode::Picker, key);
    assert_eq!(means(plain('j')), Some(Intent::Down));
    assert_eq!(means(press(KeyCode::Up, KeyModifiers::NONE)), Some(Intent::Up));
    assert_eq!(
        means(press(KeyCode::Enter, KeyModifiers::NONE)),
        Some(Intent::Accept)
    );
    assert_eq!(
        means(press(KeyCode::Char('D'), KeyModifiers::SHIFT)),
        Some(Intent::Devices)
    );
    for key in [plain('q'), press(KeyCode::Esc, KeyModifiers::NONE)] {
        assert_eq!(means(key), Some(Intent::Cancel));
    }
    assert_eq!(means(event(Key::Ctrl('c'))), Some(Intent::Quit));
    for key in "?s m+1/".chars() {
        assert_eq!(means(plain(key)), None, "{key:?}");
    }
}

#[test]
fn alt_control_characters_and_released_keys_mean_nothing() {
    for c in ('a'..='z').chain("/?+-0 ".chars()) {
        for modifiers in [
            KeyModifiers::ALT,
            KeyModifiers::ALT | KeyModifiers::CONTROL,
            KeyModifiers::SUPER,
        ] {
            for mode in [Mode::Normal, Mode::Typing, Mode::Help, Mode::Picker] {
                assert_eq!(
                    intent(mode, press(KeyCode::Char(c), modifiers)),
                    None,
                    "{c} {modifiers:?}"
                );
            }
        }
    }
    for c in ('\0'..'\u{20}').chain(['\u{7f}', '\u{9b}']) {
        for mode in [Mode::Normal, Mode::Typing, Mode::Help, Mode::Picker] {
            assert_eq!(intent(mode, plain(c)), None, "{c:?}");
        }
    }
    let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
    assert_eq!(intent(Mode::Normal, released), None);
    let held = KeyEvent::new_with_kind(KeyCode::Char('j'), KeyModifiers::NONE, KeyEventKind::Repeat);
    assert_eq!(intent(Mode::Normal, held), Some(Intent::Down));
}

#[test]
fn shift_tab_is_understood_in_both_ways() {
    for key in [
        press(KeyCode::BackTab, KeyModifiers::SHIFT),
        press(KeyCode::Tab, KeyModifiers::SHIFT),
        press(KeyCode::BackTab, KeyModifiers::NONE),
    ] {
        assert_eq!(intent(Mode::Normal, key), Some(Intent::PrevPane));
    }
}
