//! The rows of a segment under a predicate.
//!
//! A truth is worked out once for each place, class of person, class of household and band of age that occurs; a row
//! then finds it by four look-ups in small tables.

use rustc_hash::FxHashMap;

use super::case::{Around, CaseReader};
use super::classes::{Classes, Met};
use super::ground::Ground;
use super::places::Places;
use super::surroundings::Surroundings;
use crate::format::hot::{AtEnd, BIRTH_MONTH_UNKNOWN, HotHead, HotView, Indexes};
use crate::format::locator::SegmentKey;
use crate::kernel::near::Near;
use crate::kernel::scan::{CodedState, SegmentScan};
use crate::kernel::{ReadError, SegmentBytes, View};
use crate::policy::{Bands, Case, MonthPolicy, Own, Predicate, Settled, Truth};
use crate::types::{Month, PersonNumber, Sequence, UnitNumber};

/// The truth of a row: not met, or nobody in scope.
pub(super) const NO: u8 = 0;
/// Met.
pub(super) const YES: u8 = 1;
/// It depends on what is unknown.
pub(super) const UNDETERMINED: u8 = 2;
/// It could not be evaluated.
pub(super) const FAULT: u8 = 3;
/// It depends on what the person has of their own.
const OWN: u8 = 4;
/// Not worked out yet.
const UNSET: u8 = u8::MAX;
/// The truths that a worker remembers at most; it then begins anew.
const TRUTHS_MAX: usize = 256 << 20;
/// The truths by people around that a worker remembers at most.
const AROUND_MAX: usize = 1 << 20;
/// Birth months, and as many again of people of whom only the year of birth is known.
const BIRTHS: usize = Month::MAX.index() as usize + 1;

/// What all workers of a search share.
pub(super) struct Job<'a> {
    pub(super) view: &'a View,
    pub(super) policy: &'a MonthPolicy,
    pub(super) predicate: &'a Predicate<'a>,
    pub(super) month: Month,
    pub(super) known: Sequence,
    pub(super) places: Places,
    pub(super) persons: Classes,
    pub(super) households: Classes,
    pub(super) bands: Bands,
    /// The band of each birth month, then of each where only the year is known.
    pub(super) band_of: Vec<u16>,
    /// How the people around a person are told apart, if they are asked about.
    pub(super) others: Option<Ground>,
}

impl Job<'_> {
    /// Whether a segment can be left out: whoever is in it has, and always had, a profile that rules the predicate out.
    pub(super) fn rules_out(
        &self,
        head: &mut HotHead,
        bytes: &[u8],
    ) -> Result<bool, crate::format::FormatError> {
        if self.persons.all_possible() && self.households.all_possible() {
            return Ok(false);
        }
        head.read(bytes)?;
        let possible = head
            .person_codes
            .iter()
            .any(|&code| self.persons.is_possible(code))
            && head
                .household_codes
                .iter()
                .any(|&code| self.households.is_possible(code));
        if possible || head.newest > self.known {
            return Ok(false);
        }
        // What is answered by the facts may have a profile that the segment does not list.
        let answered_from = head.answered_from(bytes)?;
        Ok(answered_from.is_none_or(|from| self.month >= from))
    }

    /// The bands of all births, in one list.
    pub(super) fn list_bands(bands: &Bands) -> Vec<u16> {
        [true, false]
            .into_iter()
            .flat_map(|month_known| bands.by_birth_month(month_known))
            .copied()
            .collect()
    }
}

fn birth_index(birth: u16) -> usize {
    usize::from(birth & !BIRTH_MONTH_UNKNOWN) + usize::from(birth / BIRTH_MONTH_UNKNOWN) * BIRTHS
}

/// The classes that occur in a segment, numbered from 0.
#[derive(Default)]
struct Local {
    /// By class: the round in which it last got a number, and the number.
    stamps: Vec<(u32, u32)>,
    /// The number of each index of the segment's dictionary.
    of_index: Vec<u32>,
    /// The class of each number.
    classes: Vec<u32>,
}

