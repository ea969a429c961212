//! The expression language of conditions and amounts: typed, exact, three-valued.

pub(crate) mod check;
pub(crate) mod eval;
pub(crate) mod lex;
pub(crate) mod parse;
pub(crate) mod range;
pub(crate) mod reach;
pub(crate) mod uses;

/// The longest expression, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 8_192;
/// The deepest nesting of parentheses, cases and negations.
pub const DEPTH_MAX: usize = 32;
/// The greatest number of parts of an expression, the definitions that it uses written out.
pub const EXPANSION_MAX: usize = 20_000;
/// The deepest nesting of an expression, the definitions that it uses written out.
pub const EXPANSION_DEPTH_MAX: usize = 128;
