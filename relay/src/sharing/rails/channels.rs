//! How Rails calls a call's channels in Redis (pure): `PREFIX:call_stream_CA…` and its kin. Pub/sub knows no databases,
//! so the prefix is all that keeps applications apart.

use partyline_shared::id::CallSid;

/// What a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `CallStreamChannel`: start, media, stop.
    Stream,
    /// `TwilioMediaChannel`: media.
    Audio,
    /// `TwilioMediaChannel`: transcript.
    Transcript,
}

impl Kind {
    pub(super) const ALL: [Kind; 3] = [Kind::Stream, Kind::Audio, Kind::Transcript];

    fn stem(self) -> &'static str {
        match self {
            Kind::Stream => "call_stream_",
            Kind::Audio => "call_audio_",
            Kind::Transcript => "call_transcript_",
        }
    }
}

/// Rails' `channel_prefix`, and the colon behind it.
#[derive(Debug)]
pub(super) struct Prefix(String);

impl Prefix {
    pub(super) fn new(prefix: &str) -> Prefix {
        Prefix(format!("{prefix}:"))
    }

    /// A channel's whole name.
    pub(super) fn channel(&self, kind: Kind, call: &CallSid) -> String {
        [&self.0, kind.stem(), call.as_str()].concat()
    }

    /// What a channel is of, where it is one of these.
    pub(super) fn read(&self, channel: &str) -> Option<(Kind, CallSid)> {
        let name = channel.strip_prefix(&self.0)?;
        let of = |kind: Kind| Some((kind, CallSid::parse(name.strip_prefix(kind.stem())?).ok()?));
        Kind::ALL.into_iter().find_map(of)
    }

    /// What matches them all, and little else.
    pub(super) fn pattern(&self) -> String {
        let mut pattern = String::with_capacity(self.0.len() + 8);
        for c in self.0.chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern + "call_*"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_called_as_rails_calls_it_and_read_back() {
        let prefix = Prefix::new("smart_production");
        let call = CallSid::parse("CA1").unwrap();
        let golden = ["call_stream_CA1", "call_audio_CA1", "call_transcript_CA1"];
        for (kind, golden) in Kind::ALL.into_iter().zip(golden) {
            let channel = prefix.channel(kind, &call);
            assert_eq!(channel, format!("smart_production:{golden}"));
            assert_eq!(prefix.read(&channel), Some((kind, call.clone())));
        }
        for other in [
            "call_stream_CA1",
            "other:call_stream_CA1",
            "smart_production:call_stream_",
            "smart_production:call_levels_CA1",
            "smart_production:chat_1",
            "_action_cable_internal",
        ] {
            assert_eq!(prefix.read(other), None, "{other}");
        }
    }

    #[test]
    fn a_prefix_is_no_pattern() {
        assert_eq!(Prefix::new(r"a*[b]?\").pattern(), r"a\*\[b\]\?\\:call_*");
        assert_eq!(Prefix::new("").pattern(), ":call_*");
    }
}
