//! The population of a month as a plain table: what a peer would have stored of each person.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Instant as Clock;

use ansinh::format::locator::SegmentKey;
use ansinh::kernel::View;
use ansinh::kernel::catalogue::{Attribute, SubjectKind, builtin};
use ansinh::kernel::profile::Profile;
use ansinh::kernel::scan::{CodedState, SegmentScan, birth_month};
use ansinh::registry::Registry;
use ansinh::types::{HouseholdNumber, Month, PersonNumber, Sequence, UnitNumber, Value};
use serde_json::{Value as Json, json};

use crate::Result;
use crate::columns::{Rows, TableWriter, UNKNOWN, Width};
use crate::job::THREADS;

/// How many segments one worker makes into rows at once.
const SEGMENTS_AT_ONCE: usize = 256;
/// How many finished pieces a worker may be ahead.
const AHEAD: usize = 2;

/// The columns that every person has.
const FIXED: [(&str, Width); 8] = [
    ("person", Width::U32),
    ("personal_id", Width::U64),
    ("household", Width::U32),
    ("commune", Width::U32),
    ("province", Width::U8),
    // Months since the year 0: 12 times the year and the number of the month from 0.
    ("birth_month", Width::U16),
    ("sex", Width::U8),
    // Not, of those who died in the month.
    ("alive", Width::U8),
];

/// An attribute that becomes a column.
struct Asked<'v> {
    attribute: &'v Attribute,
    column: String,
}

/// What all workers share.
struct Source<'v> {
    view: &'v View,
    month: Month,
    asked: Vec<Asked<'v>>,
    /// By number of the person.
    identifiers: Vec<u64>,
    households: Vec<u32>,
    communes: HashMap<UnitNumber, Profile>,
}

/// Writes everyone who is in scope of a month.
pub fn export(registry: &Path, folder: &Path, month: Month, attributes: &[&str]) -> Result<Json> {
    let clock = Clock::now();
    let registry = Registry::open_read_only(registry)?;
    let view = registry.begin_read()?;
    let asked = attributes
        .iter()
        .map(|name| asked(&view, name))
        .collect::<Result<Vec<_>>>()?;
    let communes = view.commune_profiles(&[month], Sequence::NEWEST)?.remove(0);
    let source = Source {
        view: &view,
        month,
        asked,
        identifiers: identifiers(&view, month)?,
        households: households(&view, month)?,
        communes,
    };
    let fixed = FIXED.map(|(name, width)| (name.to_owned(), width));
    let columns = fixed
        .into_iter()
        .chain(source.asked.iter().map(|asked| (asked.column.clone(), Width::U8)));
    let mut writer = TableWriter::create(folder, columns.collect())?;
    source.write(&mut writer)?;
    let description = writer.finish()?;
    Ok(json!({
        "seconds": clock.elapsed().as_secs_f64(),
        "rows": description.rows,
        "columns": description.columns,
    }))
}

/// Finds an attribute by its name with its subject, such as `household.poverty`.
fn asked<'v>(view: &'v View, name: &str) -> Result<Asked<'v>> {
    let (subject, short) = name
        .split_once('.')
        .ok_or("an attribute is written such as person.disability")?;
    let subject = match subject {
        "person" => SubjectKind::Person,
        "household" => SubjectKind::Household,
        "commune" => SubjectKind::Commune,
        _ => return Err(format!("{name} begins with none of person, household and commune").into()),
    };
    let attribute = view.catalogue().attribute(subject, short)?;
    if !view.in_profile(attribute.number) {
        return Err(format!("{name} is no flag and no named value; only these can be exported").into());
    }
    Ok(Asked {
        attribute,
        column: name.replace('.', "_"),
    })
}

/// The current identifier of every person, by number.
fn identifiers(view: &View, month: Month) -> Result<Vec<u64>> {
    let mut identifiers = vec![0; view.counts()?.people as usize + 1];
    let mut several = Vec::new();
    for entry in view.identifiers()? {
        let (identifier, person) = entry?;
        let place = &mut identifiers[person.get() as usize];
        if *place != 0 {
            several.push(person);
        }
        *place = identifier.key();
    }
    for person in several {
        if let Some(state) = view.person(person, month, Sequence::NEWEST)? {
            identifiers[person.get() as usize] = state.identifier.key();
        }
    }
    Ok(identifiers)
}

/// The household of every person, by number; 0 for none. Only those who ever had several are looked up.
fn households(view: &View, month: Month) -> Result<Vec<u32>> {
    let mut households = vec![0; view.counts()?.people as usize + 1];
    let mut several = Vec::new();
    for household in view.households() {
        for person in view.ever_members(household)? {
            let place = &mut households[person.get() as usize];
            if *place != 0 {
                several.push(person);
            }
            *place = household.get();
        }
    }
    for person in several {
        let state = view.person(person, month, Sequence::NEWEST)?;
        let household = state.and_then(|state| state.household);
        households[person.get() as usize] = household.map_or(0, HouseholdNumber::get);
    }
    Ok(households)
}

