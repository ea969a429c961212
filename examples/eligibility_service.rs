//! A service that answers who somebody is, what they are owed for a month, and why.
//!
//! It links the engine alone: `cargo run --example eligibility_service --no-default-features` works too. It makes a
//! registry in a temporary folder, enters a household and a decision, runs a month, and listens on a loopback port.
//! Then it asks itself a few questions as a client would, and ends. With `-- listen 127.0.0.1:7878 [FILE]` it keeps
//! the registry in a file and goes on listening until somebody sends `STOP`.
//!
//! One request a line, one answer a request, an empty line after each answer:
//!
//! ```text
//! WHO  001150000017 2026-06      the person at the end of the month
//! OWED 001150000017 2026-06      what the month is for the person
//! WHY  001150000017 2026-06      the same, with the conditions, figures and documents behind it
//! QUIT                           the end of the connection
//! STOP                           the end of the service
//! ```

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ansinh::entitlement::{Determined, PersonExplanation, RunAnswer, RunRequest, RunStatus};
use ansinh::kernel::{Author, WriteError};
use ansinh::policy::{Choice, Lang, Pack, ProgrammeExplanation, Truth, describe, describe_line};
use ansinh::registry::{Fact, Person, Registry, RegistryError, RegistryView};
use ansinh::types::{Date, Identifier, Instant, Month, PersonNumber, Sex};

/// The longest request, its line end included.
const REQUEST_BYTES_MAX: u64 = 200;
/// The most requests of one connection.
const REQUESTS_MAX: usize = 1_000;
/// How long a silent client is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = tempfile::tempdir()?;
    let mut path = folder.path().join("service.ansinh");
    let mut listening = None;
    if let [command, address, file @ ..] = arguments.as_slice()
        && command == "listen"
    {
        listening = Some(address.parse::<SocketAddr>()?);
        path = file.first().map_or(path, PathBuf::from);
    }
    let registry = begin(&path)?;
    let listener = TcpListener::bind(listening.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))))?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    let client = listening
        .is_none()
        .then(|| std::thread::spawn(move || ask(address).map_err(|error| error.to_string())));
    serve(&registry, &listener)?;
    if let Some(client) = client {
        client.join().map_err(|_| "the client stopped with a fault")??;
    }
    // Dropping a registry closes it as well, but cannot tell what went wrong.
    registry.close()?;
    Ok(())
}

/// A registry with one household, two decisions and one month that was run. All of it may be repeated: on a registry
/// that has it already, only a log record without operations is added.
fn begin(path: &Path) -> Outcome<Registry> {
    let instant = now()?;
    let registry = if path.exists() {
        Registry::open(path)?
    } else {
        Registry::create(path, &Pack::vietnam(), instant)?
    };

    let author = || Author::new("clerk 00004", "decision 112/QĐ-UBND of 2026-03-05");
    let mut tx = registry.begin_write(author(), instant)?;
    let march = Month::new(2026, 3)?;
    let at_home = |person: Person| -> Outcome<Person> {
        Ok(person
            .household("HN-0001".parse()?)
            .commune("00004".parse()?)
            .from(Month::new(2025, 7)?))
    };
    let id = |text: &str| text.parse::<Identifier>();
    let born = |text: &str| text.parse::<Date>();
    let grandmother = tx.insert(&at_home(
        Person::new("Nguyễn Thị An", born("1945-02-11")?, Sex::Female).id(id("001145000014")?),
    )?)?;
    let daughter = tx.insert(&at_home(
        Person::new("Trần Thị Bình", born("1984-09-30")?, Sex::Female).id(id("001184000029")?),
    )?)?;
    tx.record_fact(
        daughter,
        &Fact::new("disability", "severe", march).document("giấy xác nhận 17/2026"),
    )?;
    tx.enrol(daughter, "disability", march, "112/QĐ-UBND")?;
    tx.enrol(grandmother, "social_pension", march, "113/QĐ-UBND")?;

    // What is refused says why and changes nothing; the transaction goes on.
    match tx.record(daughter, "disability", "sever", march) {
        Err(error) => println!("refused, as it should be: {error}"),
        Ok(answer) => return Err(format!("a misspelt value was taken: {answer:?}").into()),
    }
    commit(tx)?;

    let request = RunRequest {
        status: RunStatus::Final,
        ..RunRequest::monthly(Month::new(2026, 6)?)
    };
    match registry.run(
        &request,
        Author::new("treasury", "June 2026"),
        instant,
        &|_, _| {},
    )? {
        RunAnswer::Created(run) => println!("ran {}: {} people, {} đồng", run.month, run.people, run.amount),
        RunAnswer::Exists(run) => println!("{} was run before, as run {}", run.month, run.number),
    }
    Ok(registry)
}

