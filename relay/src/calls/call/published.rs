//! What is published of a call by others than Twilio: who calls whom, and single lines. Its audio comes by a stream as
//! any other's does. Asks for the right to it: what a bearer may not write to does not exist for it.

use partyline_shared::line::Line;

use super::{Call, Held, Tell};
use crate::access::Grant;
use crate::calls::journal::NewLine;
use crate::calls::life::Turn;
use crate::calls::parties::FromWebhook;
use crate::calls::transcription::Heard;
use crate::clock::Now;
use crate::lock::lock;

/// What a call is for who would publish its audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is none of theirs, or nobody's any more.
    Nothing,
    /// It is over.
    Over,
    /// It goes on.
    Live,
}

/// Why a line is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// The call is none of the bearer's, or nobody's any more.
    NotTheirs,
    /// Another relay has it by now, or is about to let go of it: nothing was written.
    Elsewhere,
    /// It is paused, or the line may be of what was said while it was.
    Paused,
}

impl Call {
    /// Who publishes its audio, where that is not Twilio: as [`Call::introduced`] was told, at whichever relay.
    pub fn maker(&self) -> Option<String> {
        lock(&self.state).known.maker().cloned()
    }

    /// Who calls whom, and whose call it is, as the source says whose mark is `maker`. As with TwiML of ours, a stream of Twilio's would have
    /// to show a pass, and there is none.
    pub fn introduced(&self, now: Now, from: FromWebhook, maker: String) {
        self.change(now, |state| {
            state.known.webhook(from);
            state.known.made_by(maker);
            (Tell::Nothing, ())
        });
    }

    /// How it stands for a bearer who would publish its audio.
    pub fn standing_for(&self, grant: &Grant) -> Standing {
        let state = lock(&self.state);
        let customer = state.known.customer_id().map(String::as_str);
        if state.forgotten || !grant.publishes_audio_for(customer) {
            Standing::Nothing
        } else if state.life.ended().is_some() {
            Standing::Over
        } else {
            Standing::Live
        }
    }

    /// Whether nothing is heard of it any more: it is over, or off the list.
    pub fn is_over(&self) -> bool {
        let state = lock(&self.state);
        state.forgotten || state.life.ended().is_some()
    }

    /// A line that the bearer of `grant` wrote, as everybody is shown it.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn line(&self, now: Now, grant: &Grant, line: NewLine) -> Result<Line, NotTaken> {
        self.change(now, |state| {
            let customer = state.known.customer_id().map(String::as_str);
            if state.forgotten || !grant.publishes_lines_for(customer) {
                return (Tell::Nothing, Err(NotTaken::NotTheirs));
            }
            if state.mirror.held != Held::Ours {
                return (Tell::Nothing, Err(NotTaken::Elsewhere));
            }
            let turn = state.life.heard_of(now);
            let before = state.journal.last().line;
            let heard = state.unless_paused(Heard::Line(line.clone()));
            let told = state.heard(now, vec![(line.at, heard)], &self.shared.metrics.lines_paused);
            let seq = state.journal.last().line;
            let taken = (seq > before).then(|| line.numbered(seq));
            let taken = taken.ok_or(NotTaken::Paused);
            let tell = if turn == Turn::Changed { Tell::Now } else { told };
            (tell, taken)
        })
    }
}

#[cfg(test)]
mod tests {
    use partyline_shared::call::CallStatus;
    use partyline_shared::phone::PhoneNumber;
    use partyline_shared::track::{Role as Heard, Track};
    use partyline_shared::twilio::callback::Parties;

    use super::*;
    use crate::access::Role;
    use crate::calls::call::tests_support::call;
    use crate::calls::call::{Accepted, Kind};

    fn introduced(now: Now) -> Call {
        let call = call(now);
        let from = FromWebhook {
            parties: Parties {
                from: PhoneNumber::non_empty("client:bob"),
                ..Parties::default()
            },
            customer_id: Some("7".into()),
            ..FromWebhook::default()
        };
        call.introduced(now, from, "maker".to_owned());
        call.accept_stream(now, 1, Accepted::default());
        call
    }

    fn line(now: Now) -> NewLine {
        NewLine {
            at: now.wall,
            start_ms: Some(100),
            end_ms: Some(900),
            track: Track::Outbound,
            text: "Hello?".into(),
            is_final: true,
            confidence: Some(0.5),
            engine: "worker".into(),
            sequence: None,
        }
    }

    fn of(role: Role, customer: &str) -> Grant {
        Grant::new("x", role, vec![customer.into()], Vec::new())
    }

    #[test]
    fn a_source_s_call_is_a_call_and_whose_it_is_decides_who_writes_to_it() {
        let now = Now::take();
        let call = introduced(now);
        let view = call.view();
        assert_eq!(
            (view.status, view.roles.inbound),
            (CallStatus::InProgress, Heard::Agent)
        );
        assert!(call.origin().answered, "a stream of Twilio's shows a pass");
        assert_eq!(call.standing_for(&of(Role::Source, "7")), Standing::Live);
        for other in [
            of(Role::Source, "8"),
            of(Role::User, "7"),
            of(Role::Transcriber, "7"),
        ] {
            assert_eq!(call.standing_for(&other), Standing::Nothing);
        }
        let writes = |grant: &Grant| call.line(now, grant, line(now)).map(drop);
        assert_eq!(writes(&of(Role::Transcriber, "7")), Ok(()));
        assert_eq!(writes(&of(Role::Transcriber, "8")), Err(NotTaken::NotTheirs));
        assert_eq!(writes(&of(Role::Source, "7")), Err(NotTaken::NotTheirs));
        call.stream_stopped(now, 1);
        assert_eq!(call.standing_for(&of(Role::Source, "7")), Standing::Over);
        call.forget();
        assert_eq!(call.standing_for(&Grant::insecure()), Standing::Nothing);
        assert_eq!(writes(&Grant::insecure()), Err(NotTaken::NotTheirs));
    }

    #[test]
    fn a_line_is_shown_as_it_is_kept_also_when_the_call_is_over() {
        let now = Now::take();
        let call = introduced(now);
        call.stream_stopped(now, 1);
        let told = call
            .line(now, &Grant::insecure(), line(now))
            .expect("it is taken");
        assert_eq!((told.seq, told.start_ms, told.end_ms), (1, Some(100), Some(900)));
        let (_, kept) = call.remembered(&Grant::insecure(), Kind::Lines, None).unwrap();
        let shown = serde_json::to_string(&told).unwrap();
        assert_eq!(kept[0].json(), shown);
        assert!(call.ended().is_some(), "a line revives nothing");
    }
}
