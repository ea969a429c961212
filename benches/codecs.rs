//! What the inner loops cost: `cargo bench --bench codecs`.

use std::hint::black_box;

use ansinh::format::columns::{self, ColumnSegment, Row};
use ansinh::format::hot::{HotRow, HotSegment, HotView};
use ansinh::format::ledger::{LedgerBlock, LedgerBody};
use ansinh::kernel::catalogue::{Catalogue, SubjectKind, builtin};
use ansinh::kernel::profile::Profile;
use ansinh::policy::{Age, Case, Nothing, Pack};
use ansinh::types::{Date, Identifier, Month, Sequence, Value};
use criterion::{Criterion, criterion_group, criterion_main};

const ROWS: u32 = 900;

fn month() -> Month {
    Month::new(2026, 6).expect("a month")
}

fn hot() -> HotSegment {
    let mut segment = HotSegment::new(12, month());
    segment.newest = Sequence(2);
    for row in 0..ROWS {
        segment.persons.push(row * 7 % 60);
        segment.households.push(row / 4 % 12);
        segment.births.push(2_000 + (row % 900) as u16);
    }
    segment
}

fn column_rows() -> ColumnSegment {
    let rows = (0..ROWS).map(|row| Row {
        person: 1_000 + row,
        household: 300 + row / 4,
        identifier: Identifier::from_key(1_150_000_000 + u64::from(row) * 7_919).expect("an identifier"),
        birth_day: (row % 28) as u8 + 1,
        began: month(),
        recorded: Sequence(2),
        values: Vec::new(),
    });
    ColumnSegment { rows: rows.collect() }
}

fn layouts(criterion: &mut Criterion) {
    let (segment, columns_of) = (hot(), column_rows());
    let (hot_bytes, column_bytes) = (segment.encode(), columns_of.encode());
    criterion.bench_function("hot segment of 900 rows: encode", |bench| {
        bench.iter(|| black_box(&segment).encode());
    });
    criterion.bench_function("hot segment of 900 rows: read in place", |bench| {
        bench.iter(|| HotView::parse(black_box(&hot_bytes)).expect("a segment").rows());
    });
    criterion.bench_function("hot segment: one row", |bench| {
        bench.iter(|| HotRow::read(black_box(&hot_bytes), 450).expect("a segment"));
    });
    criterion.bench_function("column segment: one row", |bench| {
        bench.iter(|| columns::row(black_box(&column_bytes), 450).expect("a segment"));
    });
    let codes: Vec<u16> = (0..1_000_u32)
        .map(|row| if row % 10 == 3 { (row % 19) as u16 + 1 } else { 0 })
        .collect();
    criterion.bench_function("ledger block of 1,000 rows: encode", |bench| {
        bench.iter(|| LedgerBody::encode(black_box(&codes), 20, &[]));
    });
    let global: Vec<u32> = (0..20).collect();
    let block = LedgerBody::assemble(&LedgerBody::encode(&codes, 20, &[]), &global);
    criterion.bench_function("ledger block of 1,000 rows: one line", |bench| {
        bench.iter(|| LedgerBlock::decode(black_box(&block)).expect("a block").code(503));
    });
}

fn policy(criterion: &mut Criterion) {
    criterion.bench_function("pack of Vietnam: load and check", |bench| {
        bench.iter(Pack::vietnam);
    });
    let pack = Pack::vietnam();
    let (catalogue, _) = Catalogue::default()
        .adopt(&pack.declaration())
        .expect("a catalogue");
    let policy = pack.bind(&catalogue).expect("a policy");
    let policy = policy
        .for_month(month(), Date::last_of(month()))
        .expect("values for the month");
    let number = |name: &str| {
        catalogue
            .attribute(SubjectKind::Person, name)
            .expect("an attribute")
            .number
    };
    let person: Profile = [
        (builtin::SEX, Value::Enum(1)),
        (number("disability"), Value::Enum(2)),
        (number("enrolment.disability"), Value::Enum(1)),
    ]
    .into_iter()
    .collect();
    let commune = Profile::default();
    let province = "01".parse().expect("a code");
    let case = Case {
        dies: false,
        age: Age::months(400),
        person: &person,
        household: None,
        commune: &commune,
        province,
        former_province: province,
        own: Some(&Nothing),
    };
    criterion.bench_function("one cell of the decision table", |bench| {
        bench.iter(|| policy.evaluate(Some(black_box(&case)), Some(black_box(&case))));
    });
}

criterion_group!(benches, layouts, policy);
criterion_main!(benches);
