//! The job in redb, the storage that the engine itself stands on: one row a person, and the policy in [`crate::policy`].
//!
//! Two threads read and judge one half of the people each; one transaction writes the lines and the totals.

use std::path::Path;
use std::time::Instant as Clock;

use bincode::config::{Configuration, standard};
use bincode::{decode_from_slice, encode_to_vec};
use redb::{
    Database, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    TableDefinition,
};
use serde_json::{Value as Json, json};

use crate::Result;
use crate::columns::Table;
use crate::job::THREADS;
use crate::lines::{ChannelTotal, Kind, Line, Tally, Total, Totals, peak_memory_mib};
use crate::policy::Person;

const PEOPLE: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("people");
const LINES: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("lines");
const TOTALS: TableDefinition<'_, (u32, u8, bool), (u64, i64)> = TableDefinition::new("totals");
const CHANNEL_TOTALS: TableDefinition<'_, (u32, u8), (u64, i64)> = TableDefinition::new("channel_totals");

/// Enough for all people and all that is written.
const CACHE_BYTES: usize = 4 << 30;
const CODEC: Configuration = standard();

/// A line as it is stored under its person: commune, channel, programme and amount, held programme and amount.
type StoredLine = (u32, u8, u8, i64, u8, i64);

fn open(path: &Path) -> Result<Database> {
    Ok(Database::builder().set_cache_size(CACHE_BYTES).create(path)?)
}

/// Makes the database from the exported columns.
pub fn load(folder: &Path, path: &Path) -> Result<Json> {
    let clock = Clock::now();
    let table = Table::read(folder)?;
    let database = open(path)?;
    let transaction = database.begin_write()?;
    {
        let mut people = transaction.open_table(PEOPLE)?;
        let reader = PersonReader::new(&table)?;
        // A tree is filled in the order of its keys.
        let mut order: Vec<usize> = (0..table.rows()).collect();
        order.sort_unstable_by_key(|&row| reader.number(row));
        for row in order {
            let person = encode_to_vec(reader.person(row)?, CODEC)?;
            people.insert(reader.number(row) as u32, person.as_slice())?;
        }
    }
    transaction.commit()?;
    drop(database);
    Ok(json!({
        "seconds": clock.elapsed().as_secs_f64(),
        "bytes": std::fs::metadata(path)?.len(),
    }))
}

/// Puts people together from columns.
struct PersonReader<'t> {
    table: &'t Table,
    columns: [usize; 16],
}

impl<'t> PersonReader<'t> {
    const NAMES: [&'static str; 16] = [
        "person",
        "personal_id",
        "household",
        "commune",
        "province",
        "birth_month",
        "sex",
        "alive",
        "person_disability",
        "person_care",
        "person_pension",
        "person_stable_income",
        "person_channel",
        "household_poverty",
        "household_difficult_village",
        "commune_difficult",
    ];

    fn new(table: &'t Table) -> Result<Self> {
        let mut columns = [0; 16];
        for (place, name) in columns.iter_mut().zip(Self::NAMES) {
            *place = table.column(name)?;
        }
        Ok(Self { table, columns })
    }

    fn number(&self, row: usize) -> u64 {
        self.table.get(self.columns[0], row).unwrap_or_default()
    }

    fn person(&self, row: usize) -> Result<Person> {
        let get = |place: usize| self.table.get(self.columns[place], row);
        let known = |place: usize| get(place).ok_or_else(|| format!("{} is not known", Self::NAMES[place]));
        let small = |place: usize| get(place).map(|number| number as u8);
        let flag = |place: usize| get(place).map(|number| number != 0);
        Ok(Person {
            personal_id: known(1)?,
            household: u32::try_from(known(2)?)?,
            commune: u32::try_from(known(3)?)?,
            province: u8::try_from(known(4)?)?,
            birth_month: u16::try_from(known(5)?)?,
            sex: small(6).unwrap_or(u8::MAX),
            alive: known(7)? != 0,
            disability: small(8),
            care: small(9),
            pension: small(10),
            stable_income: flag(11),
            channel: small(12).unwrap_or_default(),
            poverty: small(13),
            difficult_village: small(14),
            difficult_commune: flag(15),
        })
    }
}

