//! The commands.

mod bench;
mod commune;
mod demo;
mod explain;
mod export;
mod find;
mod household;
mod import;
mod init;
mod log;
mod policy;
mod record;
mod report;
mod run;
mod show;
mod stats;
mod synth;

use clap::Subcommand;

use super::{Failure, Output};

/// What the program can do. Each command is defined once, by its own type.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See it work: a synthetic population, a month, a report
    Demo(demo::Demo),
    /// Create an empty registry with a policy pack
    Init(init::Init),
    /// Add a synthetic population: nobody in it exists
    Synth(synth::Synth),
    /// Import people, households and facts from a CSV file
    Import(import::Import),
    /// Export everything to a CSV file
    Export(export::Export),
    /// Show a person
    Show(show::Show),
    /// Show a household and its members
    Household(household::Household),
    /// Show a commune
    Commune(commune::Commune),
    /// Find who meets a condition, or count them
    Find(find::Find),
    /// Record facts about a person or the person's household
    Record(record::Record),
    /// Work out a month: a draft, unless it is made final
    Run(run::Run),
    /// Explain what a month is for a person, and why
    Explain(explain::Explain),
    /// Check a policy pack, test it, look into it; compare two over everyone; adopt one
    Policy(policy::Policy),
    /// Report a run by province, commune, programme or channel
    Report(report::Report),
    /// Show who changed what, when and why
    Log(log::Log),
    /// Show how much the registry holds and how much room it takes
    Stats(stats::Stats),
    /// Measure what registries of given sizes cost on this machine
    Bench(bench::Bench),
    /// One piece of work of `bench`, in a process of its own
    #[command(hide = true)]
    BenchTask(bench::BenchTask),
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Demo(command) => command.run(output),
            Self::Init(command) => command.run(output),
            Self::Synth(command) => command.run(output),
            Self::Import(command) => command.run(output),
            Self::Export(command) => command.run(output),
            Self::Show(command) => command.run(output),
            Self::Household(command) => command.run(output),
            Self::Commune(command) => command.run(output),
            Self::Find(command) => command.run(output),
            Self::Record(command) => command.run(output),
            Self::Run(command) => command.run(output),
            Self::Explain(command) => command.run(output),
            Self::Policy(command) => command.run(output),
            Self::Report(command) => command.run(output),
            Self::Log(command) => command.run(output),
            Self::Stats(command) => command.run(output),
            Self::Bench(command) => command.run(output),
            Self::BenchTask(command) => command.run(output),
        }
    }
}
