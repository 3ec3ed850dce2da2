//! Who comes in, and when another code is shown.

use super::*;

/// More than all turns of a test.
const LONGEST: Duration = Duration::from_secs(60);

fn welcomed(entry: Entry) -> Key {
    match entry {
        Entry::Welcome(key) => key,
        other => panic!("{other:?}"),
    }
}

fn is_taken(entry: &Entry) -> bool {
    matches!(entry, Entry::Taken)
}

fn by_code(door: &mut Door, now: Instant) -> Entry {
    let secret = door.secret(Kind::Code).unwrap();
    door.enter(Kind::Code, &secret, now)
}

#[test]
fn a_code_is_good_once_and_the_key_for_as_long_as_both_run() {
    let (mut door, now) = (Door::new(), Instant::now());
    let (first, secret) = (door.code().clone(), door.secret(Kind::Code).unwrap());
    assert!(door.secret(Kind::Key).is_none());
    let key = welcomed(door.enter(Kind::Code, &secret, now));
    assert!(door.on_thanks(), "the code is used up");
    assert!(!door.on_thanks());
    assert_ne!(door.code(), &first);
    for _ in 0..3 {
        door.on_away(now);
        assert!(matches!(door.enter(Kind::Key, &key, now), Entry::Back));
        assert!(!door.on_thanks());
    }
    door.on_away(now);
    assert!(
        is_taken(&door.enter(Kind::Code, &secret, now + KEPT)),
        "the old code"
    );
}

#[test]
fn a_second_monitor_is_refused_until_the_first_is_gone_for_good() {
    let (mut door, now) = (Door::new(), Instant::now());
    let key = welcomed(by_code(&mut door, now));
    door.on_thanks();
    assert!(is_taken(&by_code(&mut door, now + KEPT)), "it is there");
    door.on_away(now);
    let almost = now + KEPT - Duration::from_millis(1);
    assert!(is_taken(&by_code(&mut door, almost)), "it may come back");
    let other = welcomed(by_code(&mut door, now + KEPT));
    assert!(
        is_taken(&door.enter(Kind::Key, &key, now + KEPT)),
        "it came too late"
    );
    assert!(matches!(door.enter(Kind::Key, &other, now + KEPT), Entry::Back));
    door.on_left();
    assert!(is_taken(&door.enter(Kind::Key, &other, now)));
    welcomed(by_code(&mut door, now));
}

#[test]
fn who_is_cut_off_before_it_has_the_key_comes_again_by_the_code() {
    let (mut door, now) = (Door::new(), Instant::now());
    let code = door.code().clone();
    let key = welcomed(by_code(&mut door, now));
    assert!(is_taken(&by_code(&mut door, now)), "two at once");
    door.on_away(now);
    let again = welcomed(by_code(&mut door, now));
    assert_eq!(door.code(), &code);
    assert!(is_taken(&door.enter(Kind::Key, &key, now)));
    door.on_away(now);
    // It had the key, and its thanks were lost.
    assert!(matches!(door.enter(Kind::Key, &again, now), Entry::Back));
    assert!(door.on_thanks());
    assert_ne!(door.code(), &code);
}

#[test]
fn ten_wrong_codes_in_a_row_make_another_and_one_a_second_is_tried() {
    let (mut door, now) = (Door::new(), Instant::now());
    let code = door.code().clone();
    for n in 0..WRONG_IN_A_ROW {
        assert_eq!(door.turn(Kind::Code, now, LONGEST), Some(BETWEEN_TRIES * n));
        assert_eq!(door.turn(Kind::Key, now, LONGEST), Some(Duration::ZERO));
        assert!(!door.on_wrong(Kind::Key));
        assert_eq!(door.on_wrong(Kind::Code), n + 1 == WRONG_IN_A_ROW);
    }
    assert_ne!(door.code(), &code);
    let later = now + BETWEEN_TRIES * (WRONG_IN_A_ROW + 1);
    assert_eq!(door.turn(Kind::Code, later, LONGEST), Some(Duration::ZERO));
    assert!(!format!("{door:?}").contains(&door.code().shown()));
}

#[test]
fn who_is_turned_away_takes_nobody_s_turn() {
    let (mut door, now) = (Door::new(), Instant::now());
    let longest = BETWEEN_TRIES * 2;
    for n in 0..=2 {
        assert_eq!(door.turn(Kind::Code, now, longest), Some(BETWEEN_TRIES * n));
    }
    for _ in 0..10_000 {
        assert_eq!(door.turn(Kind::Code, now, longest), None);
    }
    assert_eq!(door.turn(Kind::Key, now, longest), Some(Duration::ZERO));
    let later = now + BETWEEN_TRIES * 3;
    assert_eq!(door.turn(Kind::Code, later, longest), Some(Duration::ZERO));
}
