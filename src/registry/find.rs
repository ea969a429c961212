//! Asking a condition of everyone.

use std::sync::Arc;

use super::{OnProgress, RegistryError, RegistryView};
use crate::policy::{MonthPolicy, Truth};
use crate::query::{Cancel, Count, Field, Part, People, Plan, QueryError, Search, WORKERS_MAX};
use crate::types::{Date, Month, PersonNumber, Sequence};

/// A condition in the language of policy packs, to be asked of everyone; see [`RegistryView::find`].
pub struct Find<'v> {
    view: &'v RegistryView,
    condition: String,
    month: Month,
    law_known_on: Option<Date>,
    data_as_of: Sequence,
    workers: usize,
    progress: OnProgress<'v>,
    cancel: Option<&'v Cancel>,
}

impl std::fmt::Debug for Find<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Find")
            .field("condition", &self.condition)
            .field("month", &self.month)
            .field("law_known_on", &self.law_known_on)
            .field("data_as_of", &self.data_as_of)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

impl RegistryView {
    /// Asks a condition of everyone who is alive and present at the end of a month, in the words of the pack in force.
    ///
    /// Without more it asks about the month of the newest transaction, by the law known on that month's last day and the
    /// data known now, with a thread for each processor. Who died in the month, lives nowhere in the country, or whose record was
    /// merged into another or entered in error is not asked about. The condition is three-valued: of whom it depends on
    /// something unknown, they are counted apart.
    ///
    /// ```
    /// use ansinh::kernel::Author;
    /// use ansinh::policy::Pack;
    /// use ansinh::registry::{Person, Registry};
    /// use ansinh::types::{Date, Instant, Sex};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("national.ansinh");
    /// let instant = Instant::from_unix_millis(1_780_272_000_000); // in June 2026
    /// let registry = Registry::create(&path, &Pack::vietnam(), instant)?;
    /// let mut tx = registry.begin_write(Author::new("clerk 00004", "decision 112/QĐ-UBND"), instant)?;
    /// let born: Date = "1945-03-17".parse()?;
    /// let person = tx.insert(&Person::new("Nguyễn Thị A", born, Sex::Female).commune("00004".parse()?))?;
    /// tx.commit()?;
    ///
    /// let view = registry.begin_read()?;
    /// assert_eq!(view.find("age >= 75 and pension == none")?.count()?.matching, 1);
    /// assert_eq!(view.find("age >= 82")?.month("2026-12".parse()?).count()?.matching, 0);
    /// assert_eq!(view.find("sex == female")?.people(10)?.people, [person]);
    /// let error = view.find("pention == none").unwrap_err();
    /// assert!(error.to_string().contains("did you mean \"pension\"?"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn find(&self, condition: impl Into<String>) -> Result<Find<'_>, RegistryError> {
        let condition = condition.into();
        self.policy()?
            .check_condition(&condition)
            .map_err(QueryError::Condition)?;
        let entry = self.log_entry(self.newest())?;
        let month = match entry {
            Some(entry) => Date::in_vietnam(entry.instant)?.month(),
            None => return Err(RegistryError::NoPack),
        };
        Ok(Find {
            view: self,
            condition,
            month,
            law_known_on: None,
            data_as_of: Sequence::NEWEST,
            workers: std::thread::available_parallelism()
                .map_or(1, std::num::NonZero::get)
                .min(WORKERS_MAX),
            progress: &|_, _| {},
            cancel: None,
        })
    }

    /// A field to count by: see [`Field::named`].
    pub fn field(&self, name: &str) -> Result<Field, RegistryError> {
        Ok(Field::named(name, self.catalogue())?)
    }
}

impl<'v> Find<'v> {
    /// About the end of a month.
    #[must_use]
    pub const fn month(mut self, month: Month) -> Self {
        self.month = month;
        self
    }

    /// By the law as it was known on a day: the figures of the pack, `param.base_level` for example.
    #[must_use]
    pub const fn law_known_on(mut self, day: Date) -> Self {
        self.law_known_on = Some(day);
        self
    }

    /// By the data known at a sequence.
    #[must_use]
    pub const fn data_as_of(mut self, known: Sequence) -> Self {
        self.data_as_of = known;
        self
    }

    /// With so many threads, from 1 to [`WORKERS_MAX`].
    #[must_use]
    pub const fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// With somebody who hears of progress.
    #[must_use]
    pub const fn on_progress(mut self, progress: OnProgress<'v>) -> Self {
        self.progress = progress;
        self
    }

    /// With somebody who may cancel it: the question then ends with [`QueryError::Cancelled`].
    #[must_use]
    pub const fn cancelled_by(mut self, cancel: &'v Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// The month asked about.
    pub const fn asked_month(&self) -> Month {
        self.month
    }

    /// The day whose knowledge of the law is used.
    pub fn asked_law(&self) -> Date {
        self.law_known_on.unwrap_or_else(|| Date::last_of(self.month))
    }

    /// How many meet the condition, and of how many it is undetermined.
    pub fn count(&self) -> Result<Count, RegistryError> {
        Ok(self.search(&*self.policy()?)?.count()?)
    }

    /// How many, by the values of a field, in the order of the values. A value that nobody has is not listed.
    pub fn by(&self, field: &Field) -> Result<Vec<Part>, RegistryError> {
        Ok(self.search(&*self.policy()?)?.by(field)?)
    }

    /// Those who meet the condition: how many there are, and the first `limit` in the order of the registry, by unit and
    /// household.
    pub fn people(&self, limit: usize) -> Result<People, RegistryError> {
        Ok(self.search(&*self.policy()?)?.people(limit)?)
    }

    /// Those of whom the condition is undetermined, likewise.
    pub fn undetermined(&self, limit: usize) -> Result<People, RegistryError> {
        Ok(self.search(&*self.policy()?)?.undetermined(limit)?)
    }

    /// What the condition comes to for one person; `None` of who is not in scope. It is the slow way, by everything on
    /// record of that person.
    pub fn truth_of(&self, person: PersonNumber) -> Result<Option<Truth>, RegistryError> {
        Ok(self.search(&*self.policy()?)?.truth_of(person)?)
    }

    /// What will be read, and how much of the registry is left out.
    pub fn plan(&self) -> Result<Plan, RegistryError> {
        Ok(self.search(&*self.policy()?)?.plan()?)
    }

    /// The names of the attributes that the condition reads, those of people around the person included.
    pub fn attributes(&self) -> Result<Vec<String>, RegistryError> {
        Ok(self.search(&*self.policy()?)?.attributes()?)
    }

    fn policy(&self) -> Result<Arc<MonthPolicy>, RegistryError> {
        self.view
            .month_policy_of(None, None, self.month, self.asked_law())
    }

    fn search<'s>(&'s self, policy: &'s MonthPolicy) -> Result<Search<'s>, RegistryError> {
        let search = Search::new(self.view, policy, &self.condition)
            .data_as_of(self.data_as_of)?
            .workers(self.workers)?
            .on_progress(self.progress);
        Ok(match self.cancel {
            Some(cancel) => search.cancelled_by(cancel),
            None => search,
        })
    }
}
