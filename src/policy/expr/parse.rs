//! The grammar: from tokens to a syntax tree without types.

use std::ops::Range;

use super::lex::{Lexeme, Problem, Token, lex};
use super::{DEPTH_MAX, EXPRESSION_BYTES_MAX};
use crate::types::{Date, Decimal};

/// An order between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison with its sides exchanged.
    pub const fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

/// A part of an expression and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub syntax: Syntax,
    pub span: Range<usize>,
}

/// A name and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub text: String,
    pub span: Range<usize>,
}

/// The forms of an expression. Chains are lists, so that the depth of a tree is bounded by [`DEPTH_MAX`].
#[derive(Debug, Clone)]
pub(crate) enum Syntax {
    Number(Decimal),
    Date(Date),
    Name(String),
    Not(Box<Tree>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Compare(Comparison, Box<Tree>, Box<Tree>),
    /// Whether a value is among others; `true` if it must not be.
    In(Box<Tree>, Vec<Tree>, bool),
    /// Each term with whether it is subtracted.
    Sum(Vec<(bool, Tree)>),
    Product(Vec<Tree>),
    /// What is divided, and by what.
    Quotient(Box<Tree>, Box<Tree>),
    Call(Name, Vec<Tree>),
    /// The attribute, the arms (names of values and result), and what holds otherwise.
    CaseOf(Name, Vec<(Vec<Name>, Tree)>, Box<Tree>),
    /// The arms (condition and result), and what holds otherwise.
    CaseWhen(Vec<(Tree, Tree)>, Box<Tree>),
    /// The number, the bands with their results, and what holds outside of them.
    CaseBands(Box<Tree>, Vec<(Band, Tree)>, Option<Box<Tree>>),
}

/// A band of a number, as written.
#[derive(Debug, Clone)]
pub(crate) struct Band {
    pub limits: Limits,
    pub span: Range<usize>,
}

/// The limits of a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    /// Below this number.
    Under(Decimal),
    /// From the first to the second, both included.
    Within(Decimal, Decimal),
    /// From this number on.
    From(Decimal),
}

/// Bands with their results, and what holds outside of them.
type BandArms = (Vec<(Band, Tree)>, Option<Tree>);

/// Reads an expression.
pub(crate) fn parse(text: &str) -> Result<Tree, Problem> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(Problem::new(
            0..text.len().min(1),
            format!(
                "the expression has {} bytes, at most {EXPRESSION_BYTES_MAX} are read",
                text.len()
            ),
        )
        .hint("divide it, for example into several programmes or exclusions"));
    }
    let mut parser = Parser {
        text,
        lexemes: lex(text)?,
        at: 0,
        depth: 0,
    };
    let tree = parser.either()?;
    match parser.peek() {
        Token::End => Ok(tree),
        _ => Err(parser.unexpected("the end of the expression, or a sign that joins what follows")),
    }
}

