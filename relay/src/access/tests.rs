//! Tokens, tickets and logins through the one door that asks.

use std::fs;

use super::tokens::{Made, Token, file};
use super::*;

mod file_on_disk;

fn at(ms: i64) -> UtcTime {
    UtcTime::from_unix_ms(ms)
}

/// A folder of its own that goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("partyline-access-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("tokens.toml")
    }

    /// Adds a token; gives its text and itself.
    fn add(&self, name: &str, change: impl FnOnce(&mut Token)) -> (String, Token) {
        let mut made = Made::draw(name, Role::User, at(0)).unwrap();
        change(&mut made.token);
        file::add(&self.file(), &made.token).unwrap();
        (made.expose().to_owned(), made.token)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn names(news: &[News]) -> Vec<String> {
    let name = |one: &News| match one {
        News::Added(grant) => format!("+{}", grant.name()),
        News::Removed(grant) => format!("-{}", grant.name()),
        News::Kept(_) => "?".to_owned(),
    };
    news.iter().map(name).collect()
}

#[tokio::test]
async fn a_token_gives_what_the_file_says_until_it_ends() {
    let folder = Folder::new("gives");
    let (alice, _) = folder.add("alice", |token| {
        token.customers = vec!["7".into()];
        token.allow = vec![Right::Save];
        token.expires = Some(at(1000));
    });
    let (page, _) = folder.add("page", |token| token.in_url = true);
    let access = Access::new(Some(&folder.file()), None).unwrap();
    let grant = access.bearer(&alice, at(999)).await.unwrap();
    assert_eq!(
        (grant.name(), grant.role(), grant.source()),
        ("alice", Role::User, Source::Token)
    );
    assert!(grant.covers(Some("7")) && !grant.covers(Some("8")) && grant.has(Right::Save));
    assert_eq!((grant.token_id().len(), grant.expires()), (8, Some(at(1000))));
    assert_eq!(access.bearer(&alice, at(1000)).await, None);
    assert!(access.renewed(&grant, at(999)).is_some() && access.renewed(&grant, at(1000)).is_none());
    assert_eq!(access.url_token(&alice, at(1)), None);
    assert_eq!(access.url_token(&page, at(1)).unwrap().name(), "page");
    assert!(!format!("{access:?} {grant:?}").contains(&alice));
    // Every other text is nobody's, one letter away or not.
    for place in 0..alice.len() {
        let mut other = alice.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert_eq!(access.bearer(&other, at(1)).await, None);
    }
    for other in ["", "pl_", "a.b.c", &alice[..45], &format!("{alice} ")] {
        assert_eq!(access.bearer(other, at(1)).await, None);
    }
    let nobody = Access::new(None, None).unwrap();
    assert_eq!(nobody.bearer(&alice, at(1)).await, None);
    assert_eq!(nobody.renewed(&grant, at(1)), None);
}

/// Reads the file again, as who is told to does.
fn again(access: &Access, folder: &Folder) -> Vec<News> {
    access.apply(access.read(Some(&folder.file())).unwrap())
}

#[tokio::test]
async fn tickets_have_the_bearers_rights_as_they_are_when_used() {
    let folder = Folder::new("tickets");
    let (alice, token) = folder.add("alice", |_| {});
    let access = Access::new(Some(&folder.file()), None).unwrap();
    let grant = access.bearer(&alice, at(0)).await.unwrap();
    let [one, two] = [0, 1].map(|_| access.ticket(&grant, at(0)).unwrap().ticket);
    assert_eq!(access.redeem(&one, at(1)), Some(grant.clone()));
    assert_eq!(access.redeem(&one, at(1)), None);
    assert_eq!(access.bearer(&two, at(1)).await, None, "a ticket is no token");
    file::remove(&folder.file(), |known| known.id == token.id).unwrap();
    again(&access, &folder);
    assert_eq!(access.redeem(&two, at(1)), None, "its bearer was revoked");
    let everybody = Grant::insecure();
    let ticket = access.ticket(&everybody, at(0)).unwrap().ticket;
    assert_eq!(access.redeem(&ticket, at(1)), Some(everybody));
}

#[tokio::test]
async fn a_change_moves_the_generation_and_says_who_came_and_went() {
    let folder = Folder::new("changes");
    let (alice, token) = folder.add("alice", |_| {});
    let access = Access::new(Some(&folder.file()), None).unwrap();
    let grant = access.bearer(&alice, at(0)).await.unwrap();
    let mut changes = access.changes();
    assert_eq!(names(&again(&access, &folder)), Vec::<String>::new());
    assert!(!changes.has_changed().unwrap(), "the same file is no change");
    let (bob, _) = folder.add("bob", |_| {});
    assert_eq!(names(&again(&access, &folder)), ["+bob"]);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert!(access.bearer(&bob, at(0)).await.is_some());
    // Lesser rights by hand: told as gone and come, and renewed so.
    let text = fs::read_to_string(folder.file()).unwrap();
    fs::write(
        folder.file(),
        text.replacen("role = \"user\"", "role = \"source\"", 1),
    )
    .unwrap();
    assert_eq!(names(&again(&access, &folder)), ["-alice", "+alice"]);
    assert_eq!(access.renewed(&grant, at(0)).unwrap().role(), Role::Source);
    file::remove(&folder.file(), |known| known.id == token.id).unwrap();
    assert_eq!(names(&again(&access, &folder)), ["-alice"]);
    assert_eq!(
        (access.renewed(&grant, at(0)), access.bearer(&alice, at(0)).await),
        (None, None)
    );
    assert!(access.bearer(&bob, at(0)).await.is_some());
}

#[tokio::test]
async fn another_secret_under_the_same_id_is_another_token() {
    let folder = Folder::new("same-id");
    let (alice, token) = folder.add("alice", |_| {});
    let access = Access::new(Some(&folder.file()), None).unwrap();
    let grant = access.bearer(&alice, at(0)).await.unwrap();
    file::remove(&folder.file(), |_| true).unwrap();
    folder.add("alice", |new| new.id = token.id.clone());
    again(&access, &folder);
    assert_eq!(access.renewed(&grant, at(0)), None);
}

/// A login that knows one person, by one key, until it is told otherwise.
struct Office(channel::Sender<u64>);

impl Login for Office {
    fn bearer<'a>(&'a self, token: &'a str, _: UtcTime) -> login::Answer<'a> {
        let known = *self.0.borrow() == 0 && token == "a.b.c";
        let grant = Grant::new("carol", Role::User, Vec::new(), Vec::new())
            .known_by(Source::Jwt, "j1")
            .vouched_by([7; 32], Claimed::default());
        Box::pin(async move { known.then(|| grant.until(Some(at(500)))) })
    }

    fn renewed(&self, grant: &Grant, _: UtcTime) -> Option<Grant> {
        (*self.0.borrow() == 0 && grant.voucher() == Some([7; 32])).then(|| grant.clone())
    }

    fn changes(&self) -> channel::Receiver<u64> {
        self.0.subscribe()
    }
}

#[tokio::test]
async fn a_login_elsewhere_is_asked_for_all_that_is_no_token_of_ours() {
    let office = Arc::new(Office(channel::Sender::new(0)));
    let access = Access::new(None, Some(office.clone())).unwrap();
    let grant = access.bearer("a.b.c", at(0)).await.unwrap();
    assert_eq!(access.bearer("a.b.d", at(0)).await, None);
    assert_eq!(access.bearer("a.b.c", at(500)).await, None, "it has ended");
    assert_eq!(access.renewed(&grant, at(500)), None);
    assert_eq!(access.renewed(&grant, at(499)), Some(grant.clone()));
    assert_eq!(
        access.renewed(&grant.clone().vouched_by([8; 32], Claimed::default()), at(0)),
        None,
        "another key"
    );
    let ticket = access.ticket(&grant, at(0)).unwrap().ticket;
    let mut changes = access.changes();
    let watch = tokio::spawn(access.clone().watch(|_| {}));
    tokio::task::yield_now().await;
    office.0.send_replace(1);
    changes.changed().await.unwrap();
    assert_eq!(
        (access.renewed(&grant, at(0)), access.redeem(&ticket, at(0))),
        (None, None)
    );
    watch.abort();
}

#[tokio::test]
async fn another_relay_judges_a_grant_by_its_own_tokens() {
    let (folder, elsewhere) = (Folder::new("carried"), Folder::new("carried-elsewhere"));
    let (alice, token) = folder.add("alice", |token| token.customers = vec!["7".into()]);
    let here = Access::new(Some(&folder.file()), None).unwrap();
    let wire = here.bearer(&alice, at(0)).await.unwrap().to_wire();
    assert!(
        !wire.contains(&alice) && !wire.contains(&sha_hex(&alice)),
        "{wire}"
    );

    let twin = Access::new(Some(&folder.file()), None).unwrap();
    let carried = twin.carried(&wire, at(1), false).unwrap();
    assert_eq!(Some(carried), twin.bearer(&alice, at(1)).await);
    let more = wire.replacen("\"user\"", "\"admin\"", 1);
    let carried = twin.carried(&more, at(1), false).unwrap();
    assert_eq!(carried.role(), Role::User, "what it may is this relay's to say");

    elsewhere.add("alice", |other| other.id = token.id.clone());
    let stranger = Access::new(Some(&elsewhere.file()), None).unwrap();
    assert_eq!(
        stranger.carried(&wire, at(1), true),
        None,
        "the same id, another token"
    );
    file::remove(&folder.file(), |_| true).unwrap();
    again(&twin, &folder);
    assert_eq!(twin.carried(&wire, at(1), false), None, "revoked here");

    let everybody = Grant::insecure().to_wire();
    assert_eq!(twin.carried(&everybody, at(1), false), None);
    assert_eq!(twin.carried(&everybody, at(1), true), Some(Grant::insecure()));
}

fn sha_hex(secret: &str) -> String {
    fingerprint::hex(&sha256(secret))
}
