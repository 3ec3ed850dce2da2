//! Whether this machine's clock is right, by the time that Twilio's API writes on its answers. Signed tokens, passes and
//! tickets live by the clock, and so does every line of the record.

use http::{Method, header};
use partyline_shared::time::UtcTime;

use crate::clock::Now;
use crate::config::Config;

use super::ask::{Target, ask};
use super::verdict::Verdict;

/// How far the clock may be off, seconds: a pass lives 15 minutes, a ticket one; nobody sees this much in a log.
const OFF: i64 = 30;

pub(super) async fn look(config: &Config) -> Vec<Verdict> {
    const WHAT: &str = "clock";
    let target = Target::of(&config.twilio_api);
    let doubt = |why: String| {
        let fix = "see that this machine reaches Twilio's API, and that its time is kept (timedatectl)";
        vec![Verdict::warn(WHAT, why, fix)]
    };
    let answer = match ask(&target, Method::GET, "/", &[], String::new()).await {
        Ok(answer) => answer,
        Err(error) => {
            return doubt(format!(
                "nobody could be asked for the time: {}: {error}",
                config.twilio_api
            ));
        }
    };
    let date = answer.headers.get(header::DATE);
    let date = date.and_then(|date| UtcTime::parse(date.to_str().ok()?));
    match date {
        None => doubt(format!("{} did not say what time it is", config.twilio_api)),
        Some(theirs) => vec![verdict(Now::take().wall, theirs)],
    }
}

fn verdict(ours: UtcTime, theirs: UtcTime) -> Verdict {
    const WHAT: &str = "clock";
    // Theirs has whole seconds.
    let off = (ours.unix_ms() - theirs.unix_ms()) / 1000;
    if off.abs() > OFF {
        let (by, how) = (off.abs(), if off > 0 { "ahead" } else { "behind" });
        let fix = "set it, and have it kept: `timedatectl set-ntp true`, or chrony";
        Verdict::warn(WHAT, format!("it is {by} s {how} of Twilio's"), fix)
    } else {
        Verdict::ok(WHAT, format!("within {OFF} s of Twilio's"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Mark;

    #[test]
    fn half_a_minute_is_near_enough_and_more_is_told() {
        let at = UtcTime::from_unix_ms;
        for (ours, mark) in [
            (0, Mark::Ok),
            (30_900, Mark::Ok),
            (31_000, Mark::Warn),
            (-31_000, Mark::Warn),
        ] {
            assert_eq!(verdict(at(1_000_000 + ours), at(1_000_000)).mark, mark, "{ours}");
        }
        let line = verdict(at(0), at(90_000)).line(true);
        assert!(
            line.starts_with("! clock: it is 90 s behind of Twilio's; set it"),
            "{line}"
        );
    }
}
