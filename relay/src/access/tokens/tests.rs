//! The file's text: what is read, what is told, and that a change leaves all else as it was.

use proptest::prelude::*;

use super::edit::{NotEdited, with, without};
use super::*;

const HASH_TEXT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn token(name: &str) -> Token {
    Made::draw(name, Role::User, UtcTime::from_unix_ms(1_795_338_000_007))
        .unwrap()
        .token
}

/// The faults of a text, a line each.
fn told(text: &str) -> String {
    match text::read(text) {
        Ok(_) => String::new(),
        Err(faults) => faults.iter().map(|fault| format!("{fault}\n")).collect(),
    }
}

#[test]
fn a_file_is_read_as_people_read_it() {
    let text = format!(
        "# ours\n[[token]]\nid = \"k3f9\"\nname = \"Zoë O'Neil\"\nrole = \"user\"\ncustomers = [\"12345\", \"7\"]\n\
         allow = [\"save\"]\nexpires = 2027-01-31T09:00:00Z\nin_url = true\nsha256 = \"{HASH_TEXT}\"\n"
    );
    let tokens = text::read(&text).unwrap();
    let [token] = tokens.as_slice() else {
        panic!("one token")
    };
    assert_eq!(
        (token.id.as_str(), token.name.as_str(), token.role),
        ("k3f9", "Zoë O'Neil", Role::User)
    );
    assert_eq!(
        (token.customers.join(" "), token.allow.clone()),
        ("12345 7".to_owned(), vec![Right::Save])
    );
    assert_eq!(token.expires.unwrap().to_string(), "2027-01-31T09:00:00.000Z");
    assert!(token.in_url && token.created.is_none());
    assert_eq!(token.hash[..3], [0x00, 0x11, 0x22]);
    assert!(token.is_over(token.expires.unwrap()) && !token.is_over(UtcTime::from_unix_ms(0)));
    assert_eq!(text::read("").unwrap(), []);
    assert_eq!(text::read("# nobody\n").unwrap(), []);
}

#[test]
fn all_faults_are_told_at_once_with_their_lines() {
    let text = format!(
        "[[token]]\nid = \"a\"\nname = \"alice\"\nrol = \"user\"\nsha256 = \"{HASH_TEXT}\"\n\n\
         [[token]]\nid = \"a\"\nname = \"two  spaces\"\nrole = \"root\"\nallow = \"save\"\nexpires = \"soon\"\n\
         in_url = 1\ncustomers = [7]\nsha256 = \"12\"\n[[tokens]]\nid = \"b\"\n"
    );
    let told = told(&text);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines[0],
        "line 1: this token has no `role`; write role = \"admin\", \"user\", \"source\" or \"transcriber\""
    );
    assert_eq!(
        lines[1],
        "line 4: there is no key `rol`; the nearest one is `role`"
    );
    let at: Vec<&str> = lines[2..]
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(
        at,
        ["9:", "10:", "11:", "12:", "13:", "14:", "15:", "16:"],
        "{told}"
    );
    assert!(
        lines[9].ends_with("there is no key `tokens`; the nearest one is `token`"),
        "{told}"
    );
}

#[test]
fn two_of_one_id_or_one_hash_are_told() {
    let one = format!("[[token]]\nid = \"a\"\nname = \"alice\"\nrole = \"user\"\nsha256 = \"{HASH_TEXT}\"\n");
    let told = told(&format!("{one}{one}"));
    assert!(
        told.contains("line 6: this token has the same `id` as the one on line 1"),
        "{told}"
    );
    assert!(
        told.contains("line 6: this token has the same `sha256` as the one on line 1"),
        "{told}"
    );
}

#[test]
fn a_pasted_token_is_not_shown_again() {
    let secret = format!("pl_{}", "Canary7".repeat(7));
    for text in [
        format!("token = \"{secret}\""),
        format!("{secret} = 1"),
        format!("\"{secret}\" = \"x\""),
        secret.clone(),
        format!(
            "[[token]]\nid = \"{secret}\"\nname = \"{secret}!\"\nrole = \"{secret}\"\nsha256 = \"{secret}\""
        ),
        format!("[[token]]\n{secret} = 1"),
        format!("[[token]]\nid = \"a\n{secret}\""),
    ] {
        let told = told(&text);
        assert!(!told.is_empty() && !told.contains("Canary7"), "{told}");
    }
}

