//! Flags and files, checked, as one value that all calls share.

use std::io::Read;
use std::path::Path;

use partyline_shared::audio::wav::MAX_FILE;
use partyline_shared::id::is_id;
use partyline_shared::phone::PhoneNumber;
use partyline_shared::track::{PerTrack, Role, Track, roles};

use super::args::{Account, Args, Chunks, Via};
use super::error::Error;
use super::http::Client;
use super::script::{self, Line};
use super::sid;
use super::url::{Relay, Url};
use super::voice::{self, Program};

/// What is played.
pub(super) struct Plan {
    pub(super) client: Client,
    /// What Twilio knows as the relay's origin.
    pub(super) public: Url,
    pub(super) account: String,
    /// The bearer token to listen with, and to publish by.
    pub(super) bearer: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) customer_id: Option<String>,
    pub(super) via: Via,
    pub(super) chunks: Chunks,
    pub(super) calls: u32,
    pub(super) check: bool,
    pub(super) program: Program,
    /// What is said, in the order of time, with the track that it is said on.
    pub(super) lines: Vec<(Track, Line)>,
}

impl Plan {
    /// Checks the flags and reads the files, off the runtime's threads.
    ///
    /// # Errors
    /// [`Error`], all of them of usage.
    pub(super) async fn new(args: Args, account: Account) -> Result<Plan, Error> {
        match tokio::task::spawn_blocking(move || Plan::read(args, account)).await {
            Ok(plan) => plan,
            Err(fault) => match fault.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::Interrupted),
            },
        }
    }

    fn read(args: Args, account: Account) -> Result<Plan, Error> {
        let flag = |flag| move |why| Error::Flag { flag, why };
        let relay = Relay::parse(&args.relay).map_err(flag("--relay"))?;
        let public = match &args.public_url {
            Some(url) => Url::origin(url, &["https", "http"]).map_err(flag("--public-url"))?,
            None => Url::origin(&args.relay, &["http", "https"]).map_err(flag("--relay"))?,
        };
        let sid = account.sid.unwrap_or_else(|| sid::ACCOUNT.to_owned());
        if !is_id(&sid) {
            return Err(flag("TWILIO_ACCOUNT_SID")(
                "it is no SID: AC and 32 hex digits".into(),
            ));
        }
        let bearer = args.token_file.as_deref().map(token).transpose()?;

        let agent = if PhoneNumber::new(&args.from).is_client() {
            Track::Inbound
        } else {
            Track::Outbound
        };
        let built_in = args.agent.is_none() && args.customer.is_none();
        let (of_agent, of_customer) = if built_in {
            let built_in = |file| voice::mulaw(file).map_err(|why| flag("--agent")(why.to_string()));
            (
                built_in(args.conversation.agent)?,
                built_in(args.conversation.customer)?,
            )
        } else {
            let recorded = |flag, path: Option<&Path>| path.map_or(Ok(Vec::new()), |path| wav(flag, path));
            (
                recorded("--agent", args.agent.as_deref())?,
                recorded("--customer", args.customer.as_deref())?,
            )
        };
        if of_agent.is_empty() && of_customer.is_empty() && args.duration.is_none() {
            return Err(flag("--duration")(
                "the recordings have no sample; say how long to be quiet".into(),
            ));
        }
        let lines = match &args.script {
            Some(path) => {
                let text = String::from_utf8_lossy(&file("--script", path)?).into_owned();
                script::read(&text).map_err(|source| Error::Script {
                    path: path.clone(),
                    source,
                })?
            }
            None if built_in => {
                script::read(args.conversation.script).map_err(|why| flag("--script")(why.to_string()))?
            }
            None => Vec::new(),
        };
        let of_role = roles(agent);
        let on_track = |role| {
            if of_role.inbound == role {
                Track::Inbound
            } else {
                Track::Outbound
            }
        };
        let mut voices = PerTrack::default();
        *voices.get_mut(on_track(Role::Agent)) = of_agent;
        *voices.get_mut(on_track(Role::Customer)) = of_customer;
        Ok(Plan {
            client: Client::new(relay, account.token).map_err(|error| flag("--relay")(error.to_string()))?,
            public,
            account: sid,
            bearer,
            from: args.from,
            to: args.to,
            customer_id: args.customer_id,
            via: args.via,
            chunks: args.chunks,
            calls: args.calls,
            check: args.check,
            program: Program::new(voices, args.duration, args.repeat),
            lines: lines.into_iter().map(|line| (on_track(line.who), line)).collect(),
        })
    }
}

fn file(flag: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    let fail = |source| Error::File {
        flag,
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    // Read to a limit rather than measured: a device has no length, and no end.
    let opened = std::fs::File::open(path).map_err(fail)?;
    opened
        .take(MAX_FILE as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    if bytes.len() > MAX_FILE {
        return Err(fail(std::io::Error::other(format!(
            "it is over {MAX_FILE} bytes"
        ))));
    }
    Ok(bytes)
}

fn wav(flag: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    voice::mulaw(&file(flag, path)?).map_err(|source| Error::Wav {
        flag,
        path: path.to_owned(),
        source,
    })
}

fn token(path: &Path) -> Result<String, Error> {
    let bytes = file("--token-file", path)?;
    let token = String::from_utf8_lossy(&bytes).trim().to_owned();
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::Flag {
            flag: "--token-file",
            why: format!("{} does not hold one token alone", path.display()),
        });
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: impl FnOnce(&mut Args)) -> Result<Plan, Error> {
        let mut args = Args::new("http://127.0.0.1:1");
        change(&mut args);
        Plan::read(args, Account::default())
    }

    fn refused(change: impl FnOnce(&mut Args)) -> String {
        let why = read(change).err().unwrap();
        assert!(why.is_usage());
        why.to_string()
    }

    #[test]
    fn the_built_in_conversation_is_as_long_as_it_says() {
        let plan = read(|_| {}).unwrap();
        let frames = plan.program.total().unwrap();
        assert!((1500..=3000).contains(&frames), "{frames} frames are 30 to 60 s");
        assert!(plan.lines.len() > 8);
        let last = plan.lines.iter().map(|(_, line)| line.until_ms).max().unwrap();
        assert!(last <= frames * 20);
        // One moment of cross-talk.
        let cross = |(track, line): &(Track, Line)| {
            plan.lines
                .iter()
                .any(|(other, by)| other != track && by.at_ms < line.until_ms && line.at_ms < by.until_ms)
        };
        assert_eq!(plan.lines.iter().filter(|line| cross(line)).count(), 2);
    }

    #[test]
    fn the_agent_is_where_the_contract_says() {
        let agent = |from: &str| {
            let plan = read(|args| args.from = from.to_owned()).unwrap();
            plan.lines
                .iter()
                .find(|(_, line)| line.who == Role::Agent)
                .map(|(track, _)| *track)
        };
        assert_eq!(agent("client:bob"), Some(Track::Inbound));
        assert_eq!(agent("+12125550100"), Some(Track::Outbound));
        assert_eq!(agent("sip:bob@example.com"), Some(Track::Outbound));
    }

    #[test]
    fn what_cannot_be_played_is_said() {
        assert!(refused(|a| a.relay = "ftp://relay".into()).contains("http"));
        assert!(refused(|a| a.agent = Some("/no/such.wav".into())).contains("/no/such.wav"));
        assert!(refused(|a| a.agent = Some("Cargo.toml".into())).contains("WAV"));
        assert!(refused(|a| a.script = Some("Cargo.toml".into())).contains("--script"));
        assert!(refused(|a| a.public_url = Some("https://a/b".into())).contains("origin"));
    }
}
