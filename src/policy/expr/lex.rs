//! Words and signs of an expression.

use std::ops::Range;

use crate::policy::read::decimal;
use crate::types::{Date, Decimal};

/// What is wrong with an expression, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The bytes of the expression concerned.
    pub span: Range<usize>,
    /// What was found and what was expected.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            hint: None,
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// One word or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Number(Decimal),
    Date(Date),
    /// A name or a keyword, with the dots in it.
    Word(String),
    Sign(&'static str),
    End,
}

/// A token and the bytes that it covers.
#[derive(Debug, Clone)]
pub(crate) struct Lexeme {
    pub token: Token,
    pub span: Range<usize>,
}

/// The signs, longer ones first where one begins another.
const SIGNS: [&str; 19] = [
    "==", "!=", ">=", "<=", "=>", ">", "<", "+", "-", "*", "/", "(", ")", "[", "]", "{", "}", ",", "|",
];

const NO_QUOTES: &str = "write the value's name without quotation marks";

/// Signs of other languages, and what is written here.
const FOREIGN: [(&str, &str); 15] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("!", "write `not`"),
    ("=", "write `==` to compare, `=>` in a case"),
    ("%", "write a percentage as a decimal, for example 0.25"),
    ("\"", NO_QUOTES),
    ("'", NO_QUOTES),
    ("\u{201c}", NO_QUOTES),
    ("\u{2018}", NO_QUOTES),
    ("\u{2265}", "write `>=`"),
    ("\u{2264}", "write `<=`"),
    ("\u{2260}", "write `!=`"),
    ("\u{d7}", "write `*`"),
    ("\u{f7}", "write `/`"),
    ("\u{2212}", "write `-`, as the keyboard gives it"),
];

/// The tokens of a text, ending with [`Token::End`].
pub(crate) fn lex(text: &str) -> Result<Vec<Lexeme>, Problem> {
    let mut lexemes = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let (token, len) = if first.is_ascii_digit() {
            number_or_date(rest, at)?
        } else if first.is_ascii_lowercase() || first == '_' {
            let len = span_of(rest, |b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.'
            });
            if rest[len..].starts_with(char::is_alphanumeric) {
                return Err(stray(rest, at, first));
            }
            (Token::Word(rest[..len].to_owned()), len)
        } else if let Some(foreign) = foreign_sign(rest, at) {
            return Err(foreign);
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            return Err(stray(rest, at, first));
        };
        lexemes.push(Lexeme {
            token,
            span: at..at + len,
        });
        at += len;
    }
    lexemes.push(Lexeme {
        token: Token::End,
        span: text.len()..text.len(),
    });
    Ok(lexemes)
}

fn span_of(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|&b| belongs(b)).count()
}

fn number_or_date(rest: &str, at: usize) -> Result<(Token, usize), Problem> {
    const DATE_BYTES: usize = 10;
    if let Some(date) = rest.get(..DATE_BYTES).and_then(|text| text.parse::<Date>().ok()) {
        return Ok((Token::Date(date), DATE_BYTES));
    }
    let len = span_of(rest, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'));
    let text = &rest[..len];
    let number = decimal(text).map_err(|error| {
        Problem::new(at..at + len, error)
            .hint("write plain digits with a point before the decimals, for example 500000 or 1.5")
    })?;
    Ok((Token::Number(number), len))
}

fn foreign_sign(rest: &str, at: usize) -> Option<Problem> {
    let ours = SIGNS.iter().any(|sign| sign.len() > 1 && rest.starts_with(sign));
    if ours {
        return None;
    }
    FOREIGN
        .iter()
        .find(|(sign, _)| rest.starts_with(sign))
        .map(|(sign, hint)| {
            Problem::new(
                at..at + sign.len(),
                format!("found {sign:?}, which is not part of the language"),
            )
            .hint(*hint)
        })
}

fn stray(rest: &str, at: usize, first: char) -> Problem {
    let len = rest
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
        .map(char::len_utf8)
        .sum::<usize>()
        .max(first.len_utf8());
    let problem = Problem::new(
        at..at + len,
        format!(
            "found {:?}, expected a name, a number or a sign",
            &rest[..len.min(rest.len())]
        ),
    );
    if first.is_alphabetic() {
        return problem.hint("names are written in small letters a-z, digits and `_`");
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        lex(text)
            .unwrap()
            .into_iter()
            .map(|lexeme| lexeme.token)
            .collect()
    }

    #[test]
    fn words_numbers_dates_and_signs() {
        let word = |text: &str| Token::Word(text.into());
        assert_eq!(
            tokens("household.poverty!=poor*1.5 2026-07-01"),
            [
                word("household.poverty"),
                Token::Sign("!="),
                word("poor"),
                Token::Sign("*"),
                Token::Number("1.5".parse().unwrap()),
                Token::Date("2026-07-01".parse().unwrap()),
                Token::End,
            ]
        );
    }

    #[test]
    fn foreign_signs_are_explained() {
        for (text, hint) in [
            ("a && b", "`and`"),
            ("a = b", "`==`"),
            ("!a", "`not`"),
            ("age \u{2265} 60", "`>=`"),
            ("level == 'high'", "without quotation marks"),
            ("x \u{d7} 2", "`*`"),
            ("10.000", "plain digits"),
        ] {
            let problem = lex(text).unwrap_err();
            assert!(problem.hint.unwrap().contains(hint), "{text}");
        }
        assert_eq!(
            lex("tuổi > 3").unwrap_err().span,
            0..6,
            "letters beyond a-z are refused"
        );
        assert!(lex("1.5.2").is_err() && lex("12abc").is_err());
    }
}
