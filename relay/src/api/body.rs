//! What a script posts, as JSON or as a form: the same fields either way, and a wrong one is named with what would be
//! right, never with what it was: it may be a number that somebody called. Knows no field by itself.

use std::borrow::Cow;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, StatusCode};
use hyper::body::{Body, Incoming};
use partyline_shared::twilio::form::Form;
use serde_json::{Map, Value};

use crate::errand::Posted;
use crate::respond::{self, Refusal};

/// A body's fields; those that nobody asks for mean nothing.
#[derive(Clone)]
pub enum Fields {
    /// `application/json`: numbers are numbers, true is true.
    Json(Map<String, Value>),
    /// `application/x-www-form-urlencoded`: all of it is text.
    Form(Form),
}

/// Which of the two a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
}

/// Takes the body of a request, up to `most` bytes.
///
/// # Errors
/// A [`Refusal`] with 415, 413 or 400.
pub async fn take(request: Request<Incoming>, most: usize) -> Result<Posted, Refusal> {
    let kind = Kind::of(request.headers())?;
    let body = respond::read_body(request.into_body(), most).await?;
    let form = kind == Kind::Form;
    let text = match String::from_utf8(body.into()) {
        Ok(text) => text,
        Err(bytes) if form => String::from_utf8_lossy(bytes.as_bytes()).into_owned(),
        // It says where that is no JSON.
        Err(bytes) => return Err(Fields::parse(kind, bytes.as_bytes()).err().unwrap_or_else(none)),
    };
    Ok(Posted { form, text })
}

/// The same where all fields may be left out: a request without a body, and without a word of one, is one without
/// fields.
///
/// # Errors
/// As [`take`].
pub async fn take_any(request: Request<Incoming>, most: usize) -> Result<Posted, Refusal> {
    if request.headers().get(CONTENT_TYPE).is_none() && request.body().is_end_stream() {
        let text = "{}".to_owned();
        return Ok(Posted { form: false, text });
    }
    take(request, most).await
}

/// Its fields.
///
/// # Errors
/// A [`Refusal`] with 400.
pub fn read(posted: &Posted) -> Result<Fields, Refusal> {
    let kind = if posted.form { Kind::Form } else { Kind::Json };
    Fields::parse(kind, posted.text.as_bytes())
}

fn none() -> Refusal {
    Refusal::bad_request("the body has to be a JSON object")
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Kind, Refusal> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/json" => Ok(Kind::Json),
            "application/x-www-form-urlencoded" => Ok(Kind::Form),
            _ => Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "say by Content-Type what the body is: application/json or application/x-www-form-urlencoded",
            )),
        }
    }
}

impl Fields {
    fn parse(kind: Kind, body: &[u8]) -> Result<Fields, Refusal> {
        if kind == Kind::Form {
            return Ok(Fields::Form(Form::parse(body)));
        }
        match serde_json::from_slice(body) {
            Ok(fields) => Ok(Fields::Json(fields)),
            Err(wrong) => {
                let (line, column) = (wrong.line(), wrong.column());
                let message =
                    format!("the body has to be a JSON object, and is none at line {line}, column {column}");
                Err(Refusal::bad_request(message))
            }
        }
    }

    /// A text; `None` where it is absent, null or blank.
    ///
    /// # Errors
    /// A [`Refusal`] with 400 where it is anything else.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'_, str>>, Refusal> {
        self.read(name, false)
    }

    /// The same for a name that some write as a number: 12345 is "12345".
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub fn name(&self, name: &str) -> Result<Option<Cow<'_, str>>, Refusal> {
        self.read(name, true)
    }

    /// A text that has to be there; `for_what` goes on after "NAME is missing: ".
    ///
    /// # Errors
    /// A [`Refusal`] with 400.
    pub fn needed(&self, name: &str, for_what: &str) -> Result<Cow<'_, str>, Refusal> {
        self.text(name)?.ok_or_else(|| missing(name, for_what))
    }

    fn read(&self, name: &str, numbers: bool) -> Result<Option<Cow<'_, str>>, Refusal> {
        let text = match self {
            Fields::Form(form) => form.get(name).map(Cow::Borrowed),
            Fields::Json(fields) => match fields.get(name) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(Cow::Borrowed(text.as_str())),
                Some(Value::Number(number)) if numbers && (number.is_u64() || number.is_i64()) => {
                    Some(Cow::Owned(number.to_string()))
                }
                Some(_) => return Err(wrong(name, "a text")),
            },
        };
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// True or false; in a form also 1 and 0.
    ///
    /// # Errors
    /// A [`Refusal`] with 400 where it is anything else, or absent.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        let told = match self {
            Fields::Json(fields) => match fields.get(name) {
                None | Some(Value::Null) => None,
                Some(Value::Bool(flag)) => Some(*flag),
                Some(_) => return Err(wrong(name, "true or false")),
            },
            Fields::Form(form) => match form.filled(name).map(str::trim) {
                None => None,
                Some("true" | "1") => Some(true),
                Some("false" | "0") => Some(false),
                Some(_) => return Err(wrong(name, "true or false")),
            },
        };
        told.ok_or_else(|| missing(name, "true or false"))
    }

    /// A whole number from 0 to `most`; `None` where it is absent, null or, in a form, blank.
    ///
    /// # Errors
    /// A [`Refusal`] with 400 where it is anything else.
    pub fn count(&self, name: &str, most: u64) -> Result<Option<u64>, Refusal> {
        let number = match self {
            Fields::Json(fields) => match fields.get(name) {
                None | Some(Value::Null) => return Ok(None),
                Some(value) => value.as_u64(),
            },
            Fields::Form(form) => match form.filled(name).map(str::trim) {
                None => return Ok(None),
                Some(text) => text.parse().ok(),
            },
        };
        let number = number.filter(|number| *number <= most);
        let right = || wrong(name, &format!("a whole number from 0 to {most}"));
        number.map(Some).ok_or_else(right)
    }

    /// A number from 0 to 1; `None` as in [`Fields::count`].
    ///
    /// # Errors
    /// As [`Fields::count`].
    pub fn share(&self, name: &str) -> Result<Option<f64>, Refusal> {
        let number = match self {
            Fields::Json(fields) => match fields.get(name) {
                None | Some(Value::Null) => return Ok(None),
                Some(value) => value.as_f64(),
            },
            Fields::Form(form) => match form.filled(name).map(str::trim) {
                None => return Ok(None),
                Some(text) => text.parse().ok(),
            },
        };
        let number = number.filter(|number| (0.0..=1.0).contains(number));
        number
            .map(Some)
            .ok_or_else(|| wrong(name, "a number from 0 to 1"))
    }

    /// Whether a space of it may have been a plus: in a form that is not escaped.
    pub fn is_form(&self) -> bool {
        matches!(self, Fields::Form(_))
    }
}

