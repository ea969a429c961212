//! Programmes.

use std::collections::BTreeSet;
use std::ops::Range;

use super::figures::read_area;
use super::{Loader, Placed, check_identifier, check_order, shortened};
use crate::kernel::catalogue::{
    ENROLMENT_STATES, SubjectKind, TITLE_BYTES_MAX, ValueKind, enrolment_attribute_name, nearest,
};
use crate::policy::dates::Dates;
use crate::policy::error::Report;
use crate::policy::expr::check::{AttributeIndex, ScopeAttribute, asks_own, did_you_mean};
use crate::policy::expr::uses::Collector;
use crate::policy::pack::{
    CLAUSES_MAX, Clause, Doubt, Event, Excluder, Exclusion, Group, PACK_PROGRAMMES_MAX, PackData, Payee,
    ProgrammeRule, Start, Stop, Widening,
};
use crate::policy::read::{Table, Text};
use crate::types::{Date, Month};

/// The programmes by name, before their rules are read: expressions may ask for the enrolment in any of them.
pub(super) struct Heads<'a> {
    all: Vec<Head<'a>>,
    /// Whether a name is taken twice: then it is not known which name the second should have.
    has_twice: bool,
}

struct Head<'a> {
    id: Text<'a>,
    enrolment: Option<AttributeIndex>,
    table: Table<'a>,
}

impl Heads<'_> {
    /// The place of a programme in the pack.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.all.iter().position(|head| head.id.text == id)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|head| head.id.text)
    }

    /// Whether a programme that is not found may be one that was declared under a name that is taken.
    pub(super) const fn may_hide(&self) -> bool {
        self.has_twice
    }
}

/// What the rules of programmes may name.
struct Names<'a> {
    ids: Vec<String>,
    enrolments: Vec<Option<AttributeIndex>>,
    groups: &'a [Group],
    may_hide: bool,
}

impl Names<'_> {
    fn programme(&self, name: &Text<'_>, report: &mut Report<'_>) -> Option<usize> {
        let found = self.ids.iter().position(|id| id == name.text);
        if found.is_none() && !self.may_hide {
            report.add_with(
                name.span.clone(),
                format!("the programme {:?} is not declared", shortened(name.text)),
                did_you_mean(nearest(name.text, self.ids.iter().map(String::as_str))),
            );
        }
        found
    }

    fn group(&self, name: &Text<'_>, report: &mut Report<'_>) -> Option<usize> {
        let found = self.groups.iter().position(|group| group.name == name.text);
        if found.is_none() {
            let known = self.groups.iter().map(|group| group.name.as_str());
            report.add_with(
                name.span.clone(),
                format!("the group {:?} is not declared", shortened(name.text)),
                did_you_mean(nearest(name.text, known))
                    .or_else(|| Some(format!("declare it with [group.{}]", shortened(name.text)))),
            );
        }
        found
    }
}

