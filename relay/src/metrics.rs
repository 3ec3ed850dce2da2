//! Everything that is counted, with its unit; what comes in pairs says so. A leaf: it counts what it is told, and says
//! what it counted as families for `/metrics`. Who adds a line to the list below has it shown by that.
//!
//! | file | what |
//! | --- | --- |
//! | [`kinds`] | a counter, a gauge, the most there ever was, a moment |
//! | [`times`] | how long things take: histograms, and the tally of one thread |
//! | [`family`] | what is shown: families with labels |
//! | `shown` | which families those are |

pub mod family;
pub mod kinds;
mod shown;
pub mod times;

use std::sync::Arc;

pub use family::{Family, Kind, Sample, Value};
pub use kinds::{Counter, Gauge, Held, Mark, Moment};
use shown::One;
pub use times::{Histogram, Tally, Times};

/// A line is `name,` for `partyline_NAME_total`, or `name: "family" { label: "value" },` for one of a family of `shown`;
/// what stands before it is shown as help.
macro_rules! counters {
    ($($(#[doc = $help:literal])+ $name:ident $(: $family:literal { $($label:ident: $value:literal),+ })?,)*) => {
        /// All counters of one relay, and what else is known of it as numbers.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[doc = $help])+ pub $name: Counter,)*
            /// Connections of every kind that are open.
            pub connections: Arc<Gauge>,
            /// Listener sockets that are open.
            pub listeners: Arc<Gauge>,
            /// Signed sockets of streams that have not said `start`.
            pub streams_waiting: Arc<Gauge>,
            /// 1 while the link to Redis is up.
            pub redis_up: Arc<Gauge>,
            /// How long things took.
            pub times: Times,
            /// How full what is bounded has been.
            pub marks: Marks,
            /// When things happened, or will.
            pub moments: Moments,
        }

        impl Metrics {
            /// Name and value of each counter, as they stand.
            pub fn totals(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.get()),)*]
            }

            fn counters(&self) -> Vec<One> {
                vec![$(One {
                    name: stringify!($name),
                    help: concat!($($help),+).trim(),
                    value: self.$name.get(),
                    family: None$(.or(Some($family)))?,
                    labels: vec![$($((stringify!($label), $value)),+)?],
                },)*]
            }
        }
    };
}

/// The most that waited at once in what is bounded.
#[derive(Debug, Default)]
pub struct Marks {
    /// Items in a listener's mailbox.
    pub mailbox: Mark,
    /// Entries that wait for the audit's disk.
    pub audit_queue: Mark,
    /// Seats of sockets that have shown nothing yet.
    pub preauth_seats: Mark,
}

/// Moments, as seconds since 1970.
#[derive(Debug, Default)]
pub struct Moments {
    /// When settings were put in force last, by the start or by SIGHUP.
    pub reloaded: Moment,
}