struct Parser<'a> {
    text: &'a str,
    lexemes: Vec<Lexeme>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.lexemes[self.at].token
    }

    fn span(&self) -> Range<usize> {
        self.lexemes[self.at].span.clone()
    }

    /// The end of the token read last.
    fn end(&self) -> usize {
        self.lexemes[self.at.saturating_sub(1)].span.end
    }

    fn advance(&mut self) -> Lexeme {
        let lexeme = self.lexemes[self.at].clone();
        if self.at + 1 < self.lexemes.len() {
            self.at += 1;
        }
        lexeme
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found == word)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.advance();
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect_sign(&mut self, sign: &'static str, why: &str) -> Result<(), Problem> {
        if self.take_sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{sign}` {why}")))
        }
    }

    fn unexpected(&self, expected: &str) -> Problem {
        let span = self.span();
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            _ => format!("{:?}", &self.text[span.clone()]),
        };
        let problem = Problem::new(span, format!("found {found}, expected {expected}"));
        if self.is_decimal_comma() {
            return problem.hint("write decimals with a point, for example 1.5");
        }
        problem
    }

    /// Whether the next token is a comma between two numbers without blanks.
    fn is_decimal_comma(&self) -> bool {
        let around = self
            .at
            .checked_sub(1)
            .and_then(|before| self.lexemes.get(before..self.at + 2));
        let Some([before, comma, after]) = around else {
            return false;
        };
        self.is_sign(",")
            && matches!(
                (&before.token, &after.token),
                (Token::Number(_), Token::Number(_))
            )
            && before.span.end == comma.span.start
            && comma.span.end == after.span.start
    }

    fn enter(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Problem::new(
                self.span(),
                format!("the expression is nested more than {DEPTH_MAX} deep"),
            )
            .hint("divide it, or leave out parentheses that change nothing"));
        }
        Ok(())
    }

    fn either(&mut self) -> Result<Tree, Problem> {
        self.enter()?;
        let start = self.span().start;
        let mut items = vec![self.both()?];
        while self.take_word("or") {
            items.push(self.both()?);
        }
        self.depth -= 1;
        Ok(self.chain(start, items, Syntax::Or))
    }

    fn both(&mut self) -> Result<Tree, Problem> {
        let start = self.span().start;
        let mut items = vec![self.negated()?];
        while self.take_word("and") {
            items.push(self.negated()?);
        }
        Ok(self.chain(start, items, Syntax::And))
    }

    fn chain(&self, start: usize, mut items: Vec<Tree>, join: fn(Vec<Tree>) -> Syntax) -> Tree {
        if items.len() == 1 {
            return items.remove(0);
        }
        Tree {
            syntax: join(items),
            span: start..self.end(),
        }
    }

    fn negated(&mut self) -> Result<Tree, Problem> {
        let start = self.span().start;
        if !self.take_word("not") {
            return self.comparison();
        }
        self.enter()?;
        let inner = self.negated()?;
        self.depth -= 1;
        Ok(Tree {
            syntax: Syntax::Not(Box::new(inner)),
            span: start..self.end(),
        })
    }

    fn comparison(&mut self) -> Result<Tree, Problem> {
        let start = self.span().start;
        let left = self.sum()?;
        let negated = self.is_word("not");
        if negated {
            self.advance();
        }
        if self.take_word("in") {
            let items = self.list()?;
            return Ok(Tree {
                syntax: Syntax::In(Box::new(left), items, negated),
                span: start..self.end(),
            });
        }
        if negated {
            return Err(self.unexpected("`in` after `not`"));
        }
        let Some(comparison) = self.comparison_sign() else {
            return Ok(left);
        };
        self.advance();
        let right = self.sum()?;
        if self.comparison_sign().is_some() {
            return Err(self.unexpected("one comparison at a time").hint(
                "write both comparisons and join them with `and`, for example `age >= 60 and age < 80`",
            ));
        }
        Ok(Tree {
            syntax: Syntax::Compare(comparison, Box::new(left), Box::new(right)),
            span: start..self.end(),
        })
    }

    fn comparison_sign(&self) -> Option<Comparison> {
        let Token::Sign(sign) = self.peek() else {
            return None;
        };
        Some(match *sign {
            "==" => Comparison::Equal,
            "!=" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    fn list(&mut self) -> Result<Vec<Tree>, Problem> {
        self.expect_sign("[", "before the values")?;
        self.items("]")
    }

    /// Items with commas between them, up to a closing sign.
    fn items(&mut self, close: &'static str) -> Result<Vec<Tree>, Problem> {
        let mut items = vec![self.either()?];
        while self.take_sign(",") {
            if self.is_sign(close) {
                break;
            }
            items.push(self.either()?);
        }
        self.expect_sign(close, "or `,`")?;
        Ok(items)
    }

    fn sum(&mut self) -> Result<Tree, Problem> {
        let start = self.span().start;
        let first = self.product()?;
        if !self.is_sign("+") && !self.is_sign("-") {
            return Ok(first);
        }
        let mut terms = vec![(false, first)];
        loop {
            let subtracted = self.is_sign("-");
            if !subtracted && !self.is_sign("+") {
                break;
            }
            self.advance();
            terms.push((subtracted, self.product()?));
        }
        Ok(Tree {
            syntax: Syntax::Sum(terms),
            span: start..self.end(),
        })
    }

    fn product(&mut self) -> Result<Tree, Problem> {
        let start = self.span().start;
        let mut factors = vec![self.signed()?];
        while self.take_sign("*") {
            factors.push(self.signed()?);
        }
        let product = self.chain(start, factors, Syntax::Product);
        if !self.take_sign("/") {
            return Ok(product);
        }
        let divisor = self.signed()?;
        if self.is_sign("*") || self.is_sign("/") {
            return Err(self
                .unexpected("the end of the division")
                .hint("put the divisor into parentheses, for example `a / (b * c)`"));
        }
        Ok(Tree {
            syntax: Syntax::Quotient(Box::new(product), Box::new(divisor)),
            span: start..self.end(),
        })
    }

    fn signed(&mut self) -> Result<Tree, Problem> {
        let start = self.span().start;
        if !self.take_sign("-") {
            return self.primary();
        }
        self.enter()?;
        let inner = self.signed()?;
        self.depth -= 1;
        Ok(Tree {
            syntax: Syntax::Sum(vec![(true, inner)]),
            span: start..self.end(),
        })
    }

    fn primary(&mut self) -> Result<Tree, Problem> {
        const WANTED: &str = "a name, a number, `case`, `not` or `(`";
        let span = self.span();
        let syntax = match self.peek().clone() {
            Token::Number(number) => {
                self.advance();
                Syntax::Number(number)
            }
            Token::Date(date) => {
                self.advance();
                Syntax::Date(date)
            }
            Token::Sign("(") => {
                self.advance();
                let inner = self.either()?;
                self.expect_sign(")", "to close `(`")?;
                return Ok(inner);
            }
            Token::Word(word) if word == "case" => return self.case(),
            Token::Word(word)
                if matches!(
                    word.as_str(),
                    "and" | "or" | "not" | "in" | "else" | "to" | "under" | "from"
                ) =>
            {
                return Err(self.unexpected(WANTED));
            }
            Token::Word(word) => {
                self.advance();
                if self.take_sign("(") {
                    let name = Name {
                        text: word,
                        span: span.clone(),
                    };
                    Syntax::Call(name, self.items(")")?)
                } else {
                    Syntax::Name(word)
                }
            }
            _ => return Err(self.unexpected(WANTED)),
        };
        Ok(Tree {
            syntax,
            span: span.start..self.end(),
        })
    }

    fn name(&mut self, what: &str) -> Result<Name, Problem> {
        let Token::Word(text) = self.peek().clone() else {
            return Err(self.unexpected(what));
        };
        Ok(Name {
            text,
            span: self.advance().span,
        })
    }

    fn case(&mut self) -> Result<Tree, Problem> {
        let start = self.advance().span.start;
        let syntax = if self.take_sign("{") {
            let (arms, otherwise) = self.arms(Self::either)?;
            Syntax::CaseWhen(arms, Box::new(otherwise))
        } else {
            let subject = self.sum()?;
            self.expect_sign("{", "before the cases")?;
            match &subject.syntax {
                Syntax::Name(name) if !self.begins_band() => {
                    let name = Name {
                        text: name.clone(),
                        span: subject.span.clone(),
                    };
                    let (arms, otherwise) = self.arms(Self::value_names)?;
                    Syntax::CaseOf(name, arms, Box::new(otherwise))
                }
                _ => {
                    let (arms, otherwise) = self.bands()?;
                    Syntax::CaseBands(Box::new(subject), arms, otherwise.map(Box::new))
                }
            }
        };
        Ok(Tree {
            syntax,
            span: start..self.end(),
        })
    }

    /// Whether what comes next is a band and not the name of a value.
    fn begins_band(&self) -> bool {
        match self.peek() {
            Token::Word(word) => matches!(word.as_str(), "under" | "from"),
            Token::Number(_) => true,
            Token::Sign(sign) => *sign == "-",
            _ => false,
        }
    }

    fn limit(&mut self) -> Result<Decimal, Problem> {
        let negative = self.take_sign("-");
        let Token::Number(number) = *self.peek() else {
            return Err(self.unexpected("a number, the limit of a band"));
        };
        self.advance();
        let limit = if negative {
            Decimal::ZERO.checked_sub(number)
        } else {
            Some(number)
        };
        limit.ok_or_else(|| self.unexpected("a smaller limit"))
    }

    fn band(&mut self) -> Result<Band, Problem> {
        let start = self.span().start;
        let limits = if self.take_word("under") {
            Limits::Under(self.limit()?)
        } else if self.take_word("from") {
            Limits::From(self.limit()?)
        } else {
            let first = self.limit()?;
            if !self.take_word("to") {
                return Err(self.unexpected("`to` and the last number of the band"));
            }
            Limits::Within(first, self.limit()?)
        };
        Ok(Band {
            limits,
            span: start..self.end(),
        })
    }

    fn bands(&mut self) -> Result<BandArms, Problem> {
        let mut arms = Vec::new();
        loop {
            if self.take_word("else") {
                self.take_sign("=>");
                let otherwise = self.either()?;
                self.take_sign(",");
                self.expect_sign("}", "to close the bands")?;
                return Ok((arms, Some(otherwise)));
            }
            let band = self.band()?;
            self.expect_sign("=>", "before the result")?;
            arms.push((band, self.either()?));
            let more = self.take_sign(",");
            if self.take_sign("}") {
                return Ok((arms, None));
            }
            if !more && !self.is_word("else") {
                return Err(self.unexpected("`,` and the next band, `else`, or `}`"));
            }
        }
    }

    fn value_names(&mut self) -> Result<Vec<Name>, Problem> {
        let mut names = vec![self.name("the name of a value, or `else`")?];
        while self.take_sign("|") {
            names.push(self.name("the name of a value")?);
        }
        Ok(names)
    }

    fn arms<T>(
        &mut self,
        mut head: impl FnMut(&mut Self) -> Result<T, Problem>,
    ) -> Result<(Vec<(T, Tree)>, Tree), Problem> {
        let mut arms = Vec::new();
        while !self.take_word("else") {
            if self.is_sign("}") {
                return Err(self
                    .unexpected("`else` and what holds otherwise")
                    .hint("every case ends with `else`, so that no value is left without an answer"));
            }
            let head = head(self)?;
            self.expect_sign("=>", "before the result")?;
            let result = self.either()?;
            arms.push((head, result));
            if !self.take_sign(",") && !self.is_word("else") {
                return Err(self.unexpected("`,` and the next case, or `else`"));
            }
        }
        self.take_sign("=>");
        let otherwise = self.either()?;
        self.take_sign(",");
        self.expect_sign("}", "to close the cases")?;
        Ok((arms, otherwise))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_flat_and_nesting_is_bounded() {
        let long = vec!["1"; EXPRESSION_BYTES_MAX / 2].join("+");
        assert!(matches!(parse(&long).unwrap().syntax, Syntax::Sum(terms) if terms.len() > 2000));
        let deep = format!("{}1{}", "(".repeat(DEPTH_MAX + 1), ")".repeat(DEPTH_MAX + 1));
        assert!(parse(&deep).unwrap_err().message.contains("nested"));
        assert!(parse(&"not ".repeat(DEPTH_MAX + 1)).is_err());
        assert!(parse(&"-".repeat(2000)).is_err());
        assert!(parse(&" ".repeat(EXPRESSION_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn errors_say_what_was_expected() {
        for (text, expected) in [
            ("", "a name, a number"),
            ("age >", "a name, a number"),
            ("age > 3 4", "the end of the expression"),
            ("1 < age < 3", "one comparison"),
            ("(age > 3", "`)`"),
            ("case disability { severe => 1 }", "`else`"),
            ("case disability { severe 1, else 2 }", "`=>`"),
            ("disability in severe", "`[`"),
            ("a not b", "`in`"),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.message.contains(expected), "{text}: {}", problem.message);
        }
        let comma = parse("1,5 * param.x").unwrap_err();
        assert_eq!(
            comma.hint.as_deref(),
            Some("write decimals with a point, for example 1.5")
        );
        assert_eq!(parse("x, y").unwrap_err().hint, None);
    }
}
