//! Close codes, and whether to come back after one (contract 4).

/// All is said.
pub const NORMAL: u16 = 1000;
/// The relay leaves: come back, elsewhere or later.
pub const GOING_AWAY: u16 = 1001;
/// The peer broke WebSocket's rules.
pub const PROTOCOL_ERROR: u16 = 1002;
/// Text that is no UTF-8, or a message of the wrong kind.
pub const INVALID_DATA: u16 = 1007;
/// The peer did what it may not.
pub const POLICY: u16 = 1008;
/// A message was too big.
pub const TOO_BIG: u16 = 1009;
/// Something failed here.
pub const INTERNAL: u16 = 1011;
/// Who I am was not good enough.
pub const NOT_AUTHORISED: u16 = 4001;
/// The listener did not take its lines: resume with `after`.
pub const TOO_SLOW: u16 = 4008;
/// This user has all the connections it may have.
pub const TOO_MANY: u16 = 4009;

/// Whether a client comes back after `code`; `None` is a connection lost without one (1006).
pub fn comes_back(code: Option<u16>) -> bool {
    !matches!(
        code,
        Some(PROTOCOL_ERROR | INVALID_DATA | POLICY | TOO_BIG | NOT_AUTHORISED | TOO_MANY)
    )
}
