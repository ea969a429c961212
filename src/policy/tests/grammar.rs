//! The grammar that `docs/policy-language.md` prints, in both directions: what it makes is read, and what is written in
//! the built-in pack and on that page fits it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::random::Tape;
use crate::policy::expr::check::RESERVED;
use crate::policy::expr::lex::{Token, lex};
use crate::policy::expr::parse::parse;

const DOCUMENT: &str = include_str!("../../../docs/policy-language.md");

/// A rule of the grammar.
#[derive(Debug, Clone)]
enum Rule {
    Word(String),
    Name(String),
    Each(Vec<Rule>),
    Either(Vec<Rule>),
    Maybe(Box<Rule>),
    Many(Box<Rule>),
}

type Grammar = BTreeMap<String, Rule>;

fn boxes(kind: &str) -> Vec<&'static str> {
    let begin = format!("```{kind}\n");
    let after = DOCUMENT.split(&begin).skip(1);
    after.map(|rest| rest.split_once("```").unwrap().0).collect()
}

fn grammar() -> Grammar {
    let text = boxes("ebnf")[0];
    let rules = text.split(';').map(str::trim).filter(|rule| !rule.is_empty());
    rules
        .map(|rule| {
            let (name, body) = rule.split_once('=').unwrap();
            let signs: Vec<&str> = body.split_whitespace().collect();
            let mut at = 0;
            let rule = either(&signs, &mut at);
            assert_eq!(at, signs.len(), "{name}");
            (name.trim().to_owned(), rule)
        })
        .collect()
}

fn either(signs: &[&str], at: &mut usize) -> Rule {
    let mut choices = vec![each(signs, at)];
    while signs.get(*at) == Some(&"|") {
        *at += 1;
        choices.push(each(signs, at));
    }
    Rule::Either(choices)
}

fn each(signs: &[&str], at: &mut usize) -> Rule {
    let mut parts = vec![one(signs, at)];
    while signs.get(*at) == Some(&",") {
        *at += 1;
        parts.push(one(signs, at));
    }
    Rule::Each(parts)
}

fn one(signs: &[&str], at: &mut usize) -> Rule {
    let sign = signs[*at];
    *at += 1;
    let mut inner = |close: &str| {
        let rule = either(signs, at);
        assert_eq!(signs[*at], close);
        *at += 1;
        rule
    };
    match sign {
        "{" => Rule::Many(Box::new(inner("}"))),
        "[" => Rule::Maybe(Box::new(inner("]"))),
        "(" => inner(")"),
        _ => match sign.strip_prefix('"') {
            Some(word) => Rule::Word(word.trim_end_matches('"').to_owned()),
            None => Rule::Name(sign.to_owned()),
        },
    }
}

/// Writes a random sentence. Beyond a depth the shortest choice, the first in `primary`, is taken.
fn write(grammar: &Grammar, rule: &Rule, depth: usize, tape: &mut Tape<'_>, text: &mut String) {
    match rule {
        Rule::Word(word) => {
            text.push(' ');
            text.push_str(word);
        }
        Rule::Name(name) => match name.as_str() {
            "NUMBER" => text.push_str([" 1", " 60", " 2.5", " 01"][tape.pick(4)]),
            "DATE" => text.push_str(" 2026-07-01"),
            "NAME" => text.push_str([" age", " household.poverty", " a_1"][tape.pick(3)]),
            other => write(grammar, &grammar[other], depth.saturating_sub(1), tape, text),
        },
        Rule::Each(parts) => {
            for part in parts {
                write(grammar, part, depth, tape, text);
            }
        }
        Rule::Either(choices) => {
            let at = if depth == 0 && choices.len() > 1 {
                // The last choices of `negated` and `signed`, and the first of all others, lead to an end.
                let is_prefixed =
                    choices.len() == 2 && matches!(&choices[0], Rule::Each(parts) if parts.len() == 2);
                usize::from(is_prefixed)
            } else {
                tape.pick(choices.len())
            };
            write(grammar, &choices[at], depth, tape, text);
        }
        Rule::Maybe(inner) => {
            if depth > 0 && tape.once_in(3) {
                write(grammar, inner, depth, tape, text);
            }
        }
        Rule::Many(inner) => {
            let times = if depth > 0 { tape.pick(3) } else { 0 };
            for _ in 0..times {
                write(grammar, inner, depth, tape, text);
            }
        }
    }
}

/// Finds whether a list of tokens is a sentence.
struct Reader<'g> {
    grammar: &'g Grammar,
    tokens: Vec<Token>,
    known: BTreeMap<(String, usize), BTreeSet<usize>>,
}

