//! The names of all settings, with what they take.

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// An array of strings; a lone string is a list of one.
    List,
}

/// The settings that are also flags and environment variables.
pub(super) const SETTINGS: &[(&str, Kind)] = &[
    ("listen", Kind::Text),
    ("public_url", Kind::Text),
    ("twilio_account", Kind::List),
    ("twilio_auth_token_file", Kind::Text),
    ("foreign_streams", Kind::Text),
    ("tokens", Kind::Text),
    ("jwks", Kind::Text),
    ("jwt_secret_file", Kind::Text),
    ("jwt_issuer", Kind::Text),
    ("jwt_audience", Kind::Text),
    ("tls_cert", Kind::Text),
    ("tls_key", Kind::Text),
    ("trusted_proxy", Kind::List),
    ("admin_listen", Kind::Text),
    ("audit", Kind::Text),
    ("audit_fail", Kind::Text),
    ("allowed_origin", Kind::List),
    ("retention", Kind::Text),
    ("history", Kind::Text),
    ("attach", Kind::Text),
    ("state", Kind::Text),
    ("twilio_api", Kind::Text),
    ("redis", Kind::Text),
    ("channel_prefix", Kind::Text),
    ("redis_rails_prefix", Kind::Text),
    ("coalesce", Kind::Text),
    ("transcription", Kind::List),
    ("max_calls", Kind::Number),
    ("max_listeners", Kind::Number),
    ("drain_timeout", Kind::Text),
    ("log_format", Kind::Text),
    ("log_level", Kind::Text),
    ("insecure", Kind::Switch),
];

/// The settings that only the file has: who is rung, and what is said.
pub(super) const DIAL_KEYS: &[(&str, Kind)] = &[
    ("caller_id", Kind::Text),
    ("default_dial", Kind::Text),
    ("dial_allow", Kind::List),
    ("notice", Kind::Text),
    ("notice_language", Kind::Text),
    ("notice_to", Kind::Text),
];

/// The table of `[[routes]]`.
pub(super) const ROUTES: &str = "routes";

/// What a route may say.
pub(super) const ROUTE_KEYS: &[(&str, Kind)] = &[
    ("to", Kind::Text),
    ("dial", Kind::Text),
    ("customer_id", Kind::Text),
    ("agent", Kind::Text),
];

/// The name most like `name`.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names.max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)))
}
