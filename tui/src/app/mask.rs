//! What privacy leaves of numbers and texts. For the eye only: what is copied or asked for is whole.

/// An address without all but its last two characters, as `PhoneNumber` prints itself.
pub fn mask_address(address: &str) -> String {
    let count = address.chars().count();
    // Two of a short address would be all of it.
    let shown = if count >= 6 { 2 } else { 0 };
    let end = address.chars().skip(count.saturating_sub(shown));
    std::iter::once('…').chain(end).collect()
}

/// A text of which only the shape is left: how many words, and how long.
pub fn mask_text(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_whitespace() { c } else { '•' })
        .collect()
}

/// Digits in a row, spaces and dashes between them or not, from which on they can be somebody's number.
const NUMBER: usize = 5;

/// A text whose long numbers are masked, as in `busy: …00`.
pub fn mask_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        let joins = !run.is_empty() && matches!(c, ' ' | '-' | '.' | '(' | ')');
        if c.is_ascii_digit() || c == '+' || joins {
            run.push(c);
        } else {
            put_run(&mut out, &mut run);
            out.push(c);
        }
    }
    put_run(&mut out, &mut run);
    out
}

fn put_run(out: &mut String, run: &mut String) {
    let number = run.trim_end_matches([' ', '-', '.', '(', ')']);
    if number.chars().filter(char::is_ascii_digit).count() >= NUMBER {
        out.push_str(&mask_address(number));
        out.push_str(run.get(number.len()..).unwrap_or_default());
    } else {
        out.push_str(run);
    }
    run.clear();
}

/// Keys of an event's detail whose values name somebody or quote what was said.
const PRIVATE: [&str; 12] = [
    "from",
    "to",
    "caller",
    "called",
    "agent",
    "customer",
    "customer_id",
    "dialed",
    "text",
    "keyword",
    "words",
    "name",
];

/// The value of an event's detail, by its key.
pub fn mask_detail(key: &str, value: &str) -> String {
    if PRIVATE.contains(&key) {
        mask_address(value)
    } else {
        mask_numbers(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partyline_shared::phone::PhoneNumber;

    #[test]
    fn an_address_is_masked_as_everywhere_else() {
        for address in ["+12125550100", "911", "", "client:anna", "sip:désk@example.com"] {
            assert_eq!(mask_address(address), PhoneNumber::new(address).to_string());
        }
    }

    #[test]
    fn a_text_keeps_its_shape() {
        assert_eq!(mask_text("my card is 4111"), "•• •••• •• ••••");
    }

    #[test]
    fn long_numbers_are_masked_wherever_they_stand() {
        assert_eq!(mask_numbers("rang +1 212-555-0100, 3 times"), "rang …00, 3 times");
        assert_eq!(mask_numbers("code 31921"), "code …");
        assert_eq!(mask_numbers("1 2 busy"), "1 2 busy");
        assert_eq!(mask_detail("to", "client:anna"), "…na");
        assert_eq!(mask_detail("code", "486"), "486");
    }
}
