//! Files that somebody changed: the first line that is not as it was written is named.

use proptest::prelude::*;

use super::*;
use crate::audit::chain::{Link, add_line};
use crate::audit::verify::{Checker, Why};

/// An audit of `count` lines, as a relay writes it, and where its chain stands.
fn written(count: usize) -> (Vec<Vec<u8>>, Link) {
    let started = Entry::new(begin(0).at, Event::Started).because("a new chain");
    let mut link = Link::START;
    let mut lines = Vec::new();
    for n in 0..count {
        let mut line = Vec::new();
        let entry = if n == 0 { started.clone() } else { begin(n) };
        link = add_line(link, "n1", &entry, &mut line);
        lines.push(line);
    }
    (lines, link)
}

/// The place of the first bad line, from 0, and why, as `verify` goes through a file that has a head.
fn first_bad(text: &[u8], head: Link) -> Option<(usize, Why)> {
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    std::fs::write(&path, text).unwrap();
    std::fs::write(
        super::super::head::path_of(&path),
        format!("{:020} {}\n", head.seq, head.hash),
    )
    .unwrap();
    match super::super::verify(&[path]) {
        Ok(_) => None,
        Err(super::super::verify::Failed::Bad(bad)) => Some((bad.line as usize - 1, bad.why)),
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_one_altered_byte_is_found_in_its_line(
        count in 1usize..12, place: prop::sample::Index, other in 1u8..=255,
    ) {
        let (lines, head) = written(count);
        let mut text = lines.concat();
        let at = place.index(text.len());
        let line = text[..at].iter().filter(|byte| **byte == b'\n').count();
        text[at] ^= other;
        let found = first_bad(&text, head);
        prop_assert_eq!(found.map(|(line, _)| line), Some(line));
    }

    #[test]
    fn any_removed_line_is_found_where_it_was(count in 1usize..12, place: prop::sample::Index) {
        let (mut lines, head) = written(count);
        let gone = place.index(count);
        lines.remove(gone);
        let found = first_bad(&lines.concat(), head);
        prop_assert_eq!(found.map(|(line, _)| line), Some(gone));
    }

    #[test]
    fn any_two_swapped_lines_are_found_at_the_first(
        count in 2usize..12, one: prop::sample::Index, other: prop::sample::Index,
    ) {
        let (mut lines, head) = written(count);
        let (one, other) = (one.index(count), other.index(count));
        prop_assume!(one != other);
        lines.swap(one, other);
        let found = first_bad(&lines.concat(), head);
        prop_assert_eq!(found.map(|(line, _)| line), Some(one.min(other)));
    }

    #[test]
    fn any_line_put_in_or_doubled_is_found(count in 1usize..12, from: prop::sample::Index, to: prop::sample::Index) {
        let (mut lines, head) = written(count);
        let (from, to) = (from.index(count), to.index(count + 1));
        lines.insert(to, lines[from].clone());
        // One beside its like is the second of the two.
        let at = if to == from { to + 1 } else { to };
        prop_assert_eq!(first_bad(&lines.concat(), head).map(|(line, _)| line), Some(at));
    }

    #[test]
    fn no_bytes_can_crash_the_checker(bytes: Vec<u8>) {
        let mut checker = Checker::default();
        checker.begin_file(None);
        prop_assert!(checker.line(&bytes).is_err());
    }
}

#[test]
fn a_file_as_it_was_written_is_sound_also_where_its_head_lags() {
    let (lines, head) = written(9);
    assert_eq!(first_bad(&lines.concat(), head), None);
    let (_, behind) = written(8);
    assert_eq!(first_bad(&lines.concat(), behind), None);
}

#[test]
fn a_line_rewritten_with_a_hash_of_its_own_is_missed_by_the_next() {
    let (mut lines, head) = written(5);
    let before = written(3).1;
    lines[3].clear();
    add_line(before, "n1", &begin(77), &mut lines[3]);
    assert_eq!(first_bad(&lines.concat(), head), Some((4, Why::Unlinked)));
    // And the last one by the head.
    lines.truncate(4);
    assert_eq!(first_bad(&lines.concat(), written(4).1), Some((3, Why::Replaced)));
}

#[test]
fn a_file_that_lost_its_first_lines_is_told_by_what_it_begins_with() {
    let (lines, head) = written(5);
    for gone in 1..5 {
        assert_eq!(
            first_bad(&lines[gone..].concat(), head),
            Some((0, Why::Beginning))
        );
    }
    assert_eq!(first_bad(b"", head), Some((0, Why::Ending(5))));
}

#[test]
fn a_torn_end_is_taken_only_where_the_head_has_no_more() {
    let (lines, head) = written(5);
    let whole = lines.concat();
    let torn = &whole[..whole.len() - 9];
    assert_eq!(first_bad(torn, head), Some((4, Why::Torn)));
    assert_eq!(first_bad(torn, written(4).1), None);
}
