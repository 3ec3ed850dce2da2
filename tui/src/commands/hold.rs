//! `partyline pause` and `partyline resume`: a call is held back from everybody, and let go again.

use partyline_shared::call::Call;

use crate::cli::Hold;
use crate::client::api;
use crate::client::relay::Relay;
use crate::failure::Failure;
use crate::print::Lines;

use super::calls::text;

/// Prints the call as it stands then.
pub(super) async fn run(args: &Hold, on: bool, relay: Relay) -> Result<(), Failure> {
    let call: Call = api::hold(&relay, &args.call_sid, on).await?;
    let mut out = Lines::stdout();
    if args.json {
        out.json(&call)
    } else {
        out.text(&text(&call))
    }
}
