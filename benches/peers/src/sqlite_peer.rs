//! The job in `SQLite`: one row a person, the policy in `sql/sqlite.sql`.
//!
//! Two connections read and judge one half of the people each; one transaction writes the lines and the totals.

use std::path::Path;
use std::time::Instant as Clock;

use rusqlite::{Connection, OpenFlags, params};
use serde_json::{Value as Json, json};

use crate::Result;
use crate::columns::{Table, Width};
use crate::job::THREADS;
use crate::lines::{ChannelTotal, Kind, Line, Total, Totals, peak_memory_mib};

/// Pages of this size hold a row and its neighbours well, and make the tree a level lower.
const PAGE_BYTES: u32 = 16 << 10;
/// The cache of each connection.
const CACHE_KIB: i64 = 2 << 20;
/// More than any file here: what is read is mapped.
const MMAP_BYTES: i64 = 64 << 30;

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "mmap_size", MMAP_BYTES)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // A commit is on the disk when it returns.
    connection.pragma_update(None, "synchronous", "full")?;
    // What is written stays in the log at the commit; nobody waits for it to be copied.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// Makes the database from the exported columns.
pub fn load(folder: &Path, path: &Path) -> Result<Json> {
    let clock = Clock::now();
    let table = Table::read(folder)?;
    let connection = open(path, OpenFlags::default())?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    let columns = &table.description.columns;
    let declared: Vec<String> = columns
        .iter()
        .map(|column| match (column.name.as_str(), column.width) {
            ("person", _) => "person INTEGER PRIMARY KEY".to_owned(),
            (name, Width::U8) if column.unknown => format!("{name} INTEGER"),
            (name, _) => format!("{name} INTEGER NOT NULL"),
        })
        .collect();
    connection.execute_batch(&format!(
        "CREATE TABLE people ({}) STRICT; BEGIN",
        declared.join(", ")
    ))?;
    let marks = vec!["?"; columns.len()].join(", ");
    let mut insert = connection.prepare(&format!("INSERT INTO people VALUES ({marks})"))?;
    // A tree is filled in the order of its keys.
    let person = table.column("person")?;
    let mut order: Vec<usize> = (0..table.rows()).collect();
    order.sort_unstable_by_key(|&row| table.get(person, row));
    for row in order {
        for column in 0..columns.len() {
            let value = table.get(column, row).map(u64::cast_signed);
            insert.raw_bind_parameter(column + 1, value)?;
        }
        insert.raw_execute()?;
    }
    drop(insert);
    connection.execute_batch("COMMIT; ANALYZE")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.close().map_err(|(_, error)| error)?;
    std::fs::File::open(path)?.sync_all()?;
    Ok(json!({
        "seconds": clock.elapsed().as_secs_f64(),
        "bytes": std::fs::metadata(path)?.len(),
        "version": rusqlite::version(),
    }))
}

/// Reads and judges the people from one number to another.
fn judge(connection: &Connection, sql: &str, first: i64, last: i64) -> Result<Vec<Line>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params![first, last])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(Line {
            person: row.get(0)?,
            commune: row.get(1)?,
            channel: row.get(2)?,
            programme: row.get(3)?,
            amount: row.get(4)?,
            held_programme: row.get(5)?,
            held_amount: row.get(6)?,
        });
    }
    Ok(lines)
}