/// Reads and judges the people from one number up to another.
fn judge(people: &ReadOnlyTable<u32, &'static [u8]>, numbers: std::ops::Range<u32>) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for entry in people.range(numbers)? {
        let (number, row) = entry?;
        let (person, _): (Person, usize) = decode_from_slice(row.value(), CODEC)?;
        let due = person.due();
        if due.paid.is_none() && due.held.is_none() {
            continue;
        }
        let parts = |part: Option<(crate::policy::Programme, i64)>| {
            part.map_or((0, 0), |(programme, amount)| (programme as u8, amount))
        };
        let ((programme, amount), (held_programme, held_amount)) = (parts(due.paid), parts(due.held));
        lines.push(Line {
            person: number.value(),
            commune: person.commune,
            channel: person.channel,
            programme,
            amount,
            held_programme,
            held_amount,
        });
    }
    Ok(lines)
}

fn write(database: &Database, lines: &[Line], totals: &Totals) -> Result<()> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    {
        let mut table = transaction.open_table(LINES)?;
        for line in lines {
            let stored: StoredLine = (
                line.commune,
                line.channel,
                line.programme,
                line.amount,
                line.held_programme,
                line.held_amount,
            );
            table.insert(line.person, encode_to_vec(stored, CODEC)?.as_slice())?;
        }
        let mut table = transaction.open_table(TOTALS)?;
        for (&(commune, programme, kind), tally) in &totals.programmes {
            table.insert(
                (commune, programme, kind == Kind::Held),
                (tally.people, tally.amount),
            )?;
        }
        let mut table = transaction.open_table(CHANNEL_TOTALS)?;
        for (&key, &Tally { people, amount }) in &totals.channels {
            table.insert(key, (people, amount))?;
        }
    }
    Ok(transaction.commit()?)
}

/// Works the month out once, to the durable commit; opening is not counted. What was written is deleted afterwards.
pub fn run(path: &Path) -> Result<Json> {
    let database = open(path)?;
    let clock = Clock::now();
    let people = database.begin_read()?.open_table(PEOPLE)?;
    let greatest = people.last()?.map_or(0, |(number, _)| number.value());
    let share = greatest / THREADS as u32 + 1;
    let lines: Vec<Line> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..THREADS as u32)
            .map(|part| {
                let (first, people) = (part * share, &people);
                scope.spawn(move || judge(people, first..first + share))
            })
            .collect();
        let parts = parts
            .into_iter()
            .map(|part| part.join().expect("a reader does not panic"));
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(parts.collect::<Result<Vec<_>>>()?.concat())
    })?;
    let totals = Totals::of(&lines);
    write(&database, &lines, &totals)?;
    let seconds = clock.elapsed().as_secs_f64();
    drop((lines, totals, people));
    let answer = answer(&database, seconds)?;
    let transaction = database.begin_write()?;
    transaction.delete_table(LINES)?;
    transaction.delete_table(TOTALS)?;
    transaction.delete_table(CHANNEL_TOTALS)?;
    transaction.commit()?;
    Ok(answer)
}

/// What was written, read back.
fn answer(database: &Database, seconds: f64) -> Result<Json> {
    let transaction = database.begin_read()?;
    let (mut paid_people, mut held_people) = (0_u64, 0_u64);
    for entry in transaction.open_table(LINES)?.iter()? {
        let (_, stored) = entry?;
        let (line, _): (StoredLine, usize) = decode_from_slice(stored.value(), CODEC)?;
        paid_people += u64::from(line.2 != 0);
        held_people += u64::from(line.4 != 0);
    }
    let mut totals = Vec::new();
    for entry in transaction.open_table(TOTALS)?.iter()? {
        let (key, tally) = entry?;
        let ((commune, programme, held), (people, amount)) = (key.value(), tally.value());
        let kind = if held { Kind::Held } else { Kind::Paid };
        totals.push(Total {
            commune,
            programme,
            kind,
            people,
            amount,
        });
    }
    let mut channels = Vec::new();
    for entry in transaction.open_table(CHANNEL_TOTALS)?.iter()? {
        let (key, tally) = entry?;
        let ((commune, channel), (people, amount)) = (key.value(), tally.value());
        channels.push(ChannelTotal {
            commune,
            channel,
            people,
            amount,
        });
    }
    Ok(json!({
        "seconds": seconds,
        "peak_memory_mib": peak_memory_mib(),
        "people": transaction.open_table(PEOPLE)?.len()?,
        "paid_people": paid_people,
        "held_people": held_people,
        "totals": totals,
        "channels": channels,
    }))
}
