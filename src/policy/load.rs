//! Reading a pack from TOML. Every error is found in one pass, as far as one error does not hide another.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::case::UnknownBirthMonth;
use super::error::{PackErrors, Report};
use super::example;
use super::expr::check::{self, AttributeIndex, RESERVED, Scope, ScopeAttribute, did_you_mean};
use super::expr::parse::{Syntax, Tree, parse};
use super::expr::uses::Collector;
use super::pack::{
    AttributeRule, BirthRule, CLAUSES_MAX, Clause, Combination, Doubt, Exclusion, Formula, Group,
    PACK_ATTRIBUTES_MAX, PACK_BYTES_MAX, PACK_PROGRAMMES_MAX, PARAMETER_VALUES_MAX, PARAMETERS_MAX, PackData,
    Payee, ProgrammeRule, Stop,
};
use super::parameter::{Confidence, Parameter, ParameterValue, Unit};
use super::read::{Table, Text, content_places, scalar, table};
use crate::kernel::catalogue::{
    AttributeDeclaration, ENROLMENT_STATES, Keeping, NAME_BYTES_MAX, OnExpiry, PROFILE_INTEGERS_MAX,
    SubjectKind, TITLE_BYTES_MAX, VALUES_MAX, ValueKind, enrolment_attribute_name, nearest,
};
use crate::types::{Dong, Month};

/// The place of the attribute `sex` in every scope.
pub(crate) const SEX_INDEX: AttributeIndex = 0;

/// Reads a pack.
pub(crate) fn load(file: &str, text: &str) -> Result<PackData, PackErrors> {
    let mut report = Report::new(file, text);
    if text.len() > PACK_BYTES_MAX {
        report.add(
            0..1,
            format!(
                "the pack has {} bytes, at most {PACK_BYTES_MAX} are read",
                text.len()
            ),
        );
        return Err(report
            .into_errors()
            .unwrap_or_else(|| unreachable!("an error was added")));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        report.add(error.span().unwrap_or(0..0), error.message());
    }
    let data = if errors.is_empty() {
        read_document(&document, text, &mut report)
    } else {
        None
    };
    match (data, report.into_errors()) {
        (Some(data), None) => Ok(data),
        (_, Some(errors)) => Err(errors),
        (None, None) => unreachable!("whatever is missing was reported"),
    }
}

fn read_document(document: &Spanned<DeTable<'_>>, text: &str, report: &mut Report<'_>) -> Option<PackData> {
    let mut root = Table::new("the pack", document.span(), document.get_ref());
    root.span = 0..0;
    let head = read_head(&mut root, report);
    let birth = read_birth(&mut root, report);
    let mut loader = Loader {
        text,
        scope: Scope::new(),
    };
    let sex = ScopeAttribute {
        subject: SubjectKind::Person,
        name: "sex".to_owned(),
        kind: ValueKind::Enum,
        values: vec!["male".to_owned(), "female".to_owned()],
        absent: None,
    };
    loader.scope.add_attribute(sex);
    let attributes = loader.read_attributes(&mut root, report);
    let parameters = loader.read_parameters(&mut root, report);
    let groups = read_groups(&mut root, report);
    let tables = root.tables("programme", "programme", PACK_PROGRAMMES_MAX, report);
    let programmes = loader.read_programmes(tables, &groups, report);
    loader.check_gaps(&programmes, &parameters, report);
    let examples = root.take("example");
    root.finish(report);
    let (id, version, (title_vi, title_en)) = head?;
    let mut data = PackData {
        id,
        version,
        title_vi,
        title_en,
        text: text.to_owned(),
        hash: *blake3::hash(text.as_bytes()).as_bytes(),
        scope: loader.scope,
        attributes,
        parameters: parameters.into_iter().map(|(parameter, _)| parameter).collect(),
        groups: groups.into_iter().map(|(group, _)| group).collect(),
        programmes: programmes.into_iter().map(|(programme, _)| programme).collect(),
        birth: birth?,
        examples: Vec::new(),
    };
    // Examples name attributes, values and programmes: they are read once those are sound.
    if report.count() == 0 {
        data.examples = example::read(&data, examples, report);
    }
    Some(data)
}

