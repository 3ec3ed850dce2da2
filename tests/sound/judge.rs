//! A call, a listener that plays it on a card, and what the card got against what was said.

use std::time::Duration;

use harness::card::Captured;
use harness::signal::{self, Comparison};
use harness::wait::SOON;
use harness::{Card, Program, Relay, TwilioCall, binaries, speech};
use partyline_shared::track::PerTrack;
use serde_json::Value;

/// A frame of a track, in real time.
const REAL_TIME: Duration = Duration::from_millis(20);

/// How long the card may be without sound each time that the player runs dry, ms: it takes 10 at once.
const DRY_MS: f64 = 20.0;

/// How long a story is: so many seconds in `make test`, PARTYLINE_SOAK_SECONDS where somebody has the time.
pub(super) fn seconds(test: usize) -> usize {
    let asked = std::env::var("PARTYLINE_SOAK_SECONDS").ok();
    asked.map_or(test, |text| {
        text.parse()
            .expect("PARTYLINE_SOAK_SECONDS is a number of seconds")
    })
}

/// Whether `make soak` asked for figures.
pub(super) fn is_soak() -> bool {
    std::env::var_os("PARTYLINE_SOAK_SECONDS").is_some()
}

/// So many seconds of two people: the same woman, who never says the same at once.
pub(super) fn two_people(seconds: usize) -> PerTrack<Vec<u8>> {
    let of = |names: &[&str]| {
        let all = names.iter().cycle().flat_map(|name| speech::mulaw(name));
        all.take(seconds * 8000).collect()
    };
    let [a, b, c] = speech::LONG;
    PerTrack {
        inbound: of(&[a, b]),
        outbound: of(&[c, speech::SHORT[3], b]),
    }
}

/// `partyline … listen SID --wait --stats --json`, playing on this card.
pub(super) fn listen(card: &Card, url: &str, sid: &str, args: &[&str]) -> Program {
    // Each side on one ear alone, to be compared.
    let mut all = vec!["--relay", url, "--ears", "wide"];
    all.extend(args);
    all.extend(["listen", sid, "--wait", "--stats", "--json"]);
    Program::start(&binaries::path(binaries::LISTENER), all, &[card.env()])
}

/// What came of a call.
pub(super) struct Played {
    pub(super) said: PerTrack<Vec<u8>>,
    pub(super) captured: Captured,
    /// What `--stats` said.
    pub(super) stats: Value,
}

/// Two people talk for so long; a listener who reaches the relay at `url` plays them on `card`.
pub(super) async fn play(relay: &Relay, url: &str, card: Card, args: &[&str], seconds: usize) -> Played {
    let said = two_people(seconds);
    let mut call = TwilioCall::new(relay);
    let listener = listen(&card, url, call.sid().as_str(), args);
    listener.complains(SOON, "playing on").await;
    call.webhook(&[]).await.expect(200);
    let mut stream = call.live_stream().await;
    stream.play(&said.inbound, &said.outbound, REAL_TIME).await;
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);
    let told = listener.finish(SOON).await.expect_code(0).json_lines();
    Played {
        said,
        captured: card.stop(),
        stats: told.last().expect("--stats says something").clone(),
    }
}

/// What was said on one track against one side of what was captured.
pub(super) struct Side {
    /// Which, for people.
    pub(super) track: &'static str,
    /// The windows.
    pub(super) found: Comparison,
    /// The largest step from sample to sample, as a multiple of the step that all but one in a thousand of
    /// the original's are below.
    pub(super) step: f32,
}

impl Side {
    /// A line for people.
    fn line(&self) -> String {
        format!(
            "{}: {} windows, median {:.1} dB, {:+.4} % lower, {:+.4} % slower, {:+.2} ms longer, largest step {:.2}",
            self.track,
            self.found.windows.len(),
            self.found.median_db(),
            self.found.lower() * 100.0,
            self.found.slower() * 100.0,
            self.found.longer_ms(),
            self.step,
        )
    }
}

impl Played {
    /// By how much what was heard may be longer or shorter than what was said, ms: by what the player says that it has
    /// stretched, covered up and left out, and for how long it ran dry. Another program on this machine may take its
    /// time.
    pub(super) fn may_differ_ms(&self) -> f64 {
        let says = |name: &str| {
            let number = self.stats[name].as_f64();
            number.unwrap_or_else(|| panic!("no {name} in {}", self.stats))
        };
        let own = ["stretched_ms", "concealed_ms", "dropped_ms"].map(says);
        20.0 + own.iter().sum::<f64>() + DRY_MS * says("underruns")
    }

    /// Both sides: the agent dialled, is on the inbound track, and is heard on the right.
    pub(super) fn sides(&self) -> [Side; 2] {
        let side = |track, at, said: &[u8]| {
            let rate = self.captured.rate;
            let (whole, low) = signal::as_played(said, rate);
            let heard = self.captured.side(at);
            let side = Side {
                track,
                found: signal::compare(&low, &signal::low(&heard, rate), rate),
                step: signal::largest_step(&heard) / signal::usual_step(&whole),
            };
            eprintln!("{}", side.line());
            for (second, ms) in side.found.jumps() {
                eprintln!("  at {second:.1} s: {ms:+.1} ms");
            }
            side
        };
        eprintln!("{}", self.stats);
        [
            side("agent", 1, &self.said.inbound),
            side("customer", 0, &self.said.outbound),
        ]
    }
}