impl Loader<'_> {
    pub(super) fn read_heads<'a>(&mut self, root: &mut Table<'a>, report: &mut Report<'_>) -> Heads<'a> {
        let mut seen = BTreeSet::new();
        let (mut heads, mut has_twice) = (Vec::new(), false);
        for mut table in root.tables("programme", "programme", PACK_PROGRAMMES_MAX, report) {
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
                has_twice = true;
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
                    in_profile: true,
                })
            });
            heads.push(Head { id, enrolment, table });
        }
        Heads {
            all: heads,
            has_twice,
        }
    }

    pub(super) fn read_programmes(
        &mut self,
        heads: Heads<'_>,
        groups: &Placed<Group>,
        report: &mut Report<'_>,
    ) -> Placed<ProgrammeRule> {
        let names = Names {
            ids: heads.ids().map(str::to_owned).collect(),
            enrolments: heads.all.iter().map(|head| head.enrolment).collect(),
            groups: &groups.items,
            may_hide: heads.may_hide(),
        };
        let mut programmes = Placed::new();
        for head in heads.all {
            let span = head.id.span.clone();
            if let Some(rule) = self.read_programme(head, &names, report) {
                programmes.push(rule, span);
            }
        }
        programmes
    }

    fn read_programme(
        &self,
        head: Head<'_>,
        names: &Names<'_>,
        report: &mut Report<'_>,
    ) -> Option<ProgrammeRule> {
        const STARTS: [(&str, Start); 2] = [("month", Start::SameMonth), ("month_after", Start::MonthAfter)];
        const STOPS: [(&str, Stop); 2] = [("month_after", Stop::MonthAfter), ("at_once", Stop::AtOnce)];
        let Head {
            id,
            enrolment,
            mut table,
        } = head;
        let titles = read_titles(&mut table, report);
        let cite = table.prose("cite", report);
        let confidence = table.confidence(report);
        let months = read_months(&mut table, report);
        let known_from = table.optional_date("known_from", report);
        // What is paid once has no months in which it starts and stops.
        let default_stop = table.has("once").then_some(Stop::AtOnce);
        let once = read_once(&mut table, report);
        let start = table.choice("start", &STARTS, Some(Start::SameMonth), report);
        let stop = table.choice("stop", &STOPS, default_stop, report);
        if let Some(event) = once {
            check_once(event, (start, stop), &table, report);
        }
        let earlier = read_earlier(&mut table, enrolment, names, report);
        let payees = self.read_payees(&mut table, report);
        let group = table
            .text("group", report)
            .and_then(|name| names.group(&name, report));
        let conditions = table
            .text("condition", report)
            .and_then(|text| self.read_conditions(&text, report));
        let provincial = self.read_provincial(&mut table, report);
        let exclusions = self.read_exclusions(&mut table, names, report);
        let amount = table
            .text("amount", report)
            .and_then(|text| self.read_amount(&text, report));
        let doubts = read_doubts(&mut table, report);
        table.finish(report);
        let ((title_vi, title_en), (from, until, until_known_from)) = (titles?, months?);
        let conditions = conditions?;
        let mut rule = ProgrammeRule {
            id: id.text.to_owned(),
            title_vi,
            title_en,
            cite: cite?,
            confidence: confidence?,
            from,
            until,
            until_known_from,
            known_from: known_from.unwrap_or_else(|| Date::first_of(from)),
            needs_decision: enrolment.is_some(),
            earlier_decisions: earlier
                .iter()
                .map(|&(programme, _)| names.ids[programme].clone())
                .collect(),
            start: start?,
            stop: stop?,
            once,
            payees,
            doubts,
            group: group?,
            enrolment,
            earlier: earlier.iter().map(|&(_, enrolment)| enrolment).collect(),
            order: self.order(&conditions),
            conditions,
            provincial,
            exclusions,
            amount: amount?,
            parameters: Vec::new(),
            tables: Vec::new(),
        };
        let mut collector = Collector::new(None);
        rule.collect(&mut collector, |_| true);
        rule.parameters = collector.uses.parameters.into_iter().collect();
        rule.tables = collector.uses.tables.into_iter().collect();
        Some(rule)
    }

    /// Conditions that ask for what each person has of their own are judged last.
    fn order(&self, conditions: &[Clause]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..conditions.len()).collect();
        order.sort_by_cached_key(|&place| asks_own(&conditions[place].condition, &self.scope));
        order
    }

    fn read_provincial(&self, table: &mut Table<'_>, report: &mut Report<'_>) -> Vec<Widening> {
        let what = format!("a provincial condition of {}", table.what);
        let tables = table.tables("provincial", &what, CLAUSES_MAX, report);
        tables
            .into_iter()
            .filter_map(|mut table| {
                let area = read_area(&mut table, report);
                let clause = table
                    .text("condition", report)
                    .and_then(|text| self.read_condition(&text, report));
                let from = table.month("from", report);
                let until = table.optional_month("until", report);
                let known_from = table.date("known_from", report);
                check_order(from, until, &table.span, report);
                let cite = table.prose("cite", report);
                let confidence = table.confidence(report);
                table.finish(report);
                Some(Widening {
                    area: area?,
                    clause: clause?,
                    dates: Dates {
                        from: from?,
                        until,
                        known_from: known_from?,
                    },
                    cite: cite?,
                    confidence: confidence?,
                })
            })
            .collect()
    }

    fn read_exclusions(
        &self,
        table: &mut Table<'_>,
        names: &Names<'_>,
        report: &mut Report<'_>,
    ) -> Vec<Exclusion> {
        let what = format!("an exclusion of {}", table.what);
        let tables = table.tables("exclusions", &what, CLAUSES_MAX, report);
        tables
            .into_iter()
            .filter_map(|mut table| {
                let when = table.optional_text("when", report);
                let programme = table.optional_text("programme", report);
                let cite = table.prose("cite", report);
                let named = when.as_ref().or(programme.as_ref());
                let span = named.map_or_else(|| table.span.clone(), |text| text.span.clone());
                table.finish(report);
                let excluder = match (when, programme) {
                    (Some(when), None) => self.read_excluding_condition(&when, report)?,
                    (None, Some(name)) => Excluder::Programme {
                        programme: names.programme(&name, report)?,
                        text: name.text.to_owned(),
                    },
                    _ => {
                        let message = format!("{what}: expected one of `when` and `programme`");
                        report.add(span.clone(), message);
                        return None;
                    }
                };
                Some(Exclusion {
                    excluder,
                    cite: cite?,
                    span,
                })
            })
            .collect()
    }

    fn read_excluding_condition(&self, when: &Text<'_>, report: &mut Report<'_>) -> Option<Excluder> {
        let clause = self.read_condition(when, report)?;
        let mut collector = Collector::new(None);
        collector.condition(&clause.condition);
        let Some(by) = collector.uses.attributes.first().copied() else {
            report.add_with(
                when.span.clone(),
                "an exclusion must ask for an attribute, by which it is explained",
                Some("put conditions of age or place into `condition`".to_owned()),
            );
            return None;
        };
        Some(Excluder::Condition { clause, by })
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
}

