//! The month: a run over everyone, its ledger and totals, and the explanation of one person's amount.
//!
//! A run is prepared from a view, without holding anybody up, and then committed in one short transaction. The same
//! evaluator fills the decision table, settles the rows that changed about the month, and explains.

mod campaign;
mod cells;
mod diff;
mod explain;
mod header;
mod run;
mod sight;
mod worker;

pub use diff::{
    Change, Diff, DiffError, DiffRequest, LineText, Lines, Moves, Newly, ProgrammeDiff, ProvinceDiff, Side,
    Term, Trial, TrialError, diff, terms,
};
pub(crate) use explain::as_known;
pub use explain::{
    Determined, ExplainError, PaidBefore, PersonExplanation, Recording, ValueBehind, determined, explain,
    explain_campaign, explain_in,
};
pub use header::{CampaignRun, Doubtful, RunHeader, RunKind, RunStatus, Scope};
pub use run::{
    CHANNEL_ATTRIBUTE, DICTIONARY_BYTES_MAX, Preparation, Prepared, RunAnswer, RunError, RunRequest,
    campaign_run_of, commit, compute, finalize, finalize_campaign, outcomes, prepare, run_of, runs, void,
    void_campaign,
};

pub use crate::query::Cancel;
