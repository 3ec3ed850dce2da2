//! What stands at Twilio's, what should, and the difference: shown and posted. Pure.

use std::fmt;

use partyline_shared::text::clean;
use serde_json::Value;

use super::thing::Found;
use crate::config::Origin;
use crate::rest::is_at;

/// Where Twilio is to call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) public_url: &'a Origin,
    /// Stays as it is where nothing is said.
    pub(super) fallback: Option<&'a str>,
}

/// One field of Twilio's.
#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: &'static str,
    is: String,
    wanted: String,
    why: &'static str,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Changes {
    head: String,
    fields: Vec<Field>,
    /// What is left alone, and deserves a word.
    notes: Vec<&'static str>,
}

/// A page of TwiML elsewhere.
pub(super) fn fallback(text: &str) -> Result<String, String> {
    let url = text.parse::<http::Uri>().ok();
    let is_url = url.is_some_and(|url| {
        matches!(url.scheme_str(), Some("https" | "http")) && url.host().is_some_and(|host| !host.is_empty())
    });
    let is_url = is_url && text.len() <= MAX_URL && text.is_ascii();
    is_url
        .then(|| text.to_owned())
        .ok_or_else(|| "write the URL of a page with TwiML, https://HOST/PATH".to_owned())
}

/// Longest URL taken, bytes: Twilio takes no longer one.
const MAX_URL: usize = 4000;

impl Changes {
    /// From what is to what is wanted.
    pub(super) fn between(found: &Found, wanted: &Wanted<'_>) -> Changes {
        let is = |name: &str| {
            let text = found.json.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let field = |name, key, wanted: String, why| Field {
            name,
            is: is(key),
            wanted,
            why,
        };
        let base = wanted.public_url;
        // A query or fragment of the operator's own stays.
        let page = |key: &str, path: &str| {
            let (is, page) = (is(key), format!("{base}{path}"));
            if is_at(&is, &page) { is } else { page }
        };
        let mut fields = Vec::new();
        if found.is_number {
            let elsewhere = "a call would go there, whatever the voice URL says";
            let app = field(
                "VoiceApplicationSid",
                "voice_application_sid",
                String::new(),
                elsewhere,
            );
            let trunk = field("TrunkSid", "trunk_sid", String::new(), elsewhere);
            fields.extend([app, trunk]);
        }
        fields.push(field(
            "VoiceUrl",
            "voice_url",
            page("voice_url", "/twilio/voice"),
            "",
        ));
        fields.push(field("VoiceMethod", "voice_method", "POST".to_owned(), ""));
        let mut notes = Vec::new();
        match wanted.fallback {
            Some(url) => fields.push(field("VoiceFallbackUrl", "voice_fallback_url", url.to_owned(), "")),
            None if is("voice_fallback_url").is_empty() => notes.push(
                "there is no fallback: while the relay does not answer, callers hear an error; give --fallback URL",
            ),
            None => notes.push("the fallback stays as it is"),
        }
        let status = page("status_callback", "/twilio/status");
        let end = "the end of each call; what comes before it is asked for in the relay's TwiML";
        fields.push(field("StatusCallback", "status_callback", status, end));
        fields.push(field(
            "StatusCallbackMethod",
            "status_callback_method",
            "POST".to_owned(),
            "",
        ));
        let friendly = clean(&is("friendly_name"));
        let account = found.account.sid();
        Changes {
            head: format!("{} ({friendly}) of {account}", found.name),
            fields,
            notes,
        }
    }

    /// Whether all is as wanted.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.iter().all(Field::is_right)
    }

    /// What is posted.
    pub(super) fn form(&self) -> Vec<(&str, &str)> {
        let wrong = self.fields.iter().filter(|field| !field.is_right());
        wrong.map(|field| (field.name, field.wanted.as_str())).collect()
    }
}

