//! A request's parameters, as strictly as a script needs it: what is said twice, or too long, is refused rather than
//! taken by halves.

use partyline_shared::twilio::form::{Form, MAX_FIELDS};

use crate::respond::Refusal;

/// What stands behind the `?` of a path.
#[derive(Debug)]
pub struct Query(Form);

impl Query {
    /// Reads it; parameters that are not known are nobody's business.
    ///
    /// # Errors
    /// 400 where it has more fields than are looked at.
    pub fn parse(text: Option<&str>) -> Result<Query, Refusal> {
        let bytes = text.unwrap_or_default().as_bytes();
        if Form::count(bytes) > MAX_FIELDS {
            return Err(Refusal::bad_request(format!(
                "a query has {MAX_FIELDS} parameters at most"
            )));
        }
        Ok(Query(Form::parse(bytes)))
    }

    /// A parameter, where it is there.
    ///
    /// # Errors
    /// 400 where it is there twice: which of the two is meant is not known.
    pub fn once(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.pairs().filter(|(key, _)| *key == name);
        let first = values.next().map(|(_, value)| value);
        if values.next().is_some() {
            return Err(Refusal::bad_request(format!("{name} is given twice")));
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_there_once_or_not_at_all() {
        let query = Query::parse(Some("a=1&b=&c=2&c=2&c%5B%5D=3")).unwrap();
        assert_eq!(query.once("a"), Ok(Some("1")));
        assert_eq!(query.once("b"), Ok(Some("")));
        assert_eq!(query.once("d"), Ok(None));
        assert_eq!(query.once("c").unwrap_err().message, "c is given twice");
        assert_eq!(Query::parse(None).unwrap().once("a"), Ok(None));
        let most = "x&".repeat(MAX_FIELDS);
        assert!(Query::parse(Some(&most)).is_ok());
        assert_eq!(Query::parse(Some(&format!("{most}a=1"))).unwrap_err().status, 400);
    }
}
