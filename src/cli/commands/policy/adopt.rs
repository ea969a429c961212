//! `policy adopt`: takes a pack into a registry, and says before what that means for the people in it.

use std::cmp::Ordering;

use clap::Args;
use serde_json::{Value as Json, json};

use super::diff::{compare, newly, summary, summary_json};
use super::{Source, short_hash};
use crate::cli::database::{self, Database};
use crate::cli::output::{Output, Table};
use crate::cli::{Failure, machine};
use crate::entitlement::{Diff, DiffError, DiffRequest, Term, terms};
use crate::kernel::catalogue::Adoption;
use crate::policy::Pack;
use crate::registry::{Registry, RegistryError, RegistryView};
use crate::types::{Month, Sequence};

/// Adopts a pack.
#[derive(Debug, Args)]
#[command(
    after_help = "The month is worked out by the pack in force and by the new one, without writing a run: what is shown is what the next run would pay, hold or fail to work out. Months that were run keep the pack by which they were run.\n\nExamples:\n  ansinh policy adopt national.ansinh my-pack.toml --dry-run\n  ansinh policy adopt national.ansinh my-pack.toml --month 2026-07 --reason 'Decree 76/2024/NĐ-CP'"
)]
pub struct Adopt {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    source: Source,
    /// Show what would change without writing anything
    #[arg(long = "dry-run")]
    dry: bool,
    /// Adopt it although the version in force is the same, with other contents, or a higher one
    #[arg(long)]
    replace: bool,
    /// The month by which it is shown what changes for people [default: this month]
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Who adopts it [default: the user who is logged in]
    #[arg(long, value_name = "NAME", value_parser = database::said)]
    author: Option<String>,
    /// Why; stands in the log
    #[arg(
        long,
        value_name = "TEXT",
        value_parser = database::said,
        default_value = "policy pack adopted",
        hide_default_value = true
    )]
    reason: String,
}

/// What an adoption would mean.
struct Prospect {
    adoption: Adoption,
    /// Programmes that begin, end, or have other months; of a registry without a pack that loads, all of them begin.
    terms: Vec<(String, Option<Term>, Option<Term>)>,
    /// What changes for people, or why that cannot be said.
    compared: Result<Box<Diff>, String>,
    /// How many of the pack's own examples come out otherwise than they say.
    failing: usize,
}

impl Prospect {
    fn of(view: &RegistryView, pack: &Pack, month: Month) -> Result<Self, Failure> {
        let adoption = view.trial(pack)?.adoption;
        let (terms, compared) = match view.policy() {
            Ok(policy) => {
                let request = DiffRequest::monthly(month);
                let compared = compare(view, policy.pack(), pack, &request);
                (terms(policy.pack(), pack), compared.map(Box::new))
            }
            Err(error) => (all_begin(pack), Err(error)),
        };
        // That the old pack does not load, or one of the two cannot decide the month, does not stop an adoption: it may
        // be what the adoption is to mend.
        let compared = match compared {
            Ok(diff) => Ok(diff),
            Err(error) if is_of_packs(&error) => Err(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            adoption,
            terms,
            compared,
            failing: pack.run_examples().iter().filter(|result| !result.passed).count(),
        })
    }

    fn json(&self) -> Json {
        let adoption = &self.adoption;
        let renamed: Vec<Json> = adoption
            .renamed
            .iter()
            .map(|(from, to)| json!({ "from": from, "to": to }))
            .collect();
        let term = |term: Option<Term>| {
            term.map(
                |(from, until)| json!({ "from": from.to_string(), "until": until.map(|until| until.to_string()) }),
            )
        };
        let terms: Vec<Json> = self
            .terms
            .iter()
            .map(|(id, was, is)| json!({ "programme": id, "before": term(*was), "after": term(*is) }))
            .collect();
        let (compared, problem) = match &self.compared {
            Ok(diff) => (Json::Object(summary_json(diff)), Json::Null),
            Err(problem) => (Json::Null, Json::from(problem.as_str())),
        };
        json!({
            "added": adoption.added,
            "retired": adoption.retired,
            "revived": adoption.revived,
            "renamed": renamed,
            "programmes": terms,
            "compared": compared,
            "not_compared": problem,
            "failing_examples": self.failing,
        })
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let adoption = &self.adoption;
        let mut table = Table::new(&["change", "what"]).titled("What the catalogue gets and loses");
        for (change, names) in [
            ("added", &adoption.added),
            ("retired", &adoption.retired),
            ("revived", &adoption.revived),
        ] {
            for name in names {
                table.row([change, name]);
            }
        }
        for (from, to) in &adoption.renamed {
            table.row(["renamed".to_owned(), format!("{from} to {to}")]);
        }
        output.table(&table)?;
        let mut table = Table::new(&["programme", "months before", "months after"])
            .titled("Programmes that begin, end, or have other months");
        for (id, was, is) in &self.terms {
            table.row([id.clone(), months(*was), months(*is)]);
        }
        output.table(&table)?;
        match &self.compared {
            Ok(diff) => {
                summary(output, diff)?;
                newly(&diff.newly)
                    .iter()
                    .try_for_each(|table| output.table(table))
            }
            Err(problem) => output.line(format_args!("What changes for people cannot be said: {problem}")),
        }
    }
}