impl Field {
    fn is_right(&self) -> bool {
        self.is == self.wanted
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| {
            if text.is_empty() {
                "(none)".to_owned()
            } else {
                clean(text)
            }
        };
        writeln!(f, "{}", self.head)?;
        for Field {
            name,
            is,
            wanted,
            why,
        } in &self.fields
        {
            let why = if why.is_empty() {
                String::new()
            } else {
                format!("  ({why})")
            };
            if is == wanted {
                // Only what would matter if it were otherwise.
                if !wanted.is_empty() {
                    writeln!(f, "  {name}: {} is right already", shown(is))?;
                }
            } else {
                writeln!(f, "  {name}: {} → {}{why}", shown(is), shown(wanted))?;
            }
        }
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::config::{Config, ServeArgs};
    use crate::rest::{Account, Api};

    fn found(is_number: bool, json: Value) -> Found {
        let args = ServeArgs {
            insecure: Some("true".into()),
            ..ServeArgs::default()
        };
        let env = |name: &str| (name == "TWILIO_AUTH_TOKEN").then(|| "secret".to_owned());
        let config = Config::load(&args, &env, &|_| unreachable!()).unwrap();
        let api = Arc::new(Api::new(&config.twilio_api));
        Found {
            account: Account::new(api, &config.accounts, "AC1").unwrap(),
            resource: "IncomingPhoneNumbers/PN1.json".into(),
            name: "the number +12125550100".into(),
            is_number,
            json,
        }
    }

    fn changes(found: &Found, fallback: Option<&str>) -> Changes {
        let origin = Origin::parse("https://calls.example.com").unwrap();
        let wanted = Wanted {
            public_url: &origin,
            fallback,
        };
        Changes::between(found, &wanted)
    }

    #[test]
    fn what_differs_is_shown_and_posted_and_nothing_else() {
        let number = found(
            true,
            json!({
                "friendly_name": "Main\u{1b}[2J line", "voice_url": "https://demo.example/", "voice_method": "POST",
                "voice_application_sid": "AP1", "trunk_sid": null, "status_callback": "", "status_callback_method": "GET",
                "voice_fallback_url": "",
            }),
        );
        let changes = changes(&number, Some("https://static.example/sorry.xml"));
        assert_eq!(
            changes.form(),
            [
                ("VoiceApplicationSid", ""),
                ("VoiceUrl", "https://calls.example.com/twilio/voice"),
                ("VoiceFallbackUrl", "https://static.example/sorry.xml"),
                ("StatusCallback", "https://calls.example.com/twilio/status"),
                ("StatusCallbackMethod", "POST"),
            ]
        );
        let shown = changes.to_string();
        assert!(!shown.contains('\u{1b}') && !changes.is_empty(), "{shown}");
        for line in [
            "the number +12125550100 (Main[2J line) of AC1",
            "VoiceApplicationSid: AP1 → (none)  (a call would go there",
            "VoiceUrl: https://demo.example/ → https://calls.example.com/twilio/voice",
            "VoiceMethod: POST is right already",
            "StatusCallback: (none) → https://calls.example.com/twilio/status",
        ] {
            assert!(shown.contains(line), "{line} is not in\n{shown}");
        }
        assert!(!shown.contains("TrunkSid"));
    }

    #[test]
    fn what_is_right_needs_nothing() {
        let right = json!({
            "voice_url": "https://calls.example.com/twilio/voice", "voice_method": "POST",
            "status_callback": "https://calls.example.com/twilio/status", "status_callback_method": "POST",
            "voice_fallback_url": "https://static.example/sorry.xml", "voice_application_sid": "AP1",
        });
        let app = changes(&found(false, right.clone()), None);
        assert!(app.is_empty() && app.form().is_empty());
        assert!(app.to_string().contains("the fallback stays"));
        // A number's application is another matter than an application's own fields.
        assert!(!changes(&found(true, right), None).is_empty());
        let bare = changes(&found(false, json!({})), None).to_string();
        assert!(bare.contains("there is no fallback"), "{bare}");
    }

    #[test]
    fn what_an_operator_wrote_behind_our_page_stays() {
        let voice = "https://calls.example.com/twilio/voice?customer_id=7#rc=2&rp=ct,rt";
        let number = found(true, json!({ "voice_url": voice, "voice_method": "GET" }));
        let changes = changes(&number, None);
        let posted = changes.form();
        assert!(!posted.iter().any(|(name, _)| *name == "VoiceUrl"), "{posted:?}");
        assert!(
            changes
                .to_string()
                .contains(&format!("VoiceUrl: {voice} is right already"))
        );
        let other = found(
            true,
            json!({ "voice_url": "https://calls.example.com/twilio/voicemail" }),
        );
        let to = ("VoiceUrl", "https://calls.example.com/twilio/voice");
        assert!(self::changes(&other, None).form().contains(&to));
    }

    #[test]
    fn a_fallback_is_a_page() {
        assert!(fallback("https://static.example/sorry.xml?a=1").is_ok());
        for wrong in ["", "sorry.xml", "ftp://a/", "https://", "wss://a/"] {
            assert!(fallback(wrong).is_err(), "{wrong}");
        }
    }
    #[test]
    fn a_url_is_as_long_as_twilio_takes() {
        let beginning = "https://pages.example.com/";
        let fits = format!("{beginning}{}", "a".repeat(MAX_URL - beginning.len()));
        assert_eq!(fallback(&fits), Ok(fits.clone()));
        assert!(fallback(&format!("{fits}a")).is_err());
    }
}