/// A commit of which it is not known whether it happened is the one error after which a program must look before it
/// goes on. Here nobody can have lost anything but this program, so it only says what to do.
fn commit(tx: ansinh::registry::Transaction<'_>) -> Outcome<()> {
    match tx.commit() {
        Ok(sequence) => {
            println!("recorded as {sequence}");
            Ok(())
        }
        Err(RegistryError::Write(WriteError::CommitUnknown { sequence, source })) => Err(format!(
            "{sequence} may or may not be recorded ({source}): open the registry again, look for {sequence} in its \
             log, and repeat the changes if it is not there; repeating them is safe"
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}

/// The engine reads no clock: a program tells it the time.
fn now() -> Outcome<Instant> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Instant::from_unix_millis(i64::try_from(since.as_millis())?))
}

/// Serves one connection after the other until a client asks it to stop.
fn serve(registry: &Registry, listener: &TcpListener) -> Outcome<()> {
    for stream in listener.incoming() {
        // A client that goes away or stays silent costs its connection, not the service.
        match converse(registry, &stream?) {
            Ok(After::Stop) => return Ok(()),
            Ok(After::GoOn) => {}
            Err(error) => eprintln!("a connection was lost: {error}"),
        }
    }
    Ok(())
}

/// What follows a connection.
enum After {
    GoOn,
    Stop,
}

fn converse(registry: &Registry, stream: &TcpStream) -> std::io::Result<After> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    for _ in 0..REQUESTS_MAX {
        let mut line = String::new();
        let taken = reader.by_ref().take(REQUEST_BYTES_MAX).read_line(&mut line)?;
        if taken == 0 {
            return Ok(After::GoOn);
        }
        if !line.ends_with('\n') {
            write!(
                writer,
                "error: a request has at most {REQUEST_BYTES_MAX} bytes\n\n"
            )?;
            return Ok(After::GoOn);
        }
        match line.trim() {
            "QUIT" => return Ok(After::GoOn),
            "STOP" => return Ok(After::Stop),
            request => {
                let answer = answer(registry, request).unwrap_or_else(|error| format!("error: {error}\n"));
                writeln!(writer, "{answer}")?;
            }
        }
    }
    Ok(After::GoOn)
}

/// The answer to one request. A view holds pages of the file, so there is one for each question.
fn answer(registry: &Registry, request: &str) -> Outcome<String> {
    let words: Vec<&str> = request.split_whitespace().collect();
    let [what, id, month] = words.as_slice() else {
        return Err("a request is WHO, OWED or WHY, an ID and a month".into());
    };
    let (id, month): (Identifier, Month) = (id.parse()?, month.parse()?);
    let view = registry.begin_read()?;
    match *what {
        "WHO" => who(&view, id, month),
        "OWED" => owed(&view, &explanation(&view, id, month)?),
        "WHY" => why(&view, &explanation(&view, id, month)?),
        other => Err(format!("{other:?} is no request; expected WHO, OWED or WHY").into()),
    }
}

fn nobody(id: Identifier) -> String {
    format!(
        "nobody in the registry has the ID {}; check the digits",
        id.masked()
    )
}

