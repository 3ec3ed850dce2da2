//! Files as people write them.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<File, String> {
    File::read(PathBuf::from("config.toml"), text).map_err(|failure| failure.to_string())
}

#[test]
fn values_come_with_their_lines() {
    let file = read(
        "device = \"USB\"\ntheme = \"light\"\n\nglyphs = \"ascii\"\nplain = true\nread_only = false\n\
         [[relay]]\nname = \"home\"\nurl = \"https://home.example.com\"\ntoken_file = \"home.token\"\n\
         [[relay]]\nname = \"test\"\nurl = \"http://127.0.0.1:9\"\n",
    )
    .unwrap();
    assert_eq!(file.device, Some(("USB".to_owned(), 1)));
    assert_eq!(file.theme, Some((ThemeChoice::Light, 2)));
    assert_eq!(file.glyphs, Some((Glyphs::Ascii, 4)));
    assert_eq!((file.plain, file.read_only), (Some((true, 5)), Some((false, 6))));
    let relays: Vec<_> = file
        .relays
        .iter()
        .map(|entry| (entry.line, entry.name.as_str(), entry.relay.to_string()))
        .collect();
    assert_eq!(
        relays,
        [
            (7, "home", "https://home.example.com".to_owned()),
            (11, "test", "http://127.0.0.1:9".to_owned())
        ]
    );
    assert_eq!(file.relays[0].token_file, Some(PathBuf::from("home.token")));
}

#[test]
fn what_goes_to_which_ear_may_stand_there() {
    for (text, ears) in [
        ("stereo", Ears::Stereo),
        ("wide", Ears::Wide),
        ("mono", Ears::Mono),
    ] {
        let file = read(&format!("\nears = \"{text}\"")).unwrap();
        assert_eq!(file.ears, Some((ears, 2)));
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_to_write() {
    for (text, line, says) in [
        ("\ndevise = \"x\"", 2, "the nearest one is `device`"),
        ("readonly = true", 1, "the nearest one is `read_only`"),
        ("relays = 1", 1, "the nearest one is `relay`"),
        ("relay = 1", 1, "[[relay]]"),
        ("relay = [1]", 1, "[[relay]]"),
        (
            "[[relay]]\nname = \"a\"\nuri = \"x\"",
            3,
            "the nearest one is `url`",
        ),
        ("[[relay]]\nname = \"a\"\n", 1, "no `url`"),
        ("[[relay]]\nurl = \"http://a\"\n", 1, "no `name`"),
        (
            "[[relay]]\nname = \"a\"\nurl = \"relay\"",
            3,
            "https://relay.example.com",
        ),
        ("[[relay]]\nname = \"http://a\"\nurl = \"http://a\"", 2, "name"),
        ("theme = \"drak\"", 1, "dark, light or mono"),
        ("ears = \"both\"", 1, "stereo, wide or mono"),
        ("glyphs = 1", 1, "write glyphs = \"…\""),
        ("plain = \"yes\"", 1, "plain = true or plain = false"),
        ("a = \n", 1, "no TOML"),
    ] {
        let told = read(text).unwrap_err();
        assert!(
            told.starts_with(&format!("config.toml line {line}: ")),
            "{text}: {told}"
        );
        assert!(told.contains(says), "{text}: {told}");
    }
    let told = read("[[relay]]\nname='a'\nurl='http://a'\n[[relay]]\nname='a'\nurl='http://b'\nfoo=1\nbar=2")
        .unwrap_err();
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn a_token_that_was_written_there_is_not_shown() {
    for text in [
        "[[relay]]\nname='a'\nurl='http://a'\ntoken = 's3cret'",
        "[[relay]]\ntoken = 's3cret\n",
        "token = 's3cret'",
        "plain = 's3cret'",
    ] {
        let told = read(text).unwrap_err();
        assert!(!told.contains("s3cret"), "{told}");
    }
}

proptest! {
    #[test]
    fn no_text_can_crash_the_reader(text in "\\PC*|([a-z_]{1,9} ?= ?[\"\\[\\]{}0-9a-z,]{0,9}\n?|\\[\\[relay\\]\\]\n){0,4}") {
        let _ = read(&text);
    }
}