type Head = (String, String, (String, String));

fn read_head(root: &mut Table<'_>, report: &mut Report<'_>) -> Option<Head> {
    let mut head = section(root, "pack", report)?;
    let id = head.text("id", report);
    if let Some(id) = &id {
        check_identifier("the pack's id", id, report);
    }
    let version = head.prose("version", report);
    let titles = head.both_languages("title", report);
    head.finish(report);
    Some((id?.text.to_owned(), version?, titles?))
}

fn read_birth(root: &mut Table<'_>, report: &mut Report<'_>) -> Option<BirthRule> {
    const RULES: [(&str, UnknownBirthMonth); 2] = [
        ("january", UnknownBirthMonth::January),
        ("undetermined", UnknownBirthMonth::Undetermined),
    ];
    let mut birth = section(root, "birth", report)?;
    let unknown_month = birth.choice("unknown_month", &RULES, None, report);
    let source = birth.prose("source", report);
    let confidence = birth.confidence(report);
    birth.finish(report);
    Some(BirthRule {
        unknown_month: unknown_month?,
        source: source?,
        confidence: confidence?,
    })
}

fn section<'a>(root: &mut Table<'a>, key: &'static str, report: &mut Report<'_>) -> Option<Table<'a>> {
    let Some(value) = root.take(key) else {
        report.add(0..0, format!("the section [{key}] is missing"));
        return None;
    };
    table(&format!("[{key}]"), value, report)
}

/// The named tables of a section such as `[parameter.base_level]`, in the order of the text.
fn named<'a>(
    root: &mut Table<'a>,
    key: &'static str,
    max: usize,
    report: &mut Report<'_>,
) -> Vec<(Text<'a>, Table<'a>)> {
    let Some(value) = root.take(key) else {
        return Vec::new();
    };
    let Some(mut outer) = table(&format!("[{key}]"), value, report) else {
        return Vec::new();
    };
    let entries = outer.rest();
    if let Some((beyond, _)) = entries.get(max) {
        report.add(
            beyond.span.clone(),
            format!(
                "{} of [{key}] are declared, at most {max} are read",
                entries.len()
            ),
        );
    }
    entries
        .into_iter()
        .take(max)
        .filter_map(|(name, value)| {
            check_identifier(key, &name, report);
            let inner = table(&format!("{key} {}", shortened(name.text)), value, report)?;
            Some((name, inner))
        })
        .collect()
}

fn shortened(name: &str) -> String {
    name.chars().take(NAME_BYTES_MAX).collect()
}

fn check_identifier(what: &str, name: &Text<'_>, report: &mut Report<'_>) -> bool {
    let good = name.text.len() <= NAME_BYTES_MAX
        && name.text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && name
            .text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !good {
        report.add(
            name.span.clone(),
            format!(
                "{what}: the name {:?} must be 1 to {NAME_BYTES_MAX} of a-z, 0-9 and '_', and begin with a letter",
                shortened(name.text)
            ),
        );
        return false;
    }
    if RESERVED.contains(&name.text) {
        report.add_with(
            name.span.clone(),
            format!(
                "{what}: the name {:?} has a meaning of its own in expressions",
                name.text
            ),
            Some("choose another name".to_owned()),
        );
        return false;
    }
    true
}

fn read_groups(root: &mut Table<'_>, report: &mut Report<'_>) -> Vec<(Group, Range<usize>)> {
    const RULES: [(&str, Combination); 2] = [("highest", Combination::Highest), ("sum", Combination::Sum)];
    let mut groups = Vec::new();
    for (name, mut table) in named(root, "group", PACK_PROGRAMMES_MAX, report) {
        let combination = table.choice("rule", &RULES, None, report);
        let cite = table.prose("cite", report);
        let confidence = table.confidence(report);
        table.finish(report);
        groups.push((
            Group {
                name: name.text.to_owned(),
                combination: combination.unwrap_or(Combination::Highest),
                cite: cite.unwrap_or_default(),
                confidence: confidence.unwrap_or(Confidence::Open),
            },
            name.span,
        ));
    }
    groups
}