/// The earlier programmes whose decisions count: places in the pack, and their enrolments.
fn read_earlier(
    table: &mut Table<'_>,
    enrolment: Option<AttributeIndex>,
    names: &Names<'_>,
    report: &mut Report<'_>,
) -> Vec<(usize, AttributeIndex)> {
    let earlier = table.texts("earlier_decisions", report);
    if let Some(beyond) = earlier.get(CLAUSES_MAX) {
        let found = earlier.len();
        report.add(
            beyond.span.clone(),
            format!("found {found} earlier programmes, at most {CLAUSES_MAX} are read"),
        );
    }
    if let (Some(first), None) = (earlier.first(), enrolment) {
        let message = "earlier decisions count only where a decision is needed";
        report.add(first.span.clone(), message);
    }
    earlier
        .iter()
        .take(CLAUSES_MAX)
        .filter_map(|name| {
            let programme = names.programme(name, report)?;
            let found = names.enrolments[programme];
            if found.is_none() {
                let message = format!(
                    "the programme {:?} needs no decision, so none can count",
                    name.text
                );
                report.add(name.span.clone(), message);
            }
            if found == enrolment {
                let message = "a programme's own decision is no earlier one";
                report.add(name.span.clone(), message);
            }
            Some((programme, found?))
        })
        .collect()
}