impl Local {
    fn number(&mut self, codes: &[u32], met: &mut Met<'_>, round: u32) -> Result<(), ReadError> {
        self.of_index.clear();
        self.classes.clear();
        for &code in codes {
            let class = met.class(code)?;
            let place = class as usize;
            if place >= self.stamps.len() {
                self.stamps.resize(met.len().max(place + 1), (0, 0));
            }
            if self.stamps[place].0 != round {
                self.stamps[place] = (round, self.classes.len() as u32);
                self.classes.push(class);
            }
            self.of_index.push(self.stamps[place].1);
        }
        Ok(())
    }
}

/// What is true of everyone of a cell: classes of place, person and household, and the band of age.
type Cell = (u32, u32, u32, u16);

/// A segment whose rows were settled.
pub(super) struct Seen<'b> {
    pub(super) hot: HotView<'b>,
    /// The unit in which everyone of it lives who is in scope.
    pub(super) unit: UnitNumber,
}

/// The truths of the rows of one segment after another.
pub(super) struct Rows<'a> {
    job: &'a Job<'a>,
    head: HotHead,
    persons: Met<'a>,
    households: Met<'a>,
    /// For each start a truth for each band; the first start stands for what was not met yet.
    truths: Vec<u8>,
    starts: FxHashMap<(u32, u32, u32), u32>,
    round: u32,
    person_local: Local,
    household_local: Local,
    /// The start of each local class of person with each of household.
    grid: Vec<u32>,
    /// How many local classes of household there are.
    across: usize,
    reader: CaseReader<'a>,
    surroundings: Surroundings<'a>,
    /// Whether cell and people around settle the predicate: values that stand in no profile are not asked for.
    groups_settle: bool,
    /// Truths by cell and the people around.
    around: FxHashMap<Box<[u32]>, u8>,
    /// The cell and the people around the person at hand.
    description: Vec<u32>,
    /// The persons of the segment at hand, once somebody asked.
    numbers: Option<Vec<PersonNumber>>,
    /// The truth of each row of the segment at hand.
    pub(super) found: Vec<u8>,
    /// The rows of the segment at hand that are in scope by a state that the columns do not show, by row.
    pub(super) changed: Vec<(u16, CodedState)>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Result<Self, ReadError> {
        let reads = job.predicate.reads();
        let near = Near::new(job.view, [Some(job.month), job.month.previous()], job.known)?;
        let ground = reads.others.as_deref().zip(job.others.as_ref());
        let own_of_others = reads.others.as_ref().is_some_and(|others| !others.own.is_empty());
        Ok(Self {
            job,
            surroundings: Surroundings::new(job.view, job.policy, ground, near),
            groups_settle: reads.own.is_empty() && !own_of_others,
            around: FxHashMap::default(),
            description: Vec::new(),
            head: HotHead::default(),
            persons: Met::new(job.view, &job.persons),
            households: Met::new(job.view, &job.households),
            truths: vec![UNSET; job.bands.count()],
            starts: FxHashMap::default(),
            round: 0,
            person_local: Local::default(),
            household_local: Local::default(),
            grid: Vec::new(),
            across: 0,
            reader: CaseReader::new(job.view, job.policy, job.month, job.known),
            numbers: None,
            found: Vec::new(),
            changed: Vec::new(),
        })
    }

    /// Settles every row of a segment; `None` if it was left out, and nobody in it matches.
    pub(super) fn take<'b>(
        &mut self,
        key: SegmentKey,
        bytes: &'b SegmentBytes,
    ) -> Result<Option<Seen<'b>>, ReadError> {
        let malformed = |source| malformed(key, source);
        let job = self.job;
        if job.rules_out(&mut self.head, bytes.bytes()).map_err(malformed)? {
            return Ok(None);
        }
        self.numbers = None;
        self.changed.clear();
        if self.truths.len() > TRUTHS_MAX {
            self.truths.truncate(job.bands.count());
            self.starts.clear();
        }
        let hot = HotView::parse(bytes.bytes()).map_err(malformed)?;
        let unit = job.view.follow(UnitNumber(hot.unit), job.month, job.known);
        let place = unit.and_then(|unit| job.places.now(unit));
        let (Some(unit), Some(place)) = (unit, place) else {
            return Ok(None);
        };
        self.begin(&hot, place)?;
        if job.month >= hot.base {
            self.look_up(&hot);
        }
        let mut ask_facts = hot.newest > job.known;
        if !ask_facts {
            let seen = |row, shown| match shown {
                AtEnd::Facts => ask_facts = true,
                shown => self.changed_row(&hot, unit, row, shown),
            };
            hot.each_changed(job.month, job.known, &mut { seen })
                .map_err(malformed)?;
        }
        if ask_facts {
            self.by_facts(key, bytes)?;
        }
        self.work_out(&hot, place, key, bytes)?;
        Ok(Some(Seen { hot, unit }))
    }

    /// Numbers the classes of a segment, and looks for where their truths stand.
    fn begin(&mut self, hot: &HotView<'_>, place: u32) -> Result<(), ReadError> {
        self.found.clear();
        self.found.resize(hot.rows(), NO);
        self.round += 1;
        self.person_local
            .number(&hot.person_codes, &mut self.persons, self.round)?;
        self.household_local
            .number(&hot.household_codes, &mut self.households, self.round)?;
        self.across = self.household_local.classes.len();
        self.grid.clear();
        for &person in &self.person_local.classes {
            for &household in &self.household_local.classes {
                let start = self.starts.get(&(place, person, household));
                self.grid.push(start.copied().unwrap_or(0));
            }
        }
        Ok(())
    }

    /// Notes a row that its columns do not tell all about, with the truth that is known of its cell.
    fn changed_row(&mut self, hot: &HotView<'_>, unit: UnitNumber, row: usize, shown: AtEnd) {
        let AtEnd::Present { person, household } = shown else {
            self.found[row] = NO;
            return;
        };
        let birth = hot.birth(row);
        let pair = self.person_local.of_index[person] as usize * self.across
            + self.household_local.of_index[household] as usize;
        self.found[row] = self.truths[self.grid[pair] as usize + usize::from(self.band(birth))];
        self.changed.push((
            row as u16,
            CodedState {
                unit,
                person: hot.person_codes[person],
                household: hot.household_codes[household],
                birth,
            },
        ));
    }

    /// Settles the changed rows of a segment of which some are told by the facts alone.
    fn by_facts(&mut self, key: SegmentKey, bytes: &SegmentBytes) -> Result<(), ReadError> {
        let job = self.job;
        let scan = SegmentScan::new(job.view, key, bytes, job.month, job.known)?;
        self.changed.clear();
        for special in scan.special() {
            let state = special.now.filter(|_| special.in_scope && !special.dies);
            self.found[usize::from(special.row)] = if state.is_some() { UNSET } else { NO };
            self.changed.extend(state.map(|state| (special.row, state)));
        }
        Ok(())
    }

    /// Works out what was not met before, and what depends on what each person has of their own.
    fn work_out(
        &mut self,
        hot: &HotView<'_>,
        place: u32,
        key: SegmentKey,
        bytes: &SegmentBytes,
    ) -> Result<(), ReadError> {
        let job = self.job;
        let open = |truth: &u8| *truth >= OWN;
        if self.found.iter().copied().max().is_none_or(|most| most < OWN) {
            return Ok(());
        }
        let mut scan = None;
        let mut row = 0;
        let mut changed = 0;
        while let Some(ahead) = self.found[row..].iter().position(open) {
            row += ahead;
            while self
                .changed
                .get(changed)
                .is_some_and(|(at, _)| usize::from(*at) < row)
            {
                changed += 1;
            }
            let state = self.changed.get(changed);
            let state = state
                .filter(|(at, _)| usize::from(*at) == row)
                .map(|(_, state)| *state);
            let cell = match state {
                Some(state) => self.cell_of_state(&state)?,
                None => self.cell_of(hot, place, row),
            };
            let at = self.at(cell);
            self.found[row] = match self.truth_at(cell, at) {
                OWN => {
                    let scan = match &scan {
                        Some(scan) => scan,
                        None => scan.insert(SegmentScan::new(job.view, key, bytes, job.month, job.known)?),
                    };
                    self.own(cell, scan, row)?
                }
                truth => truth,
            };
            if state.is_none() {
                let (person, household) = self.local_of(hot, row);
                self.grid[person * self.across + household] = (at - usize::from(cell.3)) as u32;
            }
            row += 1;
        }
        Ok(())
    }

    /// Copies to every row the truth that is known of its cell.
    fn look_up(&mut self, hot: &HotView<'_>) {
        let across = self.across;
        let births = hot.births().as_chunks::<2>().0;
        let tables = Tables {
            persons: &self.person_local.of_index,
            households: &self.household_local.of_index,
            across: across as u32,
            grid: &self.grid,
            truths: &self.truths,
            band_of: &self.job.band_of,
        };
        let out = &mut self.found;
        let narrow = |byte: &u8| usize::from(*byte);
        let wide = |pair: &[u8; 2]| usize::from(u16::from_le_bytes(*pair));
        match (hot.persons, hot.households, across) {
            (Indexes::Narrow(persons), _, 1) => {
                tables.fill(out, persons.iter().map(narrow), std::iter::repeat(0), births);
            }
            (Indexes::Wide(persons), _, 1) => {
                let persons = persons.as_chunks().0.iter().map(wide);
                tables.fill(out, persons, std::iter::repeat(0), births);
            }
            (Indexes::Narrow(persons), Indexes::Narrow(households), _) => {
                let households = households.iter().map(narrow);
                tables.fill(out, persons.iter().map(narrow), households, births);
            }
            (Indexes::Narrow(persons), Indexes::Wide(households), _) => {
                let households = households.as_chunks().0.iter().map(wide);
                tables.fill(out, persons.iter().map(narrow), households, births);
            }
            (Indexes::Wide(persons), Indexes::Narrow(households), _) => {
                let persons = persons.as_chunks().0.iter().map(wide);
                tables.fill(out, persons, households.iter().map(narrow), births);
            }
            (Indexes::Wide(persons), Indexes::Wide(households), _) => {
                let persons = persons.as_chunks().0.iter().map(wide);
                let households = households.as_chunks().0.iter().map(wide);
                tables.fill(out, persons, households, births);
            }
        }
    }

    /// The local classes of a row's person and household.
    fn local_of(&self, hot: &HotView<'_>, row: usize) -> (usize, usize) {
        (
            self.person_local.of_index[hot.persons.get(row)] as usize,
            self.household_local.of_index[hot.households.get(row)] as usize,
        )
    }

    fn cell_of(&self, hot: &HotView<'_>, place: u32, row: usize) -> Cell {
        let (person, household) = self.local_of(hot, row);
        (
            place,
            self.person_local.classes[person],
            self.household_local.classes[household],
            self.band(hot.birth(row)),
        )
    }

    fn band(&self, birth: u16) -> u16 {
        let band = self.job.band_of.get(birth_index(birth));
        band.copied().unwrap_or(Bands::UNBORN)
    }

    /// Where the truth of a cell stands.
    fn at(&mut self, (place, person, household, band): Cell) -> usize {
        let start = self.starts.entry((place, person, household)).or_insert_with(|| {
            let start = self.truths.len();
            self.truths.resize(start + self.job.bands.count(), UNSET);
            self.truths[start + usize::from(Bands::UNBORN)] = NO;
            start as u32
        });
        *start as usize + usize::from(band)
    }

    /// The truth of a cell, worked out if it is not known yet.
    fn truth_at(&mut self, cell: Cell, at: usize) -> u8 {
        if self.truths[at] == UNSET {
            let case = self.case(cell, None);
            let truth = case.map_or(NO, |case| match self.job.predicate.settle(&case) {
                Settled::Truth(truth) => code_of(truth),
                Settled::Fault => FAULT,
                Settled::EachOwn => OWN,
            });
            self.truths[at] = truth;
        }
        self.truths[at]
    }

    /// The case of a cell; `None` of those who are not born yet.
    fn case<'c>(
        &'c self,
        (place, person, household, band): Cell,
        own: Option<&'c dyn Own>,
    ) -> Option<Case<'c>> {
        let place = &self.job.places.all()[place as usize];
        Some(Case {
            dies: false,
            age: self.job.bands.band(band)?.now?,
            person: self.persons.sample(person),
            household: Some(self.households.sample(household)),
            commune: &place.commune,
            province: place.province,
            former_province: place.former_province,
            own,
        })
    }

    /// The cell of a person who is in scope by a state that the columns do not show.
    fn cell_of_state(&mut self, state: &CodedState) -> Result<Cell, ReadError> {
        let place = self.job.places.now(state.unit);
        let place = place.ok_or_else(|| ReadError::Inconsistent(format!("{} is not stored", state.unit)))?;
        Ok((
            place,
            self.persons.class(state.person)?,
            self.households.class(state.household)?,
            self.band(state.birth),
        ))
    }

    /// The truth of one person of a cell.
    fn own(&mut self, cell: Cell, scan: &SegmentScan<'_>, row: usize) -> Result<u8, ReadError> {
        if !self.groups_settle {
            let person = self.surroundings.person(scan, row)?;
            return self.judge(cell, person);
        }
        self.description.clear();
        self.description
            .extend([cell.0, cell.1, cell.2, u32::from(cell.3)]);
        let groups = &self.job.predicate.reads().groups;
        self.surroundings
            .describe(groups, scan, row, &mut self.description)?;
        if let Some(&truth) = self.around.get(self.description.as_slice()) {
            return Ok(truth);
        }
        let person = self.surroundings.person(scan, row)?;
        let truth = self.judge(cell, person)?;
        if self.around.len() >= AROUND_MAX {
            self.around.clear();
        }
        self.around.insert(self.description.as_slice().into(), truth);
        Ok(truth)
    }

    /// Judges one person of a cell by everything on record.
    fn judge(&self, cell: Cell, person: PersonNumber) -> Result<u8, ReadError> {
        let around = Around::new(&self.reader, person);
        let case = self.case(cell, Some(&around));
        let truth = case.map(|case| self.job.predicate.evaluate(&case));
        self.reader.take_problem()?;
        Ok(match truth {
            None => NO,
            Some(Ok(truth)) => code_of(truth),
            Some(Err(_)) => FAULT,
        })
    }

    /// The person of a row of the segment at hand.
    pub(super) fn person_of(&mut self, key: SegmentKey, row: usize) -> Result<PersonNumber, ReadError> {
        if self.numbers.is_none() {
            self.numbers = Some(self.job.view.segment_persons(key)?);
        }
        let person = self.numbers.as_ref().and_then(|numbers| numbers.get(row));
        let missing = || ReadError::Inconsistent(format!("row {row} of {key:?} has no person"));
        person.copied().ok_or_else(missing)
    }
}

