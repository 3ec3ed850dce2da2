//! How long frames may wait for others: not at all while there is room, up to 20 ms where the machine is
//! busy, so that the cost of a frame falls as the load rises. Decides, and does not measure.

use std::time::Duration;

use crate::config::Coalesce;

/// The longest that frames wait under load: what one frame lasts, so that a listener's jitter buffer, which
/// has to bear as much from any network, bears it too.
pub const LONGEST: Duration = Duration::from_millis(20);

/// Busy share of the machine's cores at which frames begin to wait …
const ON: f64 = 0.70;
/// … and under which they no longer do. Far below: waiting itself saves nearly half of the work, and a relay
/// that goes back and forth would be heard.
const OFF: f64 = 0.35;

/// The window in force.
#[derive(Debug)]
pub struct Pace {
    coalesce: Coalesce,
    waits: bool,
}

impl Pace {
    /// A machine that has nothing to do.
    pub fn new(coalesce: Coalesce) -> Pace {
        Pace {
            coalesce,
            waits: false,
        }
    }

    /// What is asked for, from here on.
    pub fn set(&mut self, coalesce: Coalesce) {
        self.coalesce = coalesce;
    }

    /// The window, where `busy` of the cores' time was taken lately, 0 to 1; `None` where nobody can tell.
    pub fn window(&mut self, busy: Option<f64>) -> Duration {
        match self.coalesce {
            Coalesce::Off => Duration::ZERO,
            Coalesce::Always(window) => window,
            Coalesce::Auto => {
                let busy = busy.unwrap_or(0.0);
                self.waits = busy >= ON || (self.waits && busy > OFF);
                if self.waits { LONGEST } else { Duration::ZERO }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_wait_only_under_load_and_go_on_waiting_until_it_is_over() {
        let mut pace = Pace::new(Coalesce::Auto);
        let told = [0.1, 0.69, 0.7, 0.5, 0.36, 0.35, 0.6, 1.0].map(|busy| pace.window(Some(busy)));
        let (at_once, waits) = (Duration::ZERO, LONGEST);
        assert_eq!(
            told,
            [at_once, at_once, waits, waits, waits, at_once, at_once, waits]
        );
        assert_eq!(pace.window(None), at_once, "nobody knows: as if there were room");
    }

    #[test]
    fn what_was_asked_for_is_done_whatever_the_load() {
        let window = Duration::from_millis(5);
        let mut pace = Pace::new(Coalesce::Always(window));
        assert_eq!((pace.window(Some(0.0)), pace.window(Some(1.0))), (window, window));
        pace.set(Coalesce::Off);
        assert_eq!(pace.window(Some(1.0)), Duration::ZERO);
    }
}