fn read_once(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<Event> {
    const EVENTS: [(&str, Event); 2] = [("death", Event::Death), ("campaign", Event::Campaign)];
    let value = table.take("once")?;
    let mut once = crate::policy::read::table(&format!("{} once", table.what), value, report)?;
    if !once.has("event") {
        let span = value.span();
        report.add_with(
            span,
            format!(
                "{}: what is paid once must name the event that it is paid for",
                table.what
            ),
            Some("for example once = { event = \"death\" }".to_owned()),
        );
        return None;
    }
    let event = once.choice("event", &EVENTS, None, report);
    once.finish(report);
    event
}

/// What is paid once follows its event, not the months in which conditions begin and end.
fn check_once(event: Event, rule: (Option<Start>, Option<Stop>), table: &Table<'_>, report: &mut Report<'_>) {
    if rule != (Some(Start::SameMonth), Some(Stop::AtOnce)) {
        let what = match event {
            Event::Death => "a death is paid for in its month",
            Event::Campaign => "a campaign pays by the state in the month of its run",
        };
        let at = table.span.start;
        report.add_with(
            at..at + 1,
            format!("{}: {what}, so `start` and `stop` have no meaning", table.what),
            Some("leave them out".to_owned()),
        );
    }
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

/// The first month, the last one, and the day from which that could be known.
fn read_months(
    table: &mut Table<'_>,
    report: &mut Report<'_>,
) -> Option<(Month, Option<Month>, Option<Date>)> {
    let Some(value) = table.take("months") else {
        let at = table.span.start;
        report.add_with(
            at..at + 1,
            format!("{}: the key \"months\" is missing", table.what),
            Some("for example months = { from = \"2021-07\" }".to_owned()),
        );
        return None;
    };
    let mut months = crate::policy::read::table(&format!("{} months", table.what), value, report)?;
    let from = months.month("from", report);
    let until = months.optional_month("until", report);
    let until_known_from = months.optional_date("until_known_from", report);
    months.finish(report);
    check_order(from, until, &value.span(), report);
    if until.is_none() && until_known_from.is_some() {
        report.add(
            value.span(),
            format!(
                "{}: months with \"until_known_from\" need \"until\", the last month",
                table.what
            ),
        );
    }
    Some((from?, until, until_known_from))
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

/// The places of the programmes in an order in which each comes after those that exclude from it. A circle is reported,
/// and the programmes in it are left out.
pub(super) fn settle_order(data: &PackData, spans: &[Range<usize>], report: &mut Report<'_>) -> Vec<usize> {
    let mut order = Vec::new();
    let mut marks = vec![Mark::New; data.programmes.len()];
    for (index, span) in spans.iter().enumerate() {
        let mut path = Vec::new();
        if let Some(circle) = settle(data, index, &mut marks, &mut path, &mut order) {
            let ids: Vec<&str> = circle.iter().map(|&at| data.programmes[at].id.as_str()).collect();
            // The last of the circle names the first: without that exclusion there would be none.
            let closing = circle.iter().rev().nth(1).and_then(|&last| {
                let mut exclusions = data.programmes[last].exclusions.iter();
                exclusions.find(|exclusion| {
                    matches!(exclusion.excluder, Excluder::Programme { programme, .. } if programme == circle[0])
                })
            });
            report.add_with(
                closing.map_or(span.clone(), |exclusion| exclusion.span.clone()),
                format!("programmes exclude each other in a circle: {}", ids.join(", ")),
                Some("let one of them exclude by a condition instead".to_owned()),
            );
        }
    }
    order
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    OnPath,
    Settled,
}

/// Puts a programme after those that exclude from it; gives a circle if there is one.
fn settle(
    data: &PackData,
    index: usize,
    marks: &mut [Mark],
    path: &mut Vec<usize>,
    order: &mut Vec<usize>,
) -> Option<Vec<usize>> {
    match marks[index] {
        Mark::Settled => return None,
        Mark::OnPath => {
            let start = path.iter().position(|&at| at == index).unwrap_or(0);
            return Some(path[start..].iter().copied().chain([index]).collect());
        }
        Mark::New => {}
    }
    marks[index] = Mark::OnPath;
    path.push(index);
    let circle = data.programmes[index]
        .excluding()
        .find_map(|other| settle(data, other, marks, path, order));
    path.pop();
    marks[index] = Mark::Settled;
    if circle.is_none() {
        order.push(index);
    }
    circle
}