counters! {
    /// TCP connections accepted.
    connections_accepted,
    /// TCP connections refused because there were too many.
    connections_refused: "refusals" { door: "any", reason: "too_many_connections" },
    /// TCP connections that showed nothing, closed in favour of others.
    connections_displaced: "refusals" { door: "any", reason: "displaced" },
    /// TCP connections that showed nothing, closed because their time was over.
    connections_late: "refusals" { door: "any", reason: "showed_nothing" },
    /// Times that no connection could be accepted, for want of files or memory.
    connections_failed,
    /// TCP connections closed because they came past the proxy, where only it is served.
    connections_unproxied: "refusals" { door: "any", reason: "past_the_proxy" },
    /// TLS handshakes that came to their end; partner of the five below.
    tls_handshakes,
    /// TLS handshakes that took too long.
    tls_late: "tls_handshakes_failed" { reason: "too_slow" },
    /// Connections to the TLS port that did not speak TLS.
    tls_plain: "tls_handshakes_failed" { reason: "not_tls" },
    /// TLS handshakes that failed because the client has no version, cipher or protocol that the relay has.
    tls_incompatible: "tls_handshakes_failed" { reason: "incompatible" },
    /// TLS handshakes that the client ended, as it does when it does not trust the certificate.
    tls_refused: "tls_handshakes_failed" { reason: "certificate_refused" },
    /// TLS handshakes that broke off, or were none.
    tls_broken: "tls_handshakes_failed" { reason: "broken" },
    /// Times that the certificate was replaced by what its files have; partner of `tls_not_reloaded`.
    tls_reloaded,
    /// Times that they had changed and could not be used.
    tls_not_reloaded,
    /// HTTP requests answered, of every kind.
    requests,
    /// Requests refused for who asked or from where (401, 403).
    requests_refused,
    /// Requests refused because they were too many (429): tokens that failed, requests of one token.
    requests_throttled: "refusals" { door: "api", reason: "too_fast" },
    /// Requests refused because files or memory are short and calls come first (503).
    requests_shed: "refusals" { door: "any", reason: "busy" },
    /// Sockets that showed neither signature nor token and had to wait for others like them.
    sockets_waited,
    /// Such sockets refused because there were too many.
    sockets_refused: "refusals" { door: "socket", reason: "no_seat" },
    /// Tokens and tickets shown that are none.
    tokens_wrong: "refusals" { door: "any", reason: "token_wrong" },
    /// Tickets not given, because there are too many.
    tickets_refused: "refusals" { door: "api", reason: "too_many_tickets" },
    /// Streams accepted; partner of `streams_ended`.
    streams_started,
    /// Streams over, by `stop` or lost; partner of `streams_started`.
    streams_ended,
    /// Streams that Twilio was asked for again and granted; partner of `attaches_failed`.
    attaches_granted,
    /// Attempts to get a stream again that came to nothing.
    attaches_failed,
    /// Calls that no stream is asked for any more, though they go on.
    attaches_given_up,
    /// Webhooks and passes that could act again after a restart, for lack of room.
    marks_lost,
    /// Times that Redis did not say in time whether something may act, so that this relay decided by itself.
    commons_unanswered,
    /// Webhooks and passes that could act again at another relay, for lack of room while Redis was away.
    commons_lost,
    /// Grants that other relays were not told of, for being of too many: there they count for no limit.
    limits_untold,
    /// Times that the state file could not be written.
    state_failures,
    /// Streams refused after their upgrade.
    streams_refused,
    /// Streams of sources over HTTP that were lost: the source said nothing for 30 s, or the relay left.
    sources_lost,
    /// Pieces of audio taken from sources over HTTP; partner of `audio_ahead` and `audio_late`.
    audio_posted,
    /// Pieces of audio refused because their track was over 2 s ahead (429).
    audio_ahead: "refusals" { door: "api", reason: "too_far_ahead" },
    /// Pieces of audio refused because their call was over.
    audio_late: "refusals" { door: "api", reason: "call_ended" },
    /// Lines that others' speech-to-text posted.
    lines_posted,
    /// Media frames of at most 20 ms taken from streams; partner of `frames_late`.
    frames_in,
    /// Frames that came for an ended call or a replaced stream, dropped.
    frames_late: "frames_lost" { reason: "late" },
    /// Frames that came while their call was paused, dropped.
    frames_paused: "frames_lost" { reason: "paused" },
    /// Lines that came while their call was paused, or may be of what was said then, dropped.
    lines_paused,
    /// Digits and marks that came while their call was paused, dropped.
    marks_paused,
    /// Frames of 20 ms that never reached the relay.
    frames_missing: "frames_lost" { reason: "upstream" },
    /// Frames sent to listeners; partner of `frames_lost`.
    frames_out,
    /// Frames of a call's past that listeners asked for (`replay_ms`).
    frames_replayed,
    /// Frames sent to other relays where somebody listens; partner of `frames_uncrossed`.
    frames_crossed_out,
    /// Frames that were to be sent there, and grew old before Redis took them, or had no room.
    frames_uncrossed,
    /// Frames that came from other relays; partner of `frames_lost_relay_link`.
    frames_crossed_in,
    /// Frames of other relays that came twice, or of a stream that was replaced, dropped.
    frames_crossed_twice,
    /// Frames of other relays that never came here.
    frames_lost_relay_link: "frames_lost" { reason: "relay_link" },
    /// Messages of other relays about audio that were none of this version, or not whole.
    crossings_bad,
    /// Bytes of streams' messages, their heads included.
    stream_read_bytes,
    /// Bytes written to listeners' sockets, before TLS.
    listener_written_bytes,
    /// Frames that a slow listener lost.
    frames_lost: "frames_lost" { reason: "slow_listener" },
    /// Frames that a player was not given, so that it stays with what is said now.
    frames_shed: "frames_lost" { reason: "not_live" },
    /// Messages of streams that were none.
    messages_bad,
    /// Listener sockets opened; partner of `listeners_closed`.
    listeners_opened,
    /// Listener sockets closed, for whatever reason.
    listeners_closed,
    /// Listeners closed because they could not take their lines or wrote nothing for too long.
    listeners_too_slow,
    /// Listeners closed because they said more than anybody has to.
    listeners_too_loud,
    /// Listeners that an admin ended.
    listeners_dismissed,
    /// Subscriptions of Action Cable that were rejected, or taken back: no such call, not granted, no such channel.
    subscriptions_rejected: "refusals" { door: "cable", reason: "rejected" },
    /// Listeners refused because there were too many.
    listeners_refused: "refusals" { door: "listen", reason: "too_many_listeners" },
    /// Subscriptions of listeners refused: to what is not granted or not there, or for want of a right.
    subscriptions_refused: "refusals" { door: "listen", reason: "not_granted" },
    /// Streams and listeners refused because the relay drains.
    draining_refused: "refusals" { door: "any", reason: "draining" },
    /// Webhooks and handshakes refused for having no signature.
    signatures_missing: "refusals" { door: "twilio", reason: "signature_missing" },
    /// Webhooks and handshakes refused because their signature does not match.
    signatures_wrong: "refusals" { door: "twilio", reason: "signature_wrong" },
    /// Webhooks refused because no token of their account is known.
    signatures_without_token: "refusals" { door: "twilio", reason: "account_unknown" },
    /// Webhooks and streams refused because their call or handshake is another account's.
    accounts_mixed: "refusals" { door: "twilio", reason: "account_mixed" },
    /// Webhooks that had been seen before and got the same answer again.
    webhooks_replayed,
    /// Webhooks forgotten before their 24 hours were over, for lack of room.
    webhooks_forgotten,
    /// Streams refused for showing no pass.
    passes_missing: "refusals" { door: "stream", reason: "pass_missing" },
    /// Streams refused for a pass that is none, or another call's.
    passes_forged: "refusals" { door: "stream", reason: "pass_forged" },
    /// Streams refused for a pass that was over.
    passes_late: "refusals" { door: "stream", reason: "pass_late" },
    /// Streams refused for a pass that had been shown before.
    passes_used: "refusals" { door: "stream", reason: "pass_used" },
    /// Streams refused because too many passes are to be remembered.
    passes_too_many: "refusals" { door: "stream", reason: "too_many_passes" },
    /// Calls from outside that nobody takes: no dial.
    dials_without_taker: "dials_refused" { reason: "without_taker" },
    /// Dials refused for naming nobody.
    dials_without_to: "dials_refused" { reason: "without_to" },
    /// Dials refused because what they name cannot be dialled.
    dials_undialable: "dials_refused" { reason: "undialable" },
    /// Dials refused by dial_allow.
    dials_not_allowed: "dials_refused" { reason: "not_allowed" },
    /// Dials refused for want of a number to show.
    dials_without_caller_id: "dials_refused" { reason: "without_caller_id" },
    /// Dials refused because no rule is for them.
    dials_without_rule: "dials_refused" { reason: "without_rule" },
    /// Dials refused because their account had too many.
    dials_refused_account: "dials_refused" { reason: "account_too_many" },
    /// Dials refused because their caller had too many.
    dials_refused_caller: "dials_refused" { reason: "caller_too_many" },
    /// Callbacks taken from Twilio.
    callbacks,
    /// Callbacks without a call, or of a kind not known.
    callbacks_ignored,
    /// Calls begun; partner of `calls_ended`.
    calls_started,
    /// Calls over; as many as were started or revived, in the end.
    calls_ended,
    /// Calls that were over and that a new stream brought back.
    calls_revived,
    /// Calls taken over from relays that are gone.
    calls_taken_over,
    /// Calls that this relay had and another has, which has a newer stream of them or was there first.
    calls_given_up,
    /// Calls that an admin had erased.
    calls_erased,
    /// Calls that could not be followed because there were too many.
    calls_refused: "refusals" { door: "twilio", reason: "too_many_calls" },
    /// Lines of the audit that are on disk; partner of `audit_lost`.
    audit_written,
    /// Entries that could neither be written nor kept until they can be.
    audit_lost,
    /// Times that the audit's disk did not take what was to be written.
    audit_failures,
    /// Listeners refused because they could not be put on record.
    audit_refused: "refusals" { door: "listen", reason: "not_on_record" },
    /// Listeners let in without being on record, as --audit-fail open wants it.
    audit_unrecorded,
    /// Times that SIGHUP put what was read in force; partner of `config_reloads_refused`.
    config_reloads,
    /// Times that something in what SIGHUP had read was wrong, so that nothing was changed.
    config_reloads_refused,
    /// States of calls told to other relays; partner of `shared_refused`.
    shared_told,
    /// States of calls that were not taken, because another relay had taken the call over.
    shared_refused,
    /// Changes of calls of other relays taken; partner of `shared_missed`.
    shared_followed,
    /// Changes of calls of other relays for which there was no room, so that they were read again.
    shared_missed,
    /// Times that what was missed of other relays' calls was read again.
    shared_resyncs,
    /// Calls of other relays that are not shown here, because there are too many.
    shared_unshown,
    /// What other relays said for which there was no room.
    letters_lost,
    /// What came from other relays and could not be read.
    letters_bad,
    /// What was done to calls that other relays have, sent there; partner of `deeds_lost`.
    deeds_sent,
    /// The same sent again, for want of an answer.
    deeds_resent,
    /// The same of other relays, done here.
    deeds_done,
    /// The same handed back, because the call was another relay's by then.
    deeds_back,
    /// What was done to calls of other relays and could not be kept until they could be reached.
    deeds_lost,
    /// API requests for calls of other relays that were brought there and answered; `asks_late` are among them.
    asks_sent,
    /// Other relays that did not answer such a request in time.
    asks_late,
    /// Such requests refused because there were too many.
    asks_refused,
    /// Such requests of other relays, done here.
    asks_run,
    /// Messages published as Rails would; partner of `rails_lost`.
    rails_published,
    /// Frames and messages for Rails that were lost: Redis was slow, went away, or took none.
    rails_lost,
    /// Times that the link to Redis came up; partner of `redis_lost`.
    redis_connected,
    /// Times that it was lost.
    redis_lost,
    /// What was asked of Redis while the link was down, and so not sent.
    redis_failed_down: "redis_failed" { reason: "down" },
    /// What was asked of Redis and not answered in time.
    redis_failed_late: "redis_failed" { reason: "late" },
    /// What was asked of Redis when the link broke.
    redis_failed_broken: "redis_failed" { reason: "broken" },
    /// What Redis refused: its user may not, its memory is full, a script failed.
    redis_failed_refused: "redis_failed" { reason: "refused" },
    /// Connections to the admin listener refused because there were too many.
    admin_refused: "refusals" { door: "admin", reason: "too_many_connections" },
}

#[cfg(test)]
mod tests;