struct Loader<'a> {
    text: &'a str,
    scope: Scope,
}

impl Loader<'_> {
    fn read_attributes(&mut self, root: &mut Table<'_>, report: &mut Report<'_>) -> Vec<AttributeRule> {
        let mut rules = Vec::new();
        for (key, subject) in [
            ("person", SubjectKind::Person),
            ("household", SubjectKind::Household),
            ("commune", SubjectKind::Commune),
        ] {
            for (name, table) in named(root, key, PACK_ATTRIBUTES_MAX, report) {
                let Some(rule) = read_attribute(&name, subject, table, report) else {
                    continue;
                };
                let declaration = &rule.declaration;
                self.scope.add_attribute(ScopeAttribute {
                    subject,
                    name: declaration.name.clone(),
                    kind: declaration.kind,
                    values: declaration.values.clone(),
                    absent: declaration.absent.clone(),
                });
                rules.push(rule);
            }
        }
        rules
    }

    fn read_parameters(
        &mut self,
        root: &mut Table<'_>,
        report: &mut Report<'_>,
    ) -> Vec<(Parameter, Range<usize>)> {
        const UNITS: [(&str, Unit); 2] = [("dong", Unit::Dong), ("number", Unit::Number)];
        let mut parameters = Vec::new();
        for (name, mut table) in named(root, "parameter", PARAMETERS_MAX, report) {
            let titles = table.both_languages("title", report).unwrap_or_default();
            let unit = table.choice("unit", &UNITS, None, report).unwrap_or(Unit::Number);
            if !table.has("values") {
                report.add(
                    name.span.clone(),
                    format!("{}: the key \"values\" is missing", table.what),
                );
            }
            let what = format!("a value of {}", table.what);
            let tables = table.tables("values", &what, PARAMETER_VALUES_MAX, report);
            table.finish(report);
            self.scope.add_parameter(name.text);
            let parameter = Parameter {
                name: name.text.to_owned(),
                title_vi: titles.0,
                title_en: titles.1,
                unit,
                values: read_values(tables, unit, report),
            };
            parameters.push((parameter, name.span));
        }
        parameters
    }

    fn read_programmes(
        &mut self,
        tables: Vec<Table<'_>>,
        groups: &[(Group, Range<usize>)],
        report: &mut Report<'_>,
    ) -> Vec<(ProgrammeRule, Range<usize>)> {
        let mut seen = BTreeSet::new();
        let mut heads = Vec::new();
        // Expressions may ask for the enrolment in any programme, so all are named before any is read.
        for mut table in tables {
            let Some(id) = table.text("id", report) else {
                continue;
            };
            table.what = format!("programme {}", shortened(id.text));
            check_identifier("programme", &id, report);
            if !seen.insert(id.text.to_owned()) {
                report.add(
                    id.span.clone(),
                    format!("the programme {:?} is declared twice", id.text),
                );
                continue;
            }
            let needs_decision = table.boolean("decision", true, report);
            let enrolment = needs_decision.then(|| {
                self.scope.add_attribute(ScopeAttribute {
                    subject: SubjectKind::Person,
                    name: enrolment_attribute_name(id.text),
                    kind: ValueKind::Enum,
                    values: ENROLMENT_STATES.map(str::to_owned).to_vec(),
                    absent: Some(ENROLMENT_STATES[0].to_owned()),
                })
            });
            heads.push((id, enrolment, table));
        }
        heads
            .into_iter()
            .filter_map(|(id, enrolment, table)| {
                let span = id.span.clone();
                Some((self.read_programme(&id, enrolment, table, groups, report)?, span))
            })
            .collect()
    }

    fn read_programme(
        &self,
        id: &Text<'_>,
        enrolment: Option<AttributeIndex>,
        mut table: Table<'_>,
        groups: &[(Group, Range<usize>)],
        report: &mut Report<'_>,
    ) -> Option<ProgrammeRule> {
        const STOPS: [(&str, Stop); 2] = [("month_after", Stop::MonthAfter), ("at_once", Stop::AtOnce)];
        let titles = read_titles(&mut table, report);
        let cite = table.prose("cite", report);
        let confidence = table.confidence(report);
        let months = read_months(&mut table, report);
        let stop = table.choice("stop", &STOPS, None, report);
        let payees = self.read_payees(&mut table, report);
        let group = table
            .text("group", report)
            .and_then(|name| find_group(&name, groups, report));
        let conditions = table
            .text("condition", report)
            .and_then(|text| self.read_conditions(&text, report));
        let exclusions = self.read_exclusions(&mut table, report);
        let amount = table
            .text("amount", report)
            .and_then(|text| self.read_amount(&text, report));
        let doubts = read_doubts(&mut table, report);
        table.finish(report);
        let ((title_vi, title_en), (from, until)) = (titles?, months?);
        let mut rule = ProgrammeRule {
            id: id.text.to_owned(),
            title_vi,
            title_en,
            cite: cite?,
            confidence: confidence?,
            from,
            until,
            needs_decision: enrolment.is_some(),
            stop: stop?,
            payees,
            doubts,
            group: group?,
            enrolment,
            conditions: conditions?,
            exclusions,
            amount: amount?,
            parameters: Vec::new(),
        };
        let mut collector = Collector::new(&[]);
        rule.collect(&mut collector);
        rule.parameters = collector.uses.parameters.into_iter().collect();
        Some(rule)
    }

    fn tree(&self, text: &Text<'_>, report: &mut Report<'_>) -> Option<Tree> {
        match parse(text.text) {
            Ok(tree) => Some(tree),
            Err(problem) => {
                report.add_problem(problem, content_places(text, self.text));
                None
            }
        }
    }

    fn checked<T>(
        &self,
        tree: &Tree,
        text: &Text<'_>,
        report: &mut Report<'_>,
        check: fn(&Tree, &Scope, &mut Vec<super::expr::lex::Problem>) -> Option<T>,
    ) -> Option<T> {
        if report.is_full() {
            return None;
        }
        let mut problems = Vec::new();
        let checked = check(tree, &self.scope, &mut problems);
        if problems.is_empty() {
            return checked;
        }
        let places = content_places(text, self.text);
        for problem in problems {
            report.add_problem(problem, &places);
        }
        None
    }

    /// The conditions that `and` joins at the top of an expression.
    fn read_conditions(&self, text: &Text<'_>, report: &mut Report<'_>) -> Option<Vec<Clause>> {
        let tree = self.tree(text, report)?;
        let parts = match tree.syntax {
            Syntax::And(parts) => parts,
            _ => vec![tree],
        };
        let clauses: Vec<_> = parts.iter().map(|part| self.clause(part, text, report)).collect();
        clauses.into_iter().collect()
    }

    fn clause(&self, tree: &Tree, text: &Text<'_>, report: &mut Report<'_>) -> Option<Clause> {
        Some(Clause {
            condition: self.checked(tree, text, report, check::condition)?,
            text: one_line(&text.text[tree.span.clone()]),
        })
    }

    fn read_amount(&self, text: &Text<'_>, report: &mut Report<'_>) -> Option<Formula> {
        let tree = self.tree(text, report)?;
        Some(Formula {
            number: self.checked(&tree, text, report, check::number)?,
            text: one_line(text.text),
        })
    }

    fn read_exclusions(&self, table: &mut Table<'_>, report: &mut Report<'_>) -> Vec<Exclusion> {
        let what = format!("an exclusion of {}", table.what);
        let tables = table.tables("exclusions", &what, CLAUSES_MAX, report);
        tables
            .into_iter()
            .filter_map(|mut table| {
                let when = table.text("when", report);
                let cite = table.prose("cite", report);
                table.finish(report);
                let when = when?;
                let tree = self.tree(&when, report)?;
                let clause = self.clause(&tree, &when, report)?;
                let mut collector = Collector::new(&[]);
                collector.condition(&clause.condition);
                let Some(by) = collector.uses.attributes.first().copied() else {
                    report.add_with(
                        when.span,
                        "an exclusion must ask for an attribute, by which it is explained",
                        Some("put conditions of age or place into `condition`".to_owned()),
                    );
                    return None;
                };
                Some(Exclusion {
                    clause,
                    by,
                    cite: cite?,
                })
            })
            .collect()
    }

    fn read_payees(&self, table: &mut Table<'_>, report: &mut Report<'_>) -> Vec<Payee> {
        let names = table.texts("payee", report);
        if names.is_empty() {
            report.add_with(
                table.span.start..table.span.start + 1,
                format!("{}: the list \"payee\" is missing or empty", table.what),
                Some(
                    "for example payee = [\"guardian\", \"self\"]: the first that is recorded is paid"
                        .to_owned(),
                ),
            );
        }
        if let Some(extra) = names.get(CLAUSES_MAX) {
            report.add(
                extra.span.clone(),
                format!("found {} payees, at most {CLAUSES_MAX} are read", names.len()),
            );
        }
        let is_reference = |attribute: &&ScopeAttribute| {
            attribute.subject == SubjectKind::Person && attribute.kind == ValueKind::Person
        };
        let references = || self.scope.attributes.iter().filter(is_reference);
        names
            .into_iter()
            .take(CLAUSES_MAX)
            .filter_map(|name| match name.text {
                "self" => Some(Payee::Person),
                "head" => Some(Payee::Head),
                other if references().any(|attribute| attribute.name == other) => {
                    Some(Payee::Reference(other.to_owned()))
                }
                other => {
                    let known = references().map(|attribute| attribute.name.as_str());
                    report.add_with(
                        name.span,
                        format!("found the payee {other:?}, expected self, head, or an attribute of a person of type person"),
                        did_you_mean(nearest(other, known.chain(["self", "head"]))),
                    );
                    None
                }
            })
            .collect()
    }

    fn check_gaps(
        &self,
        programmes: &[(ProgrammeRule, Range<usize>)],
        parameters: &[(Parameter, Range<usize>)],
        report: &mut Report<'_>,
    ) {
        for (programme, _) in programmes {
            for &index in &programme.parameters {
                let (parameter, span) = &parameters[index];
                debug_assert_eq!(parameter.name, self.scope.parameters[index]);
                let until = programme.until.unwrap_or(Month::MAX);
                if let Some(gap) = parameter.gap(programme.from, until) {
                    report.add_with(
                        span.clone(),
                        format!(
                            "param.{} has no value for {gap}, and programme {} needs it from {} on",
                            parameter.name, programme.id, programme.from
                        ),
                        Some("add a value, or correct `from` and `until`".to_owned()),
                    );
                }
            }
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn find_group(name: &Text<'_>, groups: &[(Group, Range<usize>)], report: &mut Report<'_>) -> Option<usize> {
    let found = groups.iter().position(|(group, _)| group.name == name.text);
    if found.is_none() {
        report.add_with(
            name.span.clone(),
            format!("the group {:?} is not declared", shortened(name.text)),
            did_you_mean(nearest(
                name.text,
                groups.iter().map(|(group, _)| group.name.as_str()),
            ))
            .or_else(|| Some(format!("declare it with [group.{}]", shortened(name.text)))),
        );
    }
    found
}

fn read_titles(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<(String, String)> {
    let titles = table.both_languages("title", report)?;
    let longest = titles.0.len().max(titles.1.len());
    if longest > TITLE_BYTES_MAX {
        let at = table.span.start;
        report.add(
            at..at + 1,
            format!(
                "{}: a title has {longest} bytes, at most {TITLE_BYTES_MAX} are kept",
                table.what
            ),
        );
    }
    Some(titles)
}

fn read_months(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<(Month, Option<Month>)> {
    let Some(value) = table.take("months") else {
        let at = table.span.start;
        report.add_with(
            at..at + 1,
            format!("{}: the key \"months\" is missing", table.what),
            Some("for example months = { from = \"2021-07\" }".to_owned()),
        );
        return None;
    };
    let mut months = super::read::table(&format!("{} months", table.what), value, report)?;
    let from = months.month("from", report);
    let until = months.optional_month("until", report);
    months.finish(report);
    check_order(from, until, &value.span(), report);
    Some((from?, until))
}

fn check_order(from: Option<Month>, until: Option<Month>, span: &Range<usize>, report: &mut Report<'_>) {
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        report.add(
            span.clone(),
            format!("the last month {until} lies before the first month {from}"),
        );
    }
}

fn read_doubts(table: &mut Table<'_>, report: &mut Report<'_>) -> Vec<Doubt> {
    let what = format!("a doubt of {}", table.what);
    let tables = table.tables("doubts", &what, CLAUSES_MAX, report);
    tables
        .into_iter()
        .filter_map(|mut table| {
            let what = table.prose("what", report);
            let source = table.prose("source", report);
            let confidence = table.confidence(report);
            let from = table.optional_month("from", report);
            let until = table.optional_month("until", report);
            let known_from = table.optional_date("known_from", report);
            check_order(from, until, &table.span, report);
            table.finish(report);
            Some(Doubt {
                what: what?,
                source: source?,
                confidence: confidence?,
                from,
                until,
                known_from,
            })
        })
        .collect()
}

fn read_values(tables: Vec<Table<'_>>, unit: Unit, report: &mut Report<'_>) -> Vec<ParameterValue> {
    let mut values: Vec<ParameterValue> = Vec::new();
    for mut table in tables {
        let span = table.span.clone();
        let value = table.decimal("value", report);
        let from = table.month("from", report);
        let until = table.optional_month("until", report);
        let known_from = table.date("known_from", report);
        let source = table.prose("source", report);
        let confidence = table.confidence(report);
        table.finish(report);
        check_order(from, until, &span, report);
        if let (Unit::Dong, Some(number)) = (unit, value)
            && number.to_dong().is_none_or(|amount| amount < Dong::ZERO)
        {
            report.add(
                span.clone(),
                format!("found {number}, expected a whole amount in đồng, not negative"),
            );
        }
        let (Some(value), Some(from), Some(known_from), Some(source), Some(confidence)) =
            (value, from, known_from, source, confidence)
        else {
            continue;
        };
        if values
            .iter()
            .any(|known| (known.from, known.known_from) == (from, known_from))
        {
            report.add_with(
                span,
                format!(
                    "two values start in {from} and were known from {known_from}: which of them holds is open"
                ),
                Some("correct a date, or remove one of them".to_owned()),
            );
            continue;
        }
        values.push(ParameterValue {
            value,
            from,
            until,
            known_from,
            source,
            confidence,
        });
    }
    values.sort_by_key(|value| (value.from, value.known_from));
    values
}

fn read_attribute(
    name: &Text<'_>,
    subject: SubjectKind,
    mut table: Table<'_>,
    report: &mut Report<'_>,
) -> Option<AttributeRule> {
    const ON_EXPIRY: [(&str, OnExpiry); 3] = [
        ("keep", OnExpiry::Keep),
        ("unknown", OnExpiry::Unknown),
        ("absent", OnExpiry::Absent),
    ];
    const KEEPING: [(&str, Keeping); 2] = [("profile", Keeping::Profile), ("column", Keeping::Column)];
    let titles = table.both_languages("title", report);
    let (kind, values) = read_kind(&mut table, report)?;
    let absent = read_absent(&mut table, kind, &values, report);
    let on_expiry = table.choice("on_expiry", &ON_EXPIRY, Some(OnExpiry::Keep), report);
    let default = match kind {
        ValueKind::Bool | ValueKind::Enum => Keeping::Profile,
        _ => Keeping::Column,
    };
    let keeping = table.choice("keeping", &KEEPING, Some(default), report);
    if keeping == Some(Keeping::Profile) && !kind.fits_profile() {
        report.add_with(
            name.span.clone(),
            format!(
                "{} keeping: found \"profile\" for the type {kind}; only bool, enum and integers of at most {PROFILE_INTEGERS_MAX} values stand in profiles",
                table.what
            ),
            Some("leave \"keeping\" out, or write \"column\"".to_owned()),
        );
    }
    let renamed_from = table.optional_text("renamed_from", report);
    if let Some(old) = &renamed_from {
        check_identifier("renamed_from", old, report);
    }
    table.finish(report);
    let (title_vi, title_en) = titles.unwrap_or_default();
    Some(AttributeRule {
        declaration: AttributeDeclaration {
            name: name.text.to_owned(),
            renamed_from: renamed_from.map(|old| old.text.to_owned()),
            subject,
            kind,
            values,
            absent,
            on_expiry: on_expiry?,
            keeping: keeping?,
        },
        title_vi,
        title_en,
    })
}

fn read_kind(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<(ValueKind, Vec<String>)> {
    const KINDS: [(&str, ValueKind); 6] = [
        ("bool", ValueKind::Bool),
        ("enum", ValueKind::Enum),
        ("integer", ValueKind::Integer { min: 0, max: 0 }),
        ("date", ValueKind::Date),
        ("money", ValueKind::Money),
        ("person", ValueKind::Person),
    ];
    let span = table.span.clone();
    let kind = table.choice("type", &KINDS, None, report)?;
    match kind {
        ValueKind::Enum => {
            let values = table.texts("values", report);
            if values.is_empty() || values.len() > VALUES_MAX {
                report.add(
                    span.start..span.start + 1,
                    format!(
                        "{}: found {} values, expected 1 to {VALUES_MAX}",
                        table.what,
                        values.len()
                    ),
                );
            }
            let mut seen = BTreeSet::new();
            for value in &values {
                if check_identifier("value", value, report) && !seen.insert(value.text) {
                    report.add(
                        value.span.clone(),
                        format!("the value {:?} is listed twice", value.text),
                    );
                }
            }
            let names = values.iter().take(VALUES_MAX).map(|value| value.text.to_owned());
            Some((kind, names.collect()))
        }
        ValueKind::Integer { .. } => {
            let (min, max) = (table.decimal("min", report), table.decimal("max", report));
            let whole =
                |number: Option<crate::types::Decimal>| number.and_then(crate::types::Decimal::to_integer);
            let (Some(min), Some(max)) = (whole(min), whole(max)) else {
                report.add(
                    span.start..span.start + 1,
                    format!("{}: min and max must be whole numbers", table.what),
                );
                return None;
            };
            if max < min {
                report.add(
                    span.start..span.start + 1,
                    format!("{}: max {max} is less than min {min}", table.what),
                );
            }
            Some((ValueKind::Integer { min, max }, Vec::new()))
        }
        other => Some((other, Vec::new())),
    }
}

/// What holds without a record: `None` for unknown. References have no other absent value.
fn read_absent(
    table: &mut Table<'_>,
    kind: ValueKind,
    values: &[String],
    report: &mut Report<'_>,
) -> Option<String> {
    let Some(value) = table.take("absent") else {
        if kind != ValueKind::Person {
            report.add_with(
                table.span.start..table.span.start + 1,
                format!(
                    "{}: the key \"absent\" is missing: what holds of a person without a record?",
                    table.what
                ),
                Some("write a value, or \"unknown\"".to_owned()),
            );
        }
        return None;
    };
    let written = scalar(value.get_ref()).unwrap_or_default();
    if written == "unknown" {
        return None;
    }
    let fits = match kind {
        ValueKind::Bool => matches!(value.get_ref(), DeValue::Boolean(_)),
        ValueKind::Enum => values.contains(&written),
        ValueKind::Integer { min, max } => written
            .parse()
            .is_ok_and(|number: i64| (min..=max).contains(&number)),
        ValueKind::Date => written.parse::<crate::types::Date>().is_ok(),
        ValueKind::Money => written.parse().is_ok_and(|amount: Dong| amount >= Dong::ZERO),
        ValueKind::Person => false,
    };
    if !fits {
        report.add_with(
            value.span(),
            format!(
                "{}: the absent value {:?} does not fit the type {kind}",
                table.what,
                shortened(&written)
            ),
            did_you_mean(nearest(&written, values.iter().map(String::as_str))),
        );
    }
    Some(written)
}