fn write(connection: &mut Connection, lines: &[Line], totals: &Totals) -> Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE lines (person INTEGER PRIMARY KEY, commune INTEGER NOT NULL, channel INTEGER NOT NULL,
             programme INTEGER NOT NULL, amount INTEGER NOT NULL,
             held_programme INTEGER NOT NULL, held_amount INTEGER NOT NULL) STRICT;
         CREATE TABLE totals (commune INTEGER, programme INTEGER, held INTEGER, people INTEGER, amount INTEGER,
             PRIMARY KEY (commune, programme, held)) STRICT, WITHOUT ROWID;
         CREATE TABLE channel_totals (commune INTEGER, channel INTEGER, people INTEGER, amount INTEGER,
             PRIMARY KEY (commune, channel)) STRICT, WITHOUT ROWID;",
    )?;
    let mut insert = transaction.prepare("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?)")?;
    for line in lines {
        insert.execute(params![
            line.person,
            line.commune,
            line.channel,
            line.programme,
            line.amount,
            line.held_programme,
            line.held_amount,
        ])?;
    }
    drop(insert);
    let mut insert = transaction.prepare("INSERT INTO totals VALUES (?, ?, ?, ?, ?)")?;
    for (&(commune, programme, kind), tally) in &totals.programmes {
        let people = tally.people.cast_signed();
        insert.execute(params![
            commune,
            programme,
            kind == Kind::Held,
            people,
            tally.amount
        ])?;
    }
    drop(insert);
    let mut insert = transaction.prepare("INSERT INTO channel_totals VALUES (?, ?, ?, ?)")?;
    for (&(commune, channel), tally) in &totals.channels {
        insert.execute(params![
            commune,
            channel,
            tally.people.cast_signed(),
            tally.amount
        ])?;
    }
    drop(insert);
    Ok(transaction.commit()?)
}

/// Works the month out once, to the durable commit; opening is not counted. What was written is dropped afterwards.
pub fn run(path: &Path, sql: &Path) -> Result<Json> {
    let sql = std::fs::read_to_string(sql)?;
    let mut writer = open(path, OpenFlags::default())?;
    let readers = (0..THREADS)
        .map(|_| {
            open(
                path,
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )
        })
        .collect::<Result<Vec<_>>>()?;
    let clock = Clock::now();
    let greatest: i64 = writer.query_row("SELECT max(person) FROM people", [], |row| row.get(0))?;
    let share = greatest / THREADS as i64 + 1;
    let lines: Vec<Line> = std::thread::scope(|scope| {
        let parts: Vec<_> = readers
            .into_iter()
            .enumerate()
            .map(|(part, reader)| {
                let (first, sql) = (part as i64 * share, &sql);
                scope.spawn(move || judge(&reader, sql, first, first + share - 1))
            })
            .collect();
        let parts = parts
            .into_iter()
            .map(|part| part.join().expect("a reader does not panic"));
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(parts.collect::<Result<Vec<_>>>()?.concat())
    })?;
    let totals = Totals::of(&lines);
    write(&mut writer, &lines, &totals)?;
    let seconds = clock.elapsed().as_secs_f64();
    drop((lines, totals));
    let answer = answer(&writer, seconds)?;
    writer.execute_batch("DROP TABLE lines; DROP TABLE totals; DROP TABLE channel_totals")?;
    writer.query_row("PRAGMA wal_checkpoint(truncate)", [], |_| Ok(()))?;
    Ok(answer)
}

/// What was written, read back.
fn answer(connection: &Connection, seconds: f64) -> Result<Json> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let mut totals = connection.prepare("SELECT * FROM totals ORDER BY commune, programme, held")?;
    let totals = totals.query_map([], |row| {
        Ok(Total {
            commune: row.get(0)?,
            programme: row.get(1)?,
            kind: if row.get(2)? { Kind::Held } else { Kind::Paid },
            people: row.get::<_, i64>(3)?.cast_unsigned(),
            amount: row.get(4)?,
        })
    })?;
    let totals = totals.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut channels = connection.prepare("SELECT * FROM channel_totals ORDER BY commune, channel")?;
    let channels = channels.query_map([], |row| {
        Ok(ChannelTotal {
            commune: row.get(0)?,
            channel: row.get(1)?,
            people: row.get::<_, i64>(2)?.cast_unsigned(),
            amount: row.get(3)?,
        })
    })?;
    let channels = channels.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(json!({
        "seconds": seconds,
        "peak_memory_mib": peak_memory_mib(),
        "people": count("SELECT count(*) FROM people")?,
        "paid_people": count("SELECT count(*) FROM lines WHERE programme > 0")?,
        "held_people": count("SELECT count(*) FROM lines WHERE held_programme > 0")?,
        "totals": totals,
        "channels": channels,
    }))
}
