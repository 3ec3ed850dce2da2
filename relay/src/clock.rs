//! The time, taken once where something arrives and handed down from there.

use std::time::{Duration, Instant};

use partyline_shared::time::UtcTime;

/// One moment on both clocks: the steady one for deadlines, the wall's for what people read.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Never steps; counts deadlines.
    pub mono: Instant,
    /// May step; is shown and written.
    pub wall: UtcTime,
}

impl Now {
    /// The present moment.
    pub fn take() -> Now {
        let since_1970 = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let wall = UtcTime::from_unix_ms(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX));
        Now {
            mono: Instant::now(),
            wall,
        }
    }

    /// A later moment, for tests and deadlines.
    pub fn plus(self, time: Duration) -> Now {
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Now {
            mono: self.mono + time,
            wall: self.wall.plus_ms(ms),
        }
    }
}
