//! `application/x-www-form-urlencoded`, as Twilio posts it: names and values in the order they came,
//! decoded.

use serde_json::{Map, Value};

/// Most fields of one form. Twilio sends about 40; custom parameters of a softphone come on top.
pub const MAX_FIELDS: usize = 1024;

/// A form's fields, decoded, in order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body or a query string; what is over [`MAX_FIELDS`] is left out. Never fails: what is no
    /// valid percent-encoding stands for itself, and bytes that are no UTF-8 become U+FFFD.
    pub fn parse(body: &[u8]) -> Form {
        Form(
            form_urlencoded::parse(body)
                .take(MAX_FIELDS)
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        )
    }

    /// How many fields a body has; [`Form::parse`] keeps [`MAX_FIELDS`] of them.
    pub fn count(body: &[u8]) -> usize {
        form_urlencoded::parse(body).count()
    }

    /// From the fields of a JSON object that are texts, numbers or true and false; `None` where it is none.
    pub fn from_json(body: &[u8]) -> Option<Form> {
        let object: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let text = |value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(is) => Some(is.to_string()),
            _ => None,
        };
        let pairs = object
            .into_iter()
            .filter_map(|(name, value)| Some((name, text(value)?)));
        Some(Form(pairs.take(MAX_FIELDS).collect()))
    }

    /// From names and values.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Form {
        Form(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// The first value of a name, untrimmed.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    /// The first value of a name where it is not empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|v| !v.is_empty())
    }

    /// Adds a field at the end.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// All fields in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The body that a POST carries.
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.pairs())
            .finish()
    }
}

/// Names only: values are phone numbers and what people said.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(k, _)| k)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plus_and_percent_are_decoded_and_order_kept() {
        let form = Form::parse(b"To=%2B15550100002&ToCity=S%C3%83O+PAULO&FromCity=&a=1&a=2");
        assert_eq!(form.get("To"), Some("+15550100002"));
        assert_eq!(form.get("ToCity"), Some("SÃO PAULO"));
        assert_eq!((form.get("FromCity"), form.filled("FromCity")), (Some(""), None));
        assert_eq!(form.get("a"), Some("1"));
        assert!(!format!("{form:?}").contains("1555"));
    }

    #[test]
    fn json_is_read_as_far_as_it_is_a_form() {
        let form =
            Form::from_json(br#"{"CallSid":"CA1","Final":true,"SequenceId":2,"more":{"a":1},"none":null}"#);
        let form = form.expect("it is an object");
        let pairs: Vec<_> = form.pairs().collect();
        assert_eq!(
            pairs,
            [("CallSid", "CA1"), ("Final", "true"), ("SequenceId", "2")]
        );
        assert!(Form::from_json(b"[1]").is_none() && Form::from_json(b"{").is_none());
        assert_eq!(Form::count(b"a=1&b&&c=2"), 3);
    }

    proptest! {
        #[test]
        fn any_form_comes_back(pairs in prop::collection::vec((".*", ".*"), 0..20)) {
            let form = Form::from_pairs(pairs);
            prop_assert_eq!(Form::parse(form.encode().as_bytes()), form);
        }

        #[test]
        fn no_bytes_can_crash_the_parser(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Form::parse(&bytes).encode();
        }
    }
}
