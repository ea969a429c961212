//! The month: runs, and explanations of what a person is owed.

use super::{Registry, RegistryError, RegistryView};
use crate::entitlement::{
    self, Diff, DiffRequest, PersonExplanation, Preparation, Prepared, RunAnswer, RunError, RunHeader,
    RunRequest, Scope, Trial,
};
use crate::kernel::Author;
use crate::policy::Pack;
use crate::types::{Date, Instant, Month, PersonNumber, Sequence};

/// Who hears of progress: called now and then, from several threads, with the steps done and the steps of all.
pub type OnProgress<'p> = &'p (dyn Fn(usize, usize) + Sync);

impl Registry {
    /// Works a month out for everyone in scope and writes it in one transaction. Other writers go on until that short
    /// transaction; killed at any instant, the run is whole or not there.
    ///
    /// ```
    /// use ansinh::entitlement::{RunAnswer, RunRequest};
    /// use ansinh::kernel::Author;
    /// use ansinh::policy::Pack;
    /// use ansinh::registry::{Person, Registry};
    /// use ansinh::types::{Date, Instant, Sex};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("national.ansinh");
    /// let instant = Instant::from_unix_millis(1_780_272_000_000);
    /// let registry = Registry::create(&path, &Pack::vietnam(), instant)?;
    /// let author = Author::new("clerk 00004", "decision 112/QĐ-UBND");
    /// let mut tx = registry.begin_write(author.clone(), instant)?;
    /// let born: Date = "1945-03-17".parse()?;
    /// let person = tx.insert(&Person::new("Nguyễn Thị A", born, Sex::Female).commune("00004".parse()?))?;
    /// tx.enrol(person, "social_pension", "2026-06".parse()?, "112/QĐ-UBND")?;
    /// tx.commit()?;
    ///
    /// let june = "2026-06".parse()?;
    /// let RunAnswer::Created(run) = registry.run(&RunRequest::monthly(june), author, instant, &|_, _| {})? else {
    ///     panic!("the month was not run before");
    /// };
    /// assert_eq!((run.people, run.paid, run.amount), (1, 1, 650_000));
    /// let explained = registry.begin_read()?.explain(person, june)?;
    /// assert_eq!(explained.outcome.lines[0].amount.get(), 650_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run(
        &self,
        request: &RunRequest,
        author: Author,
        instant: Instant,
        progress: OnProgress<'_>,
    ) -> Result<RunAnswer, RegistryError> {
        let view = self.begin_read()?;
        match entitlement::prepare(&view, &view.policy()?, request, progress)? {
            Preparation::Exists(run) => Ok(RunAnswer::Exists(run)),
            Preparation::Ready(prepared) => self.commit_run(*prepared, request, author, instant),
        }
    }

    /// Writes a run that was prepared with [`RegistryView::prepare_run`], unless its month has been settled since.
    pub fn commit_run(
        &self,
        prepared: Prepared,
        request: &RunRequest,
        author: Author,
        instant: Instant,
    ) -> Result<RunAnswer, RegistryError> {
        Ok(entitlement::commit(
            self.store(),
            prepared,
            request,
            author,
            instant,
        )?)
    }

    /// Makes the draft of a month final.
    pub fn finalize_run(
        &self,
        month: Month,
        scope: Scope,
        author: Author,
        instant: Instant,
    ) -> Result<RunHeader, RegistryError> {
        Ok(entitlement::finalize(
            self.store(),
            month,
            scope,
            author,
            instant,
        )?)
    }

    /// Voids the draft of a month: the month can be run again.
    pub fn void_run(
        &self,
        month: Month,
        scope: Scope,
        author: Author,
        instant: Instant,
    ) -> Result<RunHeader, RegistryError> {
        Ok(entitlement::void(self.store(), month, scope, author, instant)?)
    }

    /// Makes the draft of a campaign in a month final.
    pub fn finalize_campaign(
        &self,
        campaign: &str,
        month: Month,
        scope: Scope,
        author: Author,
        instant: Instant,
    ) -> Result<RunHeader, RegistryError> {
        let made = entitlement::finalize_campaign(self.store(), campaign, month, scope, author, instant);
        self.or_no_campaign(made, campaign, month)
    }

    /// Voids the draft of a campaign in a month: whom it paid can be paid by a later run.
    ///
    /// Runs of the campaign that were made in the meantime stay as they are. Whom they left out because of the voided run,
    /// the next run pays.
    pub fn void_campaign(
        &self,
        campaign: &str,
        month: Month,
        scope: Scope,
        author: Author,
        instant: Instant,
    ) -> Result<RunHeader, RegistryError> {
        let made = entitlement::void_campaign(self.store(), campaign, month, scope, author, instant);
        self.or_no_campaign(made, campaign, month)
    }

    /// Where there is no run, says whether there is such a campaign at all.
    fn or_no_campaign(
        &self,
        made: Result<RunHeader, RunError>,
        campaign: &str,
        month: Month,
    ) -> Result<RunHeader, RegistryError> {
        if matches!(made, Err(RunError::NoRun { .. })) {
            self.begin_read()?.check_campaign(campaign, month)?;
        }
        Ok(made?)
    }
}

impl RegistryView {
    /// The monthly run that stands for a month and a scope; a draft stands too.
    pub fn run_of(&self, month: Month, scope: Scope) -> Result<Option<RunHeader>, RegistryError> {
        Ok(entitlement::run_of(self, month, scope)?)
    }

    /// The run of a campaign that stands for a month and a scope; a draft stands too.
    pub fn campaign_run_of(
        &self,
        campaign: &str,
        month: Month,
        scope: Scope,
    ) -> Result<Option<RunHeader>, RegistryError> {
        Ok(entitlement::campaign_run_of(self, campaign, month, scope)?)
    }