impl Reader<'_> {
    /// Where a rule may end that begins at a token.
    fn ends(&mut self, rule: &Rule, at: usize) -> BTreeSet<usize> {
        let one_if = |fits: bool| {
            if fits {
                BTreeSet::from([at + 1])
            } else {
                BTreeSet::new()
            }
        };
        match rule {
            Rule::Word(word) => one_if(match &self.tokens[at] {
                Token::Word(found) => found == word,
                Token::Sign(found) => found == word,
                _ => false,
            }),
            Rule::Name(name) => match (name.as_str(), &self.tokens[at]) {
                ("NUMBER", found) => one_if(matches!(found, Token::Number(_))),
                ("DATE", found) => one_if(matches!(found, Token::Date(_))),
                ("NAME", found) => one_if(matches!(found, Token::Word(_))),
                _ => {
                    let key = (name.clone(), at);
                    if let Some(known) = self.known.get(&key) {
                        return known.clone();
                    }
                    let found = self.ends(&self.grammar[name], at);
                    self.known.insert(key, found.clone());
                    found
                }
            },
            Rule::Each(parts) => parts.iter().fold(BTreeSet::from([at]), |starts, part| {
                starts
                    .into_iter()
                    .flat_map(|start| self.ends(part, start))
                    .collect()
            }),
            Rule::Either(choices) => choices.iter().flat_map(|choice| self.ends(choice, at)).collect(),
            Rule::Maybe(inner) => {
                let mut ends = self.ends(inner, at);
                ends.insert(at);
                ends
            }
            Rule::Many(inner) => {
                let mut ends = BTreeSet::from([at]);
                let mut new = ends.clone();
                while !new.is_empty() {
                    new = new
                        .into_iter()
                        .flat_map(|start| self.ends(inner, start))
                        .collect();
                    new = new.difference(&ends).copied().collect();
                    ends.extend(&new);
                }
                ends
            }
        }
    }
}

fn fits(grammar: &Grammar, text: &str) -> bool {
    let tokens: Vec<Token> = lex(text)
        .unwrap()
        .into_iter()
        .map(|lexeme| lexeme.token)
        .collect();
    let last = tokens.len() - 1;
    let mut reader = Reader {
        grammar,
        tokens,
        known: BTreeMap::new(),
    };
    reader
        .ends(&Rule::Name("expression".to_owned()), 0)
        .contains(&last)
}

/// Every expression in the text of a pack.
fn expressions(value: &toml::Value, found: &mut Vec<String>) {
    const KEYS: [&str; 4] = ["condition", "number", "amount", "when"];
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                match value {
                    toml::Value::String(text) if KEYS.contains(&key.as_str()) => found.push(text.clone()),
                    other => expressions(other, found),
                }
            }
        }
        toml::Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

#[test]
fn what_is_written_fits_the_grammar() {
    let grammar = grammar();
    let mut found = Vec::new();
    let pack = crate::policy::Pack::vietnam();
    let text = pack.source_text();
    expressions(&toml::from_str(text).unwrap(), &mut found);
    for piece in boxes("toml fragment") {
        expressions(&toml::from_str(piece).unwrap(), &mut found);
    }
    for values in boxes("values") {
        found.extend(
            values
                .lines()
                .map(|line| line.split_once('#').unwrap().0.to_owned()),
        );
    }
    assert!(found.len() > 200, "{}", found.len());
    for text in found {
        assert!(parse(&text).is_ok(), "{text}");
        assert!(fits(&grammar, &text), "{text}");
    }
    for other in [
        "age >",
        "age age",
        "case { }",
        "1 < 2 < 3",
        "a / b / c",
        "case age { 1 => 2 }",
        "x in []",
    ] {
        assert!(parse(other).is_err() && !fits(&grammar, other), "{other}");
    }
}

#[test]
fn the_reserved_names_are_those_of_the_page() {
    let listed: BTreeSet<&str> = boxes("reserved")[0].split_whitespace().collect();
    assert_eq!(listed, BTreeSet::from(RESERVED));
}

proptest! {
    #[test]
    fn what_the_grammar_makes_is_read(choices in prop::collection::vec(any::<u16>(), 120)) {
        let grammar = grammar();
        let mut text = String::new();
        let mut tape = Tape::new(&choices);
        write(&grammar, &Rule::Name("expression".to_owned()), 30, &mut tape, &mut text);
        prop_assume!(text.len() < crate::policy::EXPRESSION_BYTES_MAX);
        match parse(&text) {
            Ok(_) => prop_assert!(fits(&grammar, &text), "{}", text),
            Err(problem) => prop_assert!(problem.message.contains("nested"), "{}: {}", text, problem.message),
        }
    }
}