#[test]
fn what_people_wrote_around_a_token_stays() {
    let (one, two) = (token("one"), token("two"));
    let text = with("", &one).unwrap();
    assert!(text.starts_with("# Who may listen"), "{text}");
    let text = format!("# ours\n{text}\n# the second one\n");
    let text = with(&text, &two).unwrap();
    let text = format!("{text}# the end\n");
    let (left, gone) = without(&text, |token| token.name == "one").unwrap();
    assert_eq!(gone, [one]);
    for kept in [
        "# ours\n",
        "# Who may listen",
        "# the second one\n",
        "# the end\n",
    ] {
        assert!(left.contains(kept), "{kept} is gone from\n{left}");
    }
    let (left, gone) = without(&left, |token| token.name == "two").unwrap();
    assert_eq!((gone, text::read(&left).unwrap()), (vec![two], Vec::new()));
    assert!(left.contains("# the end\n"));
    assert_eq!(without(&left, |_| true).unwrap(), (left.clone(), Vec::new()));
}

#[test]
fn a_file_with_faults_or_of_another_form_is_not_changed() {
    assert!(matches!(
        with("[[token]]\n", &token("a")),
        Err(NotEdited::Faults(_))
    ));
    let inline =
        format!("token = [{{ id = \"a\", name = \"a\", role = \"user\", sha256 = \"{HASH_TEXT}\" }}]\n");
    assert_eq!(text::read(&inline).unwrap().len(), 1);
    assert_eq!(with(&inline, &token("b")), Err(NotEdited::Form));
    assert_eq!(without(&inline, |_| true), Err(NotEdited::Form));
    // The same id or hash again is refused rather than written.
    let known = token("a");
    let text = with("", &known).unwrap();
    assert_eq!(with(&text, &known), Err(NotEdited::Form));
}

#[test]
fn names_fit_a_line_of_a_record() {
    for good in ["alice", "Zoë", "a.b-c_d@e+f'g h", "名前", &"a".repeat(64)] {
        assert!(is_name(good), "{good}");
    }
    for bad in [
        "",
        " a",
        "a ",
        "a  b",
        "a\nb",
        "a\u{202e}b",
        "a\tb",
        "a\"b",
        "a\\b",
        &"a".repeat(65),
    ] {
        assert!(!is_name(bad), "{bad:?}");
    }
    assert!(
        is_customer(&"ä".repeat(500)) && !is_customer(&"ä".repeat(501)),
        "as much as a parameter of Twilio's holds"
    );
    assert!(
        is_customer("12 \"3\" \\ ä") && !is_customer("") && !is_customer("a\nb") && !is_customer("\u{7f}")
    );
}

fn any_token() -> impl Strategy<Value = Token> {
    let list = prop::collection::vec("[^\\p{Cc}]{1,12}", 0..4);
    let time = prop::option::of((0..4_000_000_000_000i64).prop_map(UtcTime::from_unix_ms));
    ("[a-z]{1,9}", 0..4usize, list, any::<(bool, bool, bool)>(), time).prop_map(
        |(name, role, customers, (save, pause, in_url), expires)| {
            let mut token = token(&name);
            token.role = Role::ALL[role];
            token.customers = customers;
            token.allow.extend(save.then_some(Right::Save));
            token.allow.extend(pause.then_some(Right::Pause));
            token.in_url = in_url;
            token.expires = expires;
            token
        },
    )
}

proptest! {
    #[test]
    fn any_adds_and_removes_come_to_what_a_list_says(
        steps in prop::collection::vec((any_token(), any::<Option<prop::sample::Index>>()), 0..12),
        comment in "(\n|# \\[\\[token\\]\\] [a-z]{0,5}\n|){0,3}",
    ) {
        let mut text = comment.clone();
        let mut listed: Vec<Token> = Vec::new();
        for (token, remove) in steps {
            match remove.filter(|_| !listed.is_empty()) {
                None => {
                    text = with(&text, &token).unwrap() + &comment;
                    listed.push(token);
                }
                Some(index) => {
                    let meant = listed.remove(index.index(listed.len()));
                    let (left, gone) = without(&text, |token| token.id == meant.id).unwrap();
                    prop_assert_eq!(gone, vec![meant]);
                    text = left;
                }
            }
            prop_assert_eq!(&text::read(&text).unwrap(), &listed);
        }
    }

    #[test]
    fn no_text_can_crash_the_reader(
        text in "\\PC*|(\\[\\[token\\]\\]\n|[a-z_0-9]{1,9} ?= ?[\"\\[\\]{}0-9a-z,:TZ-]{0,24}\n?){0,6}",
    ) {
        let read = text::read(&text);
        let _ = without(&text, |_| true);
        prop_assert_eq!(with(&text, &token("a")).is_err() && read.is_ok(), false);
    }
}