    /// Fails, with the campaigns that there are, unless the pack in force has this one in a month, by the law known on
    /// the month's last day.
    pub fn check_campaign(&self, campaign: &str, month: Month) -> Result<(), RegistryError> {
        self.policy()?
            .for_campaign(month, Date::last_of(month), campaign)?;
        Ok(())
    }

    /// The headers of all runs, in the order in which they were made, those that are void included.
    pub fn run_headers(&self) -> Result<Vec<RunHeader>, RegistryError> {
        Ok(entitlement::runs(self)?)
    }

    /// Works a month out without writing anything, or finds the run that exists.
    pub fn prepare_run(
        &self,
        request: &RunRequest,
        progress: OnProgress<'_>,
    ) -> Result<Preparation, RegistryError> {
        Ok(entitlement::prepare(self, &self.policy()?, request, progress)?)
    }

    /// Works a month out whether or not it has been run: a dry run.
    pub fn dry_run(&self, request: &RunRequest, progress: OnProgress<'_>) -> Result<Prepared, RegistryError> {
        Ok(entitlement::compute(self, &self.policy()?, request, progress)?)
    }

    /// A pack, adopted or not, over this registry: bound to the catalogue that its adoption would make, with what that
    /// would change. Nothing is written. A pack that the catalogue cannot adopt is refused as by an adoption.
    pub fn trial(&self, pack: &Pack) -> Result<Trial, RegistryError> {
        Ok(Trial::of(self.catalogue(), pack)?)
    }

    /// What two packs, adopted or not, make of everyone's month: who gains, who loses, how much. Nothing is written.
    ///
    /// ```
    /// use ansinh::entitlement::DiffRequest;
    /// use ansinh::kernel::Author;
    /// use ansinh::policy::Pack;
    /// use ansinh::registry::{Person, Registry};
    /// use ansinh::types::{Date, Instant, Sex};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("national.ansinh");
    /// let instant = Instant::from_unix_millis(1_780_272_000_000);
    /// let registry = Registry::create(&path, &Pack::vietnam(), instant)?;
    /// let mut tx = registry.begin_write(Author::new("clerk 00004", "decision 112/QĐ-UBND"), instant)?;
    /// let born: Date = "1945-03-17".parse()?;
    /// tx.insert(&Person::new("Nguyễn Thị A", born, Sex::Female).commune("00004".parse()?))?;
    /// tx.commit()?;
    ///
    /// let view = registry.begin_read()?;
    /// let (old, new) = (view.policy()?.pack().clone(), Pack::vietnam());
    /// let diff = view.diff(&old, &new, &DiffRequest::monthly("2026-06".parse()?), &|_, _| {})?;
    /// assert_eq!((diff.people, diff.moves.unchanged), (1, 1), "they are the same pack");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff(
        &self,
        before: &Pack,
        after: &Pack,
        request: &DiffRequest,
        progress: OnProgress<'_>,
    ) -> Result<Diff, RegistryError> {
        let (before, after) = (self.trial(before)?, self.trial(after)?);
        Ok(entitlement::diff(self, &before, &after, request, progress)?)
    }

    /// What a month is for a person, and why: as a run determined it or, without one, as it would be by the law known on
    /// the month's last day and the data known now.
    pub fn explain(&self, person: PersonNumber, month: Month) -> Result<PersonExplanation, RegistryError> {
        self.explain_by(person, month, None, Sequence::NEWEST)
    }

    /// As [`RegistryView::explain`]; without a run, by the law known on a day and the data known at a sequence.
    pub fn explain_by(
        &self,
        person: PersonNumber,
        month: Month,
        law_known_on: Option<Date>,
        data_as_of: Sequence,
    ) -> Result<PersonExplanation, RegistryError> {
        self.explain_asked(None, person, month, law_known_on, data_as_of)
    }

    /// What a campaign is for a person in a month, and why: as a run of it determined or, without one, as it would be by
    /// the law known on the month's last day and the data known now. Whoever was paid by another run of the campaign is due
    /// nothing, and the explanation names that run.
    pub fn explain_campaign(
        &self,
        campaign: &str,
        person: PersonNumber,
        month: Month,
    ) -> Result<PersonExplanation, RegistryError> {
        self.explain_campaign_by(campaign, person, month, None, Sequence::NEWEST)
    }

    /// As [`RegistryView::explain_campaign`]; without a run, by the law known on a day and the data known at a sequence.
    pub fn explain_campaign_by(
        &self,
        campaign: &str,
        person: PersonNumber,
        month: Month,
        law_known_on: Option<Date>,
        data_as_of: Sequence,
    ) -> Result<PersonExplanation, RegistryError> {
        self.explain_asked(Some(campaign), person, month, law_known_on, data_as_of)
    }

    fn explain_asked(
        &self,
        campaign: Option<&str>,
        person: PersonNumber,
        month: Month,
        law_known_on: Option<Date>,
        data_as_of: Sequence,
    ) -> Result<PersonExplanation, RegistryError> {
        // The law is that of the run, if there is one, whatever pack was adopted since.
        let by_run = entitlement::determined(self, campaign, person, month)?;
        let pack = by_run.as_ref().map(|(run, _)| run.pack);
        let (law_known_on, known) = entitlement::as_known(by_run.as_ref(), month, law_known_on, data_as_of);
        let policy = self.month_policy_of(pack, campaign, month, law_known_on)?;
        Ok(entitlement::explain_in(self, &policy, person, known, by_run)?)
    }
}
