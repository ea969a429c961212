//! Policy packs, the expression language, and the one evaluator.
//!
//! A [`Pack`] is a TOML file with the rules of the law. Bound to a catalogue it is a [`Policy`]; for one month, by
//! the law as it was known on a day, a [`MonthPolicy`], which evaluates cases.
//!
//! **Invariant:** this layer reads no storage: it is given a catalogue and cases. **Invariant:** one evaluator
//! makes outcomes, explanations, predicates and the results of examples.

mod assess;
mod bands;
mod bind;
mod bundle;
mod case;
mod combine;
mod dates;
mod doubtful;
mod error;
mod evaluate;
mod example;
mod explain;
mod expr;
mod figures;
mod lint;
mod load;
mod lookup;
mod month;
mod outcome;
mod pack;
mod parameter;
mod people;
mod predicate;
mod read;
mod table;
#[cfg(test)]
mod tests;
pub mod words;
mod working;

pub use bands::{Band, Bands};
pub use bind::Policy;
pub use case::{Age, Case, Group as CaseGroup, Nothing, Own, UnknownBirthMonth};
pub use dates::Dates;
pub use doubtful::Doubtful;
pub use error::{BindError, ERRORS_MAX, PackError, PackErrors, PackReadError, PolicyError};
pub use example::{Example, ExampleResult};
pub use explain::{
    AmountExplanation, Choice, Competitor, ConditionExplanation, Explanation, GroupExplanation, GroupRead,
    MemberChoice, MemberExplanation, Outdone, ParameterRead, ProgrammeExplanation, Read, StateExplanation,
    Step, Working,
};
pub use expr::range::{Fault, Truth};
pub use expr::{DEPTH_MAX, EXPANSION_DEPTH_MAX, EXPANSION_MAX, EXPRESSION_BYTES_MAX};
pub use lint::{FINDINGS_MAX, Finding, Severity};
pub use lookup::{Edition, KeyColumn, LookupTable, TABLE_KEYS_MAX, TABLE_ROWS_MAX};
pub use month::{AgeUse, LowConfidence, MonthPolicy, Predicate, ProgrammeInForce, Reads};
pub use outcome::{
    Basis, Lang, Line, LineKind, LineReason, Outcome, Reason, Status, describe, describe_line,
};
pub use pack::{
    AttributeRule, Beside, BirthRule, CLAUSES_MAX, Combination, DEFINITIONS_MAX, Definition, Doubt,
    EDITIONS_MAX, EXAMPLE_FACTS_MAX, EXAMPLES_MAX, Event, Exception, Group, Label, Member, NESTING_MAX,
    PACK_ATTRIBUTES_MAX, PACK_BYTES_MAX, PACK_PARTS_MAX, PACK_PROGRAMMES_MAX, PARAMETER_VALUES_MAX,
    PARAMETERS_MAX, Pack, Payee, ProgrammeRule, Start, Stop, TABLES_BYTES_MAX, TABLES_MAX,
};
pub use parameter::{Area, Confidence, Parameter, ParameterValue, ProvincialRule, ProvincialValue, Unit};
pub use people::{CASE_PEOPLE_MAX, CasePeople};
pub(crate) use predicate::{Anyone, Settled};
pub use read::TEXT_BYTES_MAX;
pub use table::{Asked, Cell, CellState, DecisionTable, Filled, Place};
