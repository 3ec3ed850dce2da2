//! A pairing code: what a person reads at the desk and types at the server. Used once. Never printed but where it is
//! meant to be read.

use std::fmt;

use zeroize::Zeroize;

/// Letters and digits that nobody takes for one another: Crockford's, without I, L, O and U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Letters of a code: five bits each, 60 in all. Who tries one a second has thousands of millions of years before him.
const LENGTH: usize = 12;

/// Letters that are read in one go.
const GROUP: usize = 4;

/// A code.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; LENGTH]);

/// That is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code is twelve letters and digits, as `partyline ear` shows them")]
pub struct NoCode;

impl Code {
    /// One that nobody can guess.
    pub fn random() -> Code {
        let mut dice: u64 = rand::random();
        Code(std::array::from_fn(|_| {
            let letter = (dice & 31) as u8;
            dice >>= 5;
            letter
        }))
    }

    /// Reads what somebody typed: case, spaces and dashes do not matter, and O, I and L are the digits that they look like.
    ///
    /// # Errors
    /// [`NoCode`] where it cannot be one.
    pub fn parse(text: &str) -> Result<Code, NoCode> {
        let mut letters = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let mut code = Code([0; LENGTH]);
        for place in &mut code.0 {
            *place = letters.next().and_then(value).ok_or(NoCode)?;
        }
        match letters.next() {
            None => Ok(code),
            Some(_) => Err(NoCode),
        }
    }

    /// As it is shown: `7KQ4-M2XD-91PV`.
    pub fn shown(&self) -> String {
        let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
        for (at, letter) in self.0.iter().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            let letter = LETTERS.get(usize::from(*letter)).copied();
            text.push(char::from(letter.unwrap_or(b'0')));
        }
        text
    }

    /// What a key is made of: the letters' numbers, however they were typed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn value(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        letter => letter,
    };
    let at = LETTERS.iter().position(|known| char::from(*known) == letter)?;
    u8::try_from(at).ok()
}

impl Drop for Code {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = Code::parse("7KQ4-M2XD-91PV").unwrap();
        assert_eq!(code.shown(), "7KQ4-M2XD-91PV");
        for typed in [
            "7kq4m2xd91pv",
            " 7KQ4 M2XD 91PV\n",
            "7kq4-m2xd-9lpv",
            "7KQ4-M2XD-9IPV",
        ] {
            assert_eq!(Code::parse(typed).unwrap(), code, "{typed}");
        }
        assert_eq!(
            Code::parse("O000-0000-000o").unwrap(),
            Code::parse("000000000000").unwrap()
        );
        for bad in [
            "",
            "7KQ4-M2XD-91P",
            "7KQ4-M2XD-91PVX",
            "7KQ4-M2XD-91PU",
            "7KQ4-M2XD-91Pé",
        ] {
            assert_eq!(Code::parse(bad), Err(NoCode), "{bad}");
        }
    }

    #[test]
    fn a_code_is_not_in_a_debug_print_and_no_two_are_alike() {
        let (one, other) = (Code::random(), Code::random());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "Code(…)");
        assert_eq!(Code::parse(&one.shown()).unwrap(), one);
    }

    proptest! {
        #[test]
        fn no_text_can_crash_the_reader_of_codes(text in ".{0,40}") {
            if let Ok(code) = Code::parse(&text) {
                prop_assert_eq!(Code::parse(&code.shown()).unwrap(), code);
            }
        }
    }
}