impl Source<'_> {
    fn columns(&self) -> usize {
        FIXED.len() + self.asked.len()
    }

    /// Makes the rows on [`THREADS`] threads, and writes them in the order of segments, which is that of communes.
    fn write(&self, writer: &mut TableWriter) -> Result<()> {
        let segments = self.view.segments()?;
        let pieces: Vec<&[SegmentKey]> = segments.chunks(SEGMENTS_AT_ONCE).collect();
        std::thread::scope(|scope| {
            let pieces = &pieces;
            let channels: Vec<_> = (0..THREADS)
                .map(|worker| {
                    let (sender, receiver) = mpsc::sync_channel(AHEAD);
                    scope.spawn(move || {
                        let mut exporter = Exporter::new(self);
                        for piece in pieces.iter().skip(worker).step_by(THREADS) {
                            if sender.send(exporter.rows(piece)).is_err() {
                                return;
                            }
                        }
                    });
                    receiver
                })
                .collect();
            for piece in 0..pieces.len() {
                writer.append(&channels[piece % THREADS].recv()??)?;
            }
            Ok(())
        })
    }

    /// The values of the attributes of one kind of subject, by column; those of others are left as they are.
    fn fill(&self, subject: SubjectKind, profile: &Profile, values: &mut [u8]) -> Result<()> {
        for (asked, value) in self.asked.iter().zip(values) {
            let attribute = asked.attribute;
            if attribute.subject == subject {
                *value = small(profile.get(attribute.number).unwrap_or(attribute.absent))?;
            }
        }
        Ok(())
    }
}

/// A value as a small number.
fn small(value: Value) -> Result<u8> {
    let number = match value {
        Value::Unknown => return Ok(UNKNOWN),
        Value::Bool(yes) => i64::from(yes),
        Value::Enum(number) => i64::from(number),
        Value::Integer(number) => number,
        _ => return Err(format!("{value:?} is no small number").into()),
    };
    let number = u8::try_from(number).ok().filter(|&number| number != UNKNOWN);
    number.ok_or_else(|| format!("{value:?} does not fit into a column of one byte").into())
}

/// The sex and the values of a profile, by column.
type Resolved = (u8, Vec<u8>);

/// A worker of the export. It resolves each profile once.
struct Exporter<'s> {
    source: &'s Source<'s>,
    /// By whether it is a person's, and code.
    profiles: HashMap<(bool, u32), Rc<Resolved>>,
}

impl<'s> Exporter<'s> {
    fn new(source: &'s Source<'s>) -> Self {
        Self {
            source,
            profiles: HashMap::new(),
        }
    }

    /// The sex and the values of a profile.
    fn resolved(&mut self, is_person: bool, code: u32) -> Result<Rc<Resolved>> {
        if let Some(known) = self.profiles.get(&(is_person, code)) {
            return Ok(Rc::clone(known));
        }
        let profile = self.source.view.profile(code)?;
        let subject = if is_person {
            SubjectKind::Person
        } else {
            SubjectKind::Household
        };
        let mut values = vec![0; self.source.asked.len()];
        self.source.fill(subject, &profile, &mut values)?;
        let sex = profile.get(builtin::SEX).map_or(Ok(UNKNOWN), small)?;
        let resolved = Rc::new((sex, values));
        self.profiles.insert((is_person, code), Rc::clone(&resolved));
        Ok(resolved)
    }

    fn rows(&mut self, segments: &[SegmentKey]) -> Result<Rows> {
        let mut rows = Rows::new(self.source.columns());
        for &segment in segments {
            self.segment(segment, &mut rows)?;
        }
        Ok(rows)
    }

    fn segment(&mut self, segment: SegmentKey, rows: &mut Rows) -> Result<()> {
        let (view, month) = (self.source.view, self.source.month);
        let bytes = view.segment(segment)?;
        let scan = SegmentScan::new(view, segment, &bytes, month, Sequence::NEWEST)?;
        let persons = view.segment_persons(segment)?;
        let Some(unit) = scan.unit() else { return Ok(()) };
        for (row, &person) in persons.iter().enumerate() {
            let states = scan.row(row);
            if states.in_scope {
                let state = states.now.filter(|_| !states.dies);
                self.push(person, unit, (scan.hot().birth(row), state), rows)?;
            }
        }
        Ok(())
    }

    /// Adds the row of a person. Who died in the month has no state, and no value that counts.
    fn push(
        &mut self,
        person: PersonNumber,
        unit: UnitNumber,
        (birth, state): (u16, Option<CodedState>),
        rows: &mut Rows,
    ) -> Result<()> {
        let source = self.source;
        let declared = &source.view.unit(unit).ok_or("a unit is not stored")?.declared;
        let (born, _) = birth_month(birth);
        let born = born.year() * 12 + born.month() - 1;
        let (mut sex, mut values) = (UNKNOWN, vec![0; source.asked.len()]);
        if let Some(state) = state {
            let own = self.resolved(true, state.person)?;
            let household = self.resolved(false, state.household)?;
            sex = own.0;
            for (at, asked) in source.asked.iter().enumerate() {
                values[at] = match asked.attribute.subject {
                    SubjectKind::Person => own.1[at],
                    _ => household.1[at],
                };
            }
            let nothing = Profile::default();
            let commune = source.communes.get(&state.unit).unwrap_or(&nothing);
            source.fill(SubjectKind::Commune, commune, &mut values)?;
        }
        let number = person.get() as usize;
        let columns = &mut rows.columns;
        columns[0].extend(person.get().to_le_bytes());
        columns[1].extend(source.identifiers[number].to_le_bytes());
        columns[2].extend(source.households[number].to_le_bytes());
        columns[3].extend(declared.code.number().to_le_bytes());
        columns[4].push(declared.province.number());
        columns[5].extend(u16::try_from(born)?.to_le_bytes());
        columns[6].push(sex);
        columns[7].push(u8::from(state.is_some()));
        for (column, value) in columns[FIXED.len()..].iter_mut().zip(values) {
            column.push(value);
        }
        rows.count += 1;
        Ok(())
    }
}
