//! Layers, and tokens that stay where they belong.

use std::path::Path;

use super::relays::TokenFrom;
use super::*;

const FILE: &str = "theme = \"light\"\n[[relay]]\nname = \"home\"\nurl = \"https://home.example.com\"\n\
                    [[relay]]\nname = \"test\"\nurl = \"http://127.0.0.1:9\"\ntoken_file = \"test.token\"\n";

/// A config folder of this test's own, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(config: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("partyline-config-{:016x}", rand::random::<u64>()));
        paths::make_private(&path).unwrap();
        if !config.is_empty() {
            std::fs::write(path.join("config.toml"), config).unwrap();
        }
        Folder(path)
    }

    fn load(&self, flags: &Global, env: &[(&str, &str)]) -> Result<Config, Failure> {
        let env = |name: &str| {
            let found = env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Config::load(flags, &env, Some(self.0.clone()))
    }

    fn login(&self, url: &str, token: &str) {
        let mut stored = Credentials::load(Some(&self.0)).unwrap();
        stored.put(&crate::client::relay::Relay::parse(url).unwrap(), token);
        stored.save().unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn asking(relay: &str) -> Global {
    Global {
        relay: Some(relay.to_owned()),
        ..Global::default()
    }
}

fn names(config: &Config) -> Vec<(String, Source)> {
    let named = |chosen: &Chosen| (chosen.address.to_string(), chosen.source);
    config.relays.iter().map(named).collect()
}

#[test]
fn flag_beats_environment_beats_file_beats_login_beats_default() {
    let folder = Folder::new("");
    let env = [("PARTYLINE_RELAY", "http://env.example.com")];
    let none = Global::default();
    let one = |url: &str, source| vec![(url.to_owned(), source)];
    let default = folder.load(&none, &[]).unwrap();
    assert_eq!(names(&default), one(relays::DEFAULT, Source::Default));
    folder.login("http://127.0.0.1:7", "a");
    folder.login("https://later.example.com", "b");
    let config = folder.load(&none, &[]).unwrap();
    assert_eq!(
        names(&config)[0],
        ("https://later.example.com".to_owned(), Source::Login)
    );
    assert_eq!(config.relays.len(), 2);
    std::fs::write(folder.0.join("config.toml"), FILE).unwrap();
    let config = folder.load(&none, &[("PARTYLINE_RELAY", "")]).unwrap();
    assert_eq!(
        names(&config)[0],
        ("https://home.example.com".to_owned(), Source::File(2))
    );
    assert_eq!(config.relays.len(), 2);
    let config = folder.load(&none, &env).unwrap();
    assert_eq!(
        names(&config),
        one("http://env.example.com", Source::Environment("PARTYLINE_RELAY"))
    );
    let config = folder.load(&asking("test"), &env).unwrap();
    assert_eq!(names(&config), one("http://127.0.0.1:9", Source::Flag));
    assert_eq!(config.relays[0].name, "test");
}

#[test]
fn a_relay_that_cannot_be_meant_says_what_could() {
    let folder = Folder::new(FILE);
    for (relay, says) in [
        ("tset", "home, test"),
        ("relay.example.com:8080", "https://relay.example.com:8080"),
        ("ftp://a", "https://relay.example.com"),
    ] {
        match folder.load(&asking(relay), &[]) {
            Err(Failure::Usage(why)) => assert!(why.contains(says), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_token_goes_only_to_the_relay_it_is_for() {
    let folder = Folder::new(FILE);
    folder.login("https://home.example.com", "stored");
    folder.login("http://127.0.0.1:9", "stored-and-beaten");
    let bearer = |chosen: &Chosen| {
        let relay = chosen.relay().unwrap();
        relay
            .headers()
            .get("authorization")
            .map(|h| h.to_str().unwrap().to_owned())
    };
    let config = folder.load(&Global::default(), &[]).unwrap();
    assert_eq!(bearer(&config.relays[0]), Some("Bearer stored".to_owned()));
    // The file is looked for where it is needed, and only there.
    assert!(matches!(config.relays[1].relay(), Err(Failure::Usage(why)) if why.contains("test.token")));
    std::fs::write(folder.0.join("test.token"), "filed\n").unwrap();
    assert_eq!(bearer(&config.relays[1]), Some("Bearer filed".to_owned()));
    assert_eq!(
        config.relays[1].token_from(),
        Ok(TokenFrom::File(folder.0.join("test.token")))
    );
    // One that is given beside the files is for one relay: the first, or the one that is asked for.
    let env = [("PARTYLINE_TOKEN", "given")];
    let config = folder.load(&Global::default(), &env).unwrap();
    let both: Vec<_> = config.relays.iter().map(bearer).collect();
    assert_eq!(
        both,
        [Some("Bearer given".to_owned()), Some("Bearer filed".to_owned())]
    );
    let config = folder.load(&asking("http://127.0.0.1:9"), &env).unwrap();
    assert_eq!(bearer(&config.relays[0]), Some("Bearer given".to_owned()));
    let config = folder.load(&asking("http://127.0.0.1:10"), &[]).unwrap();
    assert_eq!(bearer(&config.relays[0]), None);
    let bad = folder
        .load(&Global::default(), &[("PARTYLINE_TOKEN", "two words")])
        .unwrap();
    assert!(matches!(bad.relays[0].relay(), Err(Failure::Usage(why)) if !why.contains("two words")));
}

#[test]
fn a_token_that_is_stored_meanwhile_is_found() {
    let folder = Folder::new("");
    let config = folder.load(&asking("http://127.0.0.1:9"), &[]).unwrap();
    assert_eq!(config.relays[0].token_from(), Ok(TokenFrom::Nowhere));
    folder.login("ws://127.0.0.1:9/", "new");
    assert_eq!(config.relays[0].token_from(), Ok(TokenFrom::Login));
    assert_eq!(
        config.relays[0].relay().unwrap().headers()["authorization"],
        "Bearer new"
    );
}

#[cfg(unix)]
#[test]
fn what_is_stored_is_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let outer = Folder::new("");
    let folder = Folder(outer.0.join("below"));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    folder.login("http://127.0.0.1:9", "secret");
    let path = Credentials::path(&folder.0);
    assert_eq!((mode(&folder.0), mode(&path)), (0o700, 0o600));
    assert!(!format!("{:?}", Credentials::load(Some(&folder.0))).contains("secret"));
    // Also where somebody had opened it up.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    folder.login("http://127.0.0.1:10", "another");
    assert_eq!(mode(&path), 0o600);
    let mut stored = Credentials::load(Some(&folder.0)).unwrap();
    for relay in stored.relays() {
        assert!(stored.remove(&relay));
    }
    stored.save().unwrap();
    // Neither it nor what it was made from is left.
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn settings_know_who_said_them() {
    let folder = Folder::new(FILE);
    let config = folder
        .load(&Global::default(), &[("NO_COLOR", "1"), ("LANG", "C")])
        .unwrap();
    assert_eq!(config.theme, sourced(Some(ThemeChoice::Light), Source::File(1)));
    assert_eq!(config.glyphs, sourced(Glyphs::Ascii, Source::Default));
    let folder = Folder::new("");
    let flags = Global {
        device: Some("USB".to_owned()),
        plain: true,
        ..Global::default()
    };
    let config = folder
        .load(&flags, &[("NO_COLOR", "1"), ("LANG", "C.UTF-8")])
        .unwrap();
    assert_eq!(
        config.theme,
        sourced(Some(ThemeChoice::Mono), Source::Environment("NO_COLOR"))
    );
    assert_eq!(config.glyphs, sourced(Glyphs::Braille, Source::Default));
    assert_eq!(config.device, sourced(Some("USB".to_owned()), Source::Flag));
    assert_eq!(config.ears, sourced(Ears::Stereo, Source::Default));
    assert_eq!(config.plain, sourced(true, Source::Flag));
    assert_eq!(config.read_only, sourced(false, Source::Default));
}

#[test]
fn what_is_printed_is_a_file_that_says_the_same() {
    let folder = Folder::new(FILE);
    std::fs::write(folder.0.join("test.token"), "s3cret").unwrap();
    folder.login("https://home.example.com", "s3cret");
    let flags = Global {
        device: Some("a \"card\"".to_owned()),
        ..Global::default()
    };
    let env = [("PARTYLINE_TOKEN", "s3cret")];
    let printed = folder.load(&flags, &env).unwrap().show().unwrap().join("\n");
    assert!(!printed.contains("s3cret"), "{printed}");
    for says in [
        "# flag",
        "# config.toml line 1",
        "# config.toml line 5",
        "# default",
        "# token: PARTYLINE_TOKEN",
    ] {
        assert!(printed.contains(says), "{says}: {printed}");
    }
    let again = Folder::new(&printed);
    let config = again.load(&Global::default(), &[]).unwrap();
    assert_eq!(config.device.value.as_deref(), Some("a \"card\""));
    assert_eq!(config.theme.value, Some(ThemeChoice::Light));
    assert_eq!(config.relays[1].address.to_string(), "http://127.0.0.1:9");
    assert_eq!(config.relays[1].token_file, Some(folder.0.join("test.token")));
}

#[test]
fn what_is_printed_of_flags_and_logins_is_a_file_too() {
    let folder = Folder::new("");
    folder.login("http://relay.example.com", "one");
    folder.login("https://relay.example.com", "two");
    let flags = Global {
        token_file: Some(PathBuf::from("some.token")),
        ..Global::default()
    };
    let printed = folder.load(&flags, &[]).unwrap().show().unwrap().join("\n");
    let again = Folder::new(&printed).load(&Global::default(), &[]).unwrap();
    let urls: Vec<String> = again
        .relays
        .iter()
        .map(|relay| relay.address.to_string())
        .collect();
    assert_eq!(urls, ["https://relay.example.com", "http://relay.example.com"]);
    let here = std::env::current_dir().unwrap().join("some.token");
    assert_eq!(again.relays[0].token_file, Some(here));
}

#[cfg(unix)]
#[test]
fn a_token_out_of_a_pipe_is_read_once_and_kept() {
    use std::io::Write;
    let folder = Folder::new(FILE);
    let (from, mut to) = std::io::pipe().unwrap();
    to.write_all(b"s3cret\n").unwrap();
    drop(to);
    let number = std::os::fd::AsRawFd::as_raw_fd(&from);
    let flags = Global {
        token_file: Some(PathBuf::from(format!("/dev/fd/{number}"))),
        ..Global::default()
    };
    let config = folder.load(&flags, &[]).unwrap();
    let first = config.relays[0].relay().unwrap();
    let again = config.relays[0].clone().relay().unwrap();
    assert!(first.is_same_bearer(&again));
}