fn all_begin(pack: &Pack) -> Vec<(String, Option<Term>, Option<Term>)> {
    let programmes = pack.programmes().iter();
    programmes
        .map(|rule| (rule.id.clone(), None, Some((rule.from, rule.until))))
        .collect()
}

/// Whether an error is one of packs, and not of the file.
fn is_of_packs(error: &RegistryError) -> bool {
    match error {
        RegistryError::NoPack | RegistryError::Pack(_) | RegistryError::Bind(_) => true,
        RegistryError::Diff(error) => matches!(**error, DiffError::Policy { .. }),
        // The new pack was tried before, so this is the old one.
        other => other.refusal().is_some(),
    }
}

fn months(term: Option<Term>) -> String {
    match term {
        None => "none".to_owned(),
        Some((from, None)) => format!("from {from} on"),
        Some((from, Some(until))) => format!("from {from} to {until}"),
    }
}

/// Why a pack should not follow the one in force without being asked for: two packs under one version cannot be told
/// apart in reports and logs, and a lower one is mostly an old file.
fn not_newer(old: &Pack, new: &Pack) -> Option<String> {
    if old.id() != new.id() {
        return None;
    }
    let what = match version(old.version()).cmp(&version(new.version())) {
        _ if old.version() == new.version() => "has the same version with other contents",
        Ordering::Greater => "is a later version",
        Ordering::Less | Ordering::Equal => return None,
    };
    Some(format!(
        "{} was not adopted: {}, which is in force, {what}; give the new one a higher `version`, or adopt it with --replace",
        shown(new),
        shown(old)
    ))
}

/// The parts of a version by which versions are ordered: numbers as numbers, other words by their letters, and a part
/// that is missing first.
fn version(text: &str) -> Vec<(Option<u64>, &str)> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts
        .map(|part| (part.parse().ok(), part.trim_start_matches('0')))
        .collect()
}

fn shown(pack: &Pack) -> String {
    format!("{} version {} ({})", pack.id(), pack.version(), short_hash(pack))
}

impl Adopt {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let pack = self.source.load()?;
        let month = self.month.map_or_else(machine::this_month, Ok)?;
        let author = if self.dry {
            None
        } else {
            Some(database::author(self.author.as_deref())?)
        };
        let registry = match &author {
            Some(_) => self.database.write()?,
            None => self.database.read()?,
        };
        let view = registry.begin_read()?;
        if view.pack() == Some(pack.hash()) {
            return self.in_force(output, &pack);
        }
        let prospect = Prospect::of(&view, &pack, month)?;
        if !self.replace
            && let Ok(policy) = view.policy()
            && let Some(problem) = not_newer(policy.pack(), &pack)
        {
            return Err(Failure::No(problem));
        }
        drop(view);
        let sequence = match author {
            Some(author) => Some(self.adopt(&registry, &pack, &author)?),
            None => None,
        };
        registry.close()?;
        self.answer(output, &pack, &prospect, sequence)
    }

    fn adopt(&self, registry: &Registry, pack: &Pack, author: &str) -> Result<Sequence, Failure> {
        let mut transaction = database::begin(registry, author, &self.reason)?;
        transaction.adopt(pack)?;
        Ok(transaction.commit()?)
    }

    fn in_force(&self, output: &mut Output, pack: &Pack) -> Result<(), Failure> {
        if output.is_json() {
            return output.json(&json!({ "pack": pack.id(), "version": pack.version(), "how": "in force" }));
        }
        let path = self.database.path.display();
        output.line(format_args!(
            "{} is in force in {path} already; nothing was changed.",
            shown(pack)
        ))
    }

    fn answer(
        &self,
        output: &mut Output,
        pack: &Pack,
        prospect: &Prospect,
        sequence: Option<Sequence>,
    ) -> Result<(), Failure> {
        let path = self.database.path.display();
        if output.is_json() {
            let mut said = prospect.json();
            said["pack"] = pack.id().into();
            said["version"] = pack.version().into();
            said["how"] = sequence.map_or("dry run", |_| "adopted").into();
            said["sequence"] = sequence.map(Sequence::get).into();
            return output.json(&said);
        }
        prospect.print(output)?;
        if prospect.failing > 0 {
            let (failing, all) = (prospect.failing, pack.examples().len());
            output.line(format_args!(
                "Warning: {failing} of the pack's {all} examples do not come out as they say; see `ansinh policy test {}`.",
                self.source.pack.display()
            ))?;
        }
        match sequence {
            Some(sequence) => output.line(format_args!(
                "Adopted {} in {path} as transaction {}.",
                shown(pack),
                sequence.get()
            )),
            None => output.line(format_args!(
                "A dry run: {} was not adopted, and nothing was written.",
                shown(pack)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        for (lower, higher) in [
            ("2", "10"),
            ("1.2", "1.10"),
            ("2026-07", "2026-10"),
            ("2026", "2026.1"),
            ("1-draft", "2"),
        ] {
            assert!(version(lower) < version(higher), "{lower} {higher}");
        }
        assert_eq!(version("01"), version("1"));
    }
}
