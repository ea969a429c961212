//! `policy test`: whether the examples of a pack come out as somebody worked them out by hand.

use clap::Args;
use serde_json::json;

use super::Source;
use crate::cli::Failure;
use crate::cli::output::Output;
use crate::policy::ExampleResult;

/// What stands between the people of an example in its result.
const BETWEEN_PEOPLE: &str = " | ";

/// Runs examples.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all come out as expected, 1 one does not or the pack is not sound.\n\nExamples:\n  ansinh policy test vn\n  ansinh policy test my-pack.toml --only \"single parent\""
)]
pub struct Test {
    #[command(flatten)]
    source: Source,
    /// Only the examples whose title contains this, in capitals or not
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

impl Test {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let pack = self.source.load()?;
        let wanted = self.only.as_ref().map(|text| text.to_lowercase());
        let mut results = pack.run_examples();
        if let Some(wanted) = &wanted {
            results.retain(|result| result.title.to_lowercase().contains(wanted));
        }
        if results.is_empty() {
            return Err(Failure::No(match &self.only {
                Some(only) => format!(
                    "no title of the {} examples contains {only:?}",
                    pack.examples().len()
                ),
                None => format!("{} has no [[example]]", self.source.name()),
            }));
        }
        let (passed, failed): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.passed);
        if output.is_json() {
            output.json(&json!({
                "passed": passed.len(),
                "failed": failed.iter().map(|result| json!({
                    "line": result.line,
                    "title": result.title,
                    "expected": result.expected,
                    "found": result.found,
                })).collect::<Vec<_>>(),
            }))?;
        } else {
            for result in &failed {
                self.print(result, output)?;
            }
        }
        let (failed, all) = (failed.len(), results.len());
        if failed > 0 {
            output.flush()?;
            let file = self.source.name();
            return Err(Failure::No(format!(
                "{failed} of {all} examples of {file} failed"
            )));
        }
        if output.is_json() {
            return Ok(());
        }
        output.line(match all {
            1 => "1 example passed.".to_owned(),
            _ => format!("{all} examples passed."),
        })
    }

    /// One failing example: of several people only those who came out otherwise.
    fn print(&self, result: &ExampleResult, output: &mut Output) -> Result<(), Failure> {
        output.line(format_args!(
            "{}:{}: {}",
            self.source.name(),
            result.line,
            result.title
        ))?;
        let people = |text: &str| text.split(BETWEEN_PEOPLE).map(str::to_owned).collect::<Vec<_>>();
        let (mut expected, mut found) = (people(&result.expected), people(&result.found));
        if expected.len() != found.len() {
            (expected, found) = (vec![result.expected.clone()], vec![result.found.clone()]);
        }
        for (expected, found) in expected.iter().zip(&found).filter(|(a, b)| a != b) {
            output.line(format_args!("  expected  {expected}"))?;
            output.line(format_args!("  found     {found}"))?;
        }
        output.line("")
    }
}