fn who(view: &RegistryView, id: Identifier, month: Month) -> Outcome<String> {
    let found = view.person_by_id(id, month)?.ok_or_else(|| nobody(id))?;
    let record = &found.asked;
    let household = record.household.map_or("none".to_owned(), |id| id.to_string());
    let commune = record.commune.map_or("none".to_owned(), |code| code.to_string());
    Ok(format!(
        "{} ({}), {}, born {}\nhousehold {household}, commune {commune}\n",
        record.dossier.name,
        id.masked(),
        record.state.sex,
        record.state.birth,
    ))
}

fn explanation(view: &RegistryView, id: Identifier, month: Month) -> Outcome<PersonExplanation> {
    let found = view.person_by_id(id, month)?.ok_or_else(|| nobody(id))?;
    let person: PersonNumber = found.asked.state.number;
    Ok(view.explain(person, month)?)
}

fn owed(view: &RegistryView, explained: &PersonExplanation) -> Outcome<String> {
    let catalogue = view.catalogue();
    let mut text = String::new();
    write!(text, "{} {}", explained.month, explained.outcome.status)?;
    match &explained.determined {
        Determined::WouldBe => writeln!(text, ", if the month were run now")?,
        Determined::ByRun(run) => writeln!(text, ", by run {}", run.number)?,
        Determined::ByRunOtherwise { run, .. } => writeln!(
            text,
            ", by run {}; the records as they were known then say otherwise",
            run.number
        )?,
    }
    for line in &explained.outcome.lines {
        let programme = catalogue.programme_by_number(line.programme);
        let title = programme.map_or("a programme", |programme| &programme.title_en);
        let reason = describe_line(line, catalogue, Lang::En);
        writeln!(text, "{} {title}: {reason}", line.amount)?;
    }
    let reason = describe(&explained.outcome.reason, catalogue, Lang::En);
    writeln!(text, "{reason}")?;
    Ok(text)
}

fn why(view: &RegistryView, explained: &PersonExplanation) -> Outcome<String> {
    let mut text = owed(view, explained)?;
    for programme in &explained.explanation.programmes {
        if !matches!(programme.choice, Choice::NotEntitled) {
            add_conditions(&mut text, programme)?;
        }
    }
    for value in &explained.values {
        if let (Some(document), Some(attribute)) = (
            value.document(),
            view.catalogue().attribute_by_number(value.attribute),
        ) {
            writeln!(text, "  {} rests on {document}", attribute.name)?;
        }
    }
    Ok(text)
}

fn add_conditions(text: &mut String, programme: &ProgrammeExplanation) -> std::fmt::Result {
    writeln!(text, "{}, {}", programme.id, programme.cite)?;
    let Some(state) = &programme.end_of_month else {
        return Ok(());
    };
    for condition in &state.conditions {
        let kind = match condition.excludes_by {
            Some(_) => "must not hold",
            None => "condition",
        };
        let truth = match condition.truth {
            Ok(Truth::True) => "true",
            Ok(Truth::False) => "false",
            Ok(Truth::Undetermined) => "undetermined",
            Err(_) => "a fault",
        };
        let read: Vec<String> = condition
            .reads
            .iter()
            .map(|read| format!("{} = {}", read.name, read.text))
            .collect();
        writeln!(
            text,
            "  {kind}: {} is {truth} ({})",
            condition.text,
            read.join(", ")
        )?;
    }
    for parameter in state.amount.iter().flat_map(|amount| &amount.parameters) {
        let figure = &parameter.value;
        writeln!(
            text,
            "  {} = {} from {}: {}",
            parameter.name, figure.value, figure.dates.from, figure.source
        )?;
    }
    Ok(())
}

/// A client: asks, prints, and stops the service.
fn ask(address: SocketAddr) -> std::io::Result<()> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut reader, mut writer) = (BufReader::new(&stream), &stream);
    for request in [
        "WHO 001184000029 2026-06",
        "OWED 001184000029 2026-06",
        "WHY 001145000014 2026-06",
        "OWED 001184000029 2026-07",
        "WHO 001184000030 2026-06",
        "WHO 0011840000 2026-06",
        "HELLO",
    ] {
        println!("> {request}");
        writeln!(writer, "{request}")?;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line == "\n" {
                break;
            }
            print!("  {line}");
        }
    }
    writeln!(writer, "STOP")
}
