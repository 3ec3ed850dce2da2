//! ALSA's library writes several lines to stderr each time a device cannot be opened. For the thread that
//! calls [`Hush::begin`] they are kept instead: the last of them is what people want to know.

use std::cell::RefCell;
use std::rc::Rc;

/// While it lives, what ALSA says to this thread is kept.
pub(super) struct Hush {
    said: Option<Rc<RefCell<alsa::Output>>>,
}

impl Hush {
    /// From now on.
    pub(super) fn begin() -> Hush {
        Hush {
            said: alsa::Output::local_error_handler().ok(),
        }
    }

    /// What was said since, a line each.
    pub(super) fn said(&self) -> String {
        let said = self.said.as_ref().map(|said| said.borrow().to_string());
        said.unwrap_or_default()
    }
}