const fn code_of(truth: Truth) -> u8 {
    match truth {
        Truth::False => NO,
        Truth::True => YES,
        Truth::Undetermined => UNDETERMINED,
    }
}

/// The small tables by which a row finds its truth.
struct Tables<'t> {
    persons: &'t [u32],
    households: &'t [u32],
    across: u32,
    grid: &'t [u32],
    truths: &'t [u8],
    band_of: &'t [u16],
}

impl Tables<'_> {
    #[inline]
    fn fill(
        &self,
        out: &mut [u8],
        persons: impl Iterator<Item = usize>,
        households: impl Iterator<Item = usize>,
        births: &[[u8; 2]],
    ) {
        for (((out, person), household), birth) in out.iter_mut().zip(persons).zip(households).zip(births) {
            let birth = birth_index(u16::from_le_bytes(*birth));
            let band = self.band_of.get(birth).copied().unwrap_or(Bands::UNBORN);
            let pair = self.persons[person] * self.across + self.households[household];
            let start = self.grid[pair as usize];
            *out = self.truths[start as usize + usize::from(band)];
        }
    }
}

pub(super) fn malformed(key: SegmentKey, source: crate::format::FormatError) -> ReadError {
    ReadError::Format {
        table: "hot",
        key: key.number().to_string(),
        source,
    }
}