/// A field that is needed is not there.
pub fn missing(name: &str, for_what: &str) -> Refusal {
    Refusal::bad_request(format!("{name} is missing: {for_what}"))
}

/// A field is not what it has to be.
pub fn wrong(name: &str, right: &str) -> Refusal {
    Refusal::bad_request(format!("{name} has to be {right}"))
}

/// Names only: values are phone numbers, speech and words.
impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fields::Json(fields) => f.debug_set().entries(fields.keys()).finish(),
            Fields::Form(form) => form.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(body: &str) -> Fields {
        Fields::parse(Kind::Json, body.as_bytes()).unwrap()
    }

    fn form(body: &str) -> Fields {
        Fields::parse(Kind::Form, body.as_bytes()).unwrap()
    }

    #[test]
    fn json_and_form_say_the_same() {
        let both = [
            json(
                r#"{"customer_id":12345,"text":"a b","final":true,"start_ms":20,"confidence":0.5,"end_ms":null,"from":" ","more":[1]}"#,
            ),
            form("customer_id=12345&text=a+b&final=true&start_ms=20&confidence=0.5&end_ms=&from=+&more=1"),
        ];
        for fields in both {
            assert_eq!(fields.name("customer_id").unwrap().unwrap(), "12345");
            assert_eq!(fields.needed("text", "").unwrap(), "a b");
            assert!(fields.flag("final").unwrap());
            assert_eq!(fields.count("start_ms", 20).unwrap(), Some(20));
            assert_eq!(fields.share("confidence").unwrap(), Some(0.5));
            assert_eq!(fields.count("end_ms", 20).unwrap(), None);
            assert_eq!(fields.text("from").unwrap(), None);
            assert!(!format!("{fields:?}").contains("12345"));
        }
    }

    #[test]
    fn a_wrong_field_is_named_with_what_is_right_and_not_repeated() {
        let fields = json(
            r#"{"text":7,"customer_id":1.5,"final":"true","start_ms":"20","end_ms":-1,"confidence":2,"deep":{}}"#,
        );
        let said = [
            fields.text("text").unwrap_err(),
            fields.name("customer_id").unwrap_err(),
            fields.flag("final").unwrap_err(),
            fields.flag("nothing").unwrap_err(),
            fields.count("start_ms", 99).unwrap_err(),
            fields.count("end_ms", 99).unwrap_err(),
            fields.share("confidence").unwrap_err(),
            fields.text("deep").unwrap_err(),
            form("final=perhaps").flag("final").unwrap_err(),
            form("start_ms=20ms").count("start_ms", 99).unwrap_err(),
            form("start_ms=100").count("start_ms", 99).unwrap_err(),
            form("confidence=NaN").share("confidence").unwrap_err(),
        ];
        let said = said.map(|refusal| (refusal.status.as_u16(), refusal.message));
        let right = [
            "text has to be a text",
            "customer_id has to be a text",
            "final has to be true or false",
            "nothing is missing: true or false",
            "start_ms has to be a whole number from 0 to 99",
            "end_ms has to be a whole number from 0 to 99",
            "confidence has to be a number from 0 to 1",
            "deep has to be a text",
            "final has to be true or false",
            "start_ms has to be a whole number from 0 to 99",
            "start_ms has to be a whole number from 0 to 99",
            "confidence has to be a number from 0 to 1",
        ];
        assert_eq!(said, right.map(|message| (400, message.to_owned())));
    }

    #[test]
    fn the_type_decides_and_others_are_not_guessed() {
        let of = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            Kind::of(&headers)
        };
        assert_eq!(of("Application/JSON; charset=utf-8"), Ok(Kind::Json));
        assert_eq!(
            of("application/x-www-form-urlencoded;charset=UTF-8"),
            Ok(Kind::Form)
        );
        for other in [
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/jsonp",
        ] {
            assert_eq!(of(other).unwrap_err().status, 415, "{other}");
        }
        assert_eq!(Kind::of(&HeaderMap::new()).unwrap_err().status, 415);
        for none in ["", "[1]", "\"secret\"", "{", "{\"a\":1}x"] {
            let refusal = Fields::parse(Kind::Json, none.as_bytes()).unwrap_err();
            assert_eq!(refusal.status, 400);
            assert!(!refusal.message.contains("secret"), "{}", refusal.message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_can_crash_the_reader(body in prop::collection::vec(any::<u8>(), 0..200), name in "[a-z]{0,3}") {
            for kind in [Kind::Json, Kind::Form] {
                if let Ok(fields) = Fields::parse(kind, &body) {
                    let _ = (fields.text(&name), fields.flag(&name), fields.count(&name, 9), fields.share(&name));
                }
            }
        }
    }
}
