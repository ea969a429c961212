//! The rows of a segment under a predicate.
//!
//! A truth is worked out once for each place, class of person, class of household and band of age that occurs; a row
//! then finds it by its life and its birth.

use rustc_hash::FxHashMap;

use super::case::{Around, CaseReader};
use super::classes::{Classes, Met};
use super::ground::{BandOfBirth, Ground};
use super::places::Places;
use super::surroundings::Surroundings;
use crate::format::hot::{HotHead, HotView, Indexes, Pair};
use crate::format::locator::SegmentKey;
use crate::kernel::near::Near;
use crate::kernel::scan::{CodedState, ScanRoom, SegmentScan};
use crate::kernel::{ReadError, SegmentBytes, View};
use crate::policy::{Bands, Case, MonthPolicy, Own, Predicate, Settled, Truth};
use crate::types::{Month, PersonNumber, Sequence};

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
    /// The band of every number that a birth column may hold.
    pub(super) band_of: Box<BandOfBirth>,
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

/// The truths of the rows of one segment after another.
pub(super) struct Rows<'a> {
    job: &'a Job<'a>,
    head: HotHead,
    persons: Met<'a>,
    households: Met<'a>,
    /// For each start a truth for each band. The first start stands for what was not met yet, the second for lives that
    /// are not in scope.
    truths: Vec<u8>,
    starts: FxHashMap<(u32, u32, u32), u32>,
    round: u32,
    person_local: Local,
    household_local: Local,
    /// The start of each local class of person with each of household.
    grid: Vec<u32>,
    /// The start of each life of the segment at hand.
    starts_of_lives: Vec<u32>,
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
    /// The memory of the scan before.
    pub(super) room: ScanRoom,
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
            truths: no_truths(job.bands.count()),
            starts: FxHashMap::default(),
            round: 0,
            person_local: Local::default(),
            household_local: Local::default(),
            grid: Vec::new(),
            starts_of_lives: Vec::new(),
            reader: CaseReader::new(job.view, job.policy, job.month, job.known),
            numbers: None,
            found: Vec::new(),
            room: ScanRoom::default(),
        })
    }

    /// Settles every row of a segment; `None` if it was left out, and nobody in it matches.
    pub(super) fn take<'b>(
        &mut self,
        key: SegmentKey,
        bytes: &'b SegmentBytes,
    ) -> Result<Option<SegmentScan<'b>>, ReadError>
    where
        'a: 'b,
    {
        let job = self.job;
        let left_out = job.rules_out(&mut self.head, bytes.bytes());
        if left_out.map_err(|source| malformed(key, source))? {
            return Ok(None);
        }
        self.numbers = None;
        if self.truths.len() > TRUTHS_MAX {
            self.truths = no_truths(job.bands.count());
            self.starts.clear();
        }
        let room = std::mem::take(&mut self.room);
        let scan = SegmentScan::new_in(job.view, key, bytes, (job.month, job.known), room)?;
        let Some(place) = scan.unit().and_then(|unit| job.places.now(unit)) else {
            return Ok(None);
        };
        self.find_starts(&scan, place)?;
        let mut greatest = self.look_up(scan.hot());
        for special in scan.special() {
            let states = special.states;
            let there = states.in_scope && !states.dies && states.now.is_some();
            let truth = if there { UNSET } else { NO };
            self.found[usize::from(special.row)] = truth;
            greatest = greatest.max(truth);
        }
        if greatest >= OWN {
            self.work_out(&scan)?;
        }
        Ok(Some(scan))
    }

    /// Looks for where the truths of each life stand.
    fn find_starts(&mut self, scan: &SegmentScan<'_>, place: u32) -> Result<(), ReadError> {
        let hot = scan.hot();
        self.round += 1;
        self.person_local
            .number(&hot.person_codes, &mut self.persons, self.round)?;
        self.household_local
            .number(&hot.household_codes, &mut self.households, self.round)?;
        let across = self.household_local.classes.len();
        self.grid.clear();
        for &person in &self.person_local.classes {
            for &household in &self.household_local.classes {
                let start = self.starts.get(&(place, person, household));
                self.grid.push(start.copied().unwrap_or(0));
            }
        }
        let absent = self.job.bands.count() as u32;
        let start_of = |pair: Pair| {
            let person = self.person_local.of_index[usize::from(pair.person)] as usize;
            let household = self.household_local.of_index[usize::from(pair.household)] as usize;
            self.grid[person * across + household]
        };
        self.starts_of_lives.clear();
        if scan.life_of_pair(0).in_scope {
            self.starts_of_lives
                .extend(hot.pairs.iter().map(|&pair| start_of(pair)));
        } else {
            self.starts_of_lives.resize(hot.pairs.len(), absent);
        }
        let starts = scan.courses().iter().map(|life| match life.now {
            Some(stay) if life.in_scope && !life.dies => start_of(hot.pairs[usize::from(stay.pair)]),
            _ => absent,
        });
        self.starts_of_lives.extend(starts);
        Ok(())
    }

    /// Copies to every row the truth that is known of its cell; answers the greatest of them.
    fn look_up(&mut self, hot: &HotView<'_>) -> u8 {
        let births = hot.births().as_chunks::<2>().0;
        let (truths, band_of) = (self.truths.as_slice(), &self.job.band_of);
        let truth = |start: u32, birth: [u8; 2]| {
            let band = band_of[usize::from(u16::from_le_bytes(birth))];
            truths[start as usize + usize::from(band)]
        };
        // One length for all columns, so that the loops check it once.
        let rows = births.len();
        self.found.resize(rows, NO);
        let found = &mut self.found[..rows];
        let mut greatest = NO;
        match hot.lives {
            Indexes::Narrow(lives) => {
                // As many places as a byte has values, so that none needs to be checked.
                let mut starts = [0; 256];
                for (place, &start) in starts.iter_mut().zip(&self.starts_of_lives) {
                    *place = start;
                }
                let lives = &lives[..rows];
                for row in 0..rows {
                    let truth = truth(starts[usize::from(lives[row])], births[row]);
                    found[row] = truth;
                    greatest = greatest.max(truth);
                }
            }
            Indexes::Wide(lives) => {
                let starts = self.starts_of_lives.as_slice();
                let lives = &lives.as_chunks::<2>().0[..rows];
                for row in 0..rows {
                    let life = usize::from(u16::from_le_bytes(lives[row]));
                    let truth = truth(starts[life], births[row]);
                    found[row] = truth;
                    greatest = greatest.max(truth);
                }
            }
        }
        greatest
    }

    /// Works out what was not met before, and what depends on what each person has of their own.
    fn work_out(&mut self, scan: &SegmentScan<'_>) -> Result<(), ReadError> {
        let open = |truth: &u8| *truth >= OWN;
        let mut row = 0;
        while let Some(ahead) = self.found[row..].iter().position(open) {
            row += ahead;
            self.found[row] = match scan.row(row).now {
                Some(state) => {
                    let cell = self.cell_of_state(&state)?;
                    let at = self.at(cell);
                    match self.truth_at(cell, at) {
                        OWN => self.own(cell, scan, row)?,
                        truth => truth,
                    }
                }
                None => NO,
            };
            row += 1;
        }
        Ok(())
    }

    fn band(&self, birth: u16) -> u16 {
        self.job.band_of[usize::from(birth)]
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

    /// The cell of a person who is in scope.
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

/// Where nothing was met yet: a list of truths that are not known, and one of those who are not in scope.
fn no_truths(bands: usize) -> Vec<u8> {
    let mut truths = vec![UNSET; bands];
    truths[usize::from(Bands::UNBORN)] = NO;
    truths.resize(bands * 2, NO);
    truths
}

pub(super) fn malformed(key: SegmentKey, source: crate::format::FormatError) -> ReadError {
    ReadError::Format {
        table: "hot",
        key: key.number().to_string(),
        source,
    }
}
