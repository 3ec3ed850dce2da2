//! `partyline demo`: a relay, Twilio's part in three calls, and the monitor over them, in one process and yet over
//! real sockets. The one file that names the relay. Nothing of it prints: the screen is the monitor's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use partyline_relay::config::{Config, ServeArgs};
use partyline_relay::serve;
use partyline_relay::simulate::{self, Account, Args, Conversation};
use partyline_relay::stop::Stop;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::relay::Relay;
use crate::failure::Failure;

/// What the relay would read from a file.
const CONFIG: &str = r#"
listen = "127.0.0.1:0"
insecure = true
# A demo that runs all day does not fill the list with calls that are over.
retention = "5m"
caller_id = "+12125550100"
[[routes]]
to = "+12125550188"
dial = "client:marcus"
[[routes]]
to = "+442079460188"
dial = "sip:priya@lakeside.example"
"#;

/// How long a line rests between two calls; not the same for all, so that they drift apart.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(6),
    Duration::from_secs(9),
    Duration::from_secs(13),
];

/// Between the first calls' beginnings: within a second all are there, and they do not speak in time.
const SPREAD: Duration = Duration::from_millis(350);

/// How long the calls and the relay may take to end: hanging up is some requests on this machine.
const GOODBYE: Duration = Duration::from_secs(2);

/// Who calls whom, one after the other on one line, and what they say.
struct Line {
    /// From, to and the customer's number.
    calls: &'static [(&'static str, &'static str, &'static str)],
    conversation: Conversation,
}

fn lines() -> [Line; 3] {
    [
        // An agent's softphone rings customers up.
        Line {
            calls: &[
                ("client:emily", "+12125550123", "4711"),
                ("client:emily", "+13055550142", "2086"),
                ("client:emily", "+14155550117", "9930"),
            ],
            conversation: Conversation::default(),
        },
        // Customers ring up, and a route says which softphone takes it.
        Line {
            calls: &[
                ("+16175550164", "+12125550188", "12345"),
                ("+12065550139", "+12125550188", "777"),
            ],
            conversation: Conversation {
                agent: include_bytes!("../../assets/booking/agent.wav"),
                customer: include_bytes!("../../assets/booking/customer.wav"),
                script: include_str!("../../assets/booking/script.toml"),
            },
        },
        // The same from abroad, with a desk telephone at the other end.
        Line {
            calls: &[
                ("+441632960961", "+442079460188", "lakeside-208"),
                ("+353209123456", "+442079460188", "lakeside-1173"),
            ],
            conversation: Conversation {
                agent: include_bytes!("../../assets/internet/agent.wav"),
                customer: include_bytes!("../../assets/internet/customer.wav"),
                script: include_str!("../../assets/internet/script.toml"),
            },
        },
    ]
}

/// A relay with calls; it ends with this, or at [`Demo::end`] properly.
pub struct Demo {
    url: String,
    hang_up: CancellationToken,
    stop: Stop,
    /// The lines, and the relay.
    tasks: JoinSet<()>,
}

impl Demo {
    /// Starts the relay on a free port of this machine, and the calls.
    ///
    /// # Errors
    /// [`Failure::Failed`] where no port can be opened.
    pub async fn start() -> Result<Demo, Failure> {
        let failed = |why: &dyn std::fmt::Display| Failure::Failed(format!("the demo's relay: {why}"));
        let args = ServeArgs {
            config: Some(PathBuf::from("demo.toml")),
            ..ServeArgs::default()
        };
        // What this machine's environment says of a real relay does not concern the demo's.
        let read = |_: &Path| Ok(CONFIG.to_owned());
        let config = Config::load(&args, &|_| None, &read).map_err(|problems| failed(&problems))?;
        let serving = serve::bind(config, serve::Threads::Here)
            .await
            .map_err(|error| failed(&error))?;
        let url = format!("http://{}", serving.local());
        let (stop, hang_up) = (serving.stop(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(serving.run());
        for (number, (line, pause)) in (0u32..).zip(lines().into_iter().zip(PAUSES)) {
            let begin = SPREAD * number;
            tasks.spawn(play(url.clone(), line, begin, pause, hang_up.clone()));
        }
        Ok(Demo {
            url,
            hang_up,
            stop,
            tasks,
        })
    }

    /// Where it is.
    ///
    /// # Errors
    /// None: its address is one.
    pub fn relay(&self) -> Result<Relay, Failure> {
        Relay::parse(&self.url).map_err(|bad| Failure::Failed(bad.to_string()))
    }

    /// Hangs up, says goodbye to listeners, and waits for both a moment.
    pub async fn end(mut self) {
        self.hang_up.cancel();
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, all).await;
    }
}

/// One line: call after call, until it is hung up for good.
async fn play(url: String, line: Line, begin: Duration, pause: Duration, hang_up: CancellationToken) {
    let mut wait = begin;
    for (from, to, customer) in line.calls.iter().cycle() {
        if hang_up
            .run_until_cancelled(tokio::time::sleep(wait))
            .await
            .is_none()
        {
            return;
        }
        let args = Args {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
            customer_id: Some((*customer).to_owned()),
            conversation: line.conversation,
            ..Args::new(url.clone())
        };
        // A call that fails is one that is over: the next is tried, and the list shows what became of it.
        let _ = simulate::play(args, Account::default(), hang_up.clone(), |_| {}).await;
        wait = pause;
    }
}

#[cfg(test)]
mod tests;
