//! What a minute of a call costs beside the call itself, by Twilio's list prices. They are the program's knowledge and not
//! asked for: Twilio publishes them on its pages only.

use crate::config::{Config, Engine};

use super::verdict::Verdict;

/// One stream, of both tracks, for a minute: thousandths of a cent in US dollars, by Twilio's list of autumn 2026.
const STREAM: u32 = 440;
/// Real-time transcription for a minute, in the same unit, by the same list.
const TRANSCRIPTION: u32 = 2_700;

pub(super) fn look(config: &Config) -> Vec<Verdict> {
    let transcribes = config.transcription.contains(&Engine::Twilio);
    let total = STREAM + if transcribes { TRANSCRIPTION } else { 0 };
    let parts = if transcribes {
        format!(
            "stream {} and transcription {}",
            dollars(STREAM),
            dollars(TRANSCRIPTION)
        )
    } else {
        "the stream alone".to_owned()
    };
    let found = format!(
        "{} a minute of each call, beside the call itself: {parts} (Twilio's US list prices of autumn 2026, each \
         minute begun counts; twilio.com/voice/pricing has today's)",
        dollars(total)
    );
    vec![Verdict::ok("cost", found)]
}

fn dollars(thousandths_of_a_cent: u32) -> String {
    format!(
        "${}.{:04}",
        thousandths_of_a_cent / 100_000,
        thousandths_of_a_cent % 100_000 / 10
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests_support::secure;

    #[test]
    fn what_is_configured_is_what_is_counted() {
        let mut config = secure("127.0.0.1:0", &[]);
        assert!(
            look(&config)[0].line(true).contains("$0.0314 a minute"),
            "{:?}",
            look(&config)
        );
        config.transcription.clear();
        assert!(
            look(&config)[0].line(true).contains("$0.0044 a minute"),
            "{:?}",
            look(&config)
        );
    }
}
