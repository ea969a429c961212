//! Programmes, groups and definitions.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{At, add_dates, area_name};
use crate::cli::Failure;
use crate::cli::commands::policy::{figure, figure_json, or_blank, yes};
use crate::cli::output::{Output, Table};
use crate::policy::{
    Combination, Confidence, Definition, Event, Group, Member, Pack, Payee, ProgrammeRule, Start, Stop, Unit,
};
use crate::types::{Date, Decimal, ProvinceCode};

/// The definitions that a text names, and those that these name, in the pack's order.
fn definitions_in<'p>(pack: &'p Pack, texts: &[&str]) -> Vec<&'p Definition> {
    let mut names: BTreeSet<&str> = texts.iter().copied().flat_map(names_in).collect();
    // Definitions use only those above them.
    for definition in pack.definitions().iter().rev() {
        if names.contains(definition.name.as_str()) {
            names.extend(names_in(&definition.text));
        }
    }
    let definitions = pack.definitions().iter();
    definitions
        .filter(|definition| names.contains(definition.name.as_str()))
        .collect()
}

/// The names in an expression that may be those of definitions: not words that something is compared with, and not
/// names with a point.
fn names_in(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let (mut rest, mut before, mut in_list) = (text, ' ', false);
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if is_name(first) {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let name = &rest[..end];
            if before != '=' && !in_list && !name.contains('.') {
                names.push(name);
            }
            (before, rest) = ('a', &rest[end..]);
            continue;
        }
        match first {
            '[' => in_list = true,
            ']' => in_list = false,
            _ => {}
        }
        if !first.is_whitespace() {
            before = first;
        }
        rest = &rest[first.len_utf8()..];
    }
    names
}

fn print_definitions(definitions: &[&Definition], output: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(&["definition", "is", "title"]).titled("Definitions that it uses");
    for definition in definitions {
        table.row([&definition.name, &definition.text, &definition.title_vi].map(Clone::clone));
    }
    output.table(&table)
}

fn definitions_json(definitions: &[&Definition]) -> Json {
    let one = |definition: &&Definition| json!({ "name": definition.name, "text": definition.text });
    definitions.iter().map(one).collect()
}

const fn start_code(start: Start) -> &'static str {
    match start {
        Start::SameMonth => "month",
        Start::MonthAfter => "month_after",
    }
}

const fn stop_code(stop: Stop) -> &'static str {
    match stop {
        Stop::MonthAfter => "month_after",
        Stop::AtOnce => "at_once",
    }
}

fn payee(payee: &Payee) -> String {
    match payee {
        Payee::Person => "self".to_owned(),
        Payee::Head => "head".to_owned(),
        Payee::Reference(attribute) => attribute.clone(),
    }
}

fn rule_text(combination: Combination) -> String {
    match combination {
        Combination::Highest => "only the highest is paid".to_owned(),
        Combination::Sum => "each is paid".to_owned(),
        Combination::AtMost(most) => format!("the {most} highest are paid"),
    }
}

/// A figure that a programme reads, as it is for the month in the place: the name, the value and its source.
struct FigureRead {
    name: String,
    value: Option<(Decimal, Unit, Option<String>, Confidence, String)>,
}

fn figures(rule: &ProgrammeRule, at: At<'_>) -> Vec<FigureRead> {
    let here = at.province.unwrap_or(ProvinceCode::NONE);
    let formerly = at.former_province.unwrap_or(ProvinceCode::NONE);
    let parameters = rule.parameters.iter().map(|&index| {
        let parameter = &at.pack.parameters()[index];
        let held = parameter.value_in(at.month, at.known_on, here, formerly);
        FigureRead {
            name: format!("param.{}", parameter.name),
            value: held.map(|(value, area)| {
                let area = area.map(|area| area.to_string());
                (
                    value.value,
                    parameter.unit,
                    area,
                    value.confidence,
                    value.source.clone(),
                )
            }),
        }
    });
    parameters.collect()
}

/// A programme as it is for a month.
struct Shown<'p> {
    rule: &'p ProgrammeRule,
    at: At<'p>,
    definitions: Vec<&'p Definition>,
    figures: Vec<FigureRead>,
}

/// Shows a programme.
pub(super) fn programme(rule: &ProgrammeRule, at: At<'_>, output: &mut Output) -> Result<(), Failure> {
    let mut texts: Vec<&str> = rule.condition_texts().collect();
    texts.extend(rule.exclusion_texts().map(|(text, _)| text));
    texts.extend(
        rule.provincial
            .iter()
            .map(|widening| widening.clause.text.as_str()),
    );
    texts.push(rule.amount_text());
    let shown = Shown {
        rule,
        at,
        definitions: definitions_in(at.pack, &texts),
        figures: figures(rule, at),
    };
    if output.is_json() {
        output.json(&shown.json())
    } else {
        shown.print(output)
    }
}

impl Shown<'_> {
    fn in_force(&self) -> String {
        let (rule, at) = (self.rule, self.at);
        if rule.exists(at.month, at.known_on) {
            return "yes".to_owned();
        }
        if at.month < rule.from {
            return format!("no: begins in {}", rule.from);
        }
        match rule.until.filter(|until| *until < at.month) {
            Some(until) => format!("no: ended in {until}"),
            None => format!("no: was not known before {}", rule.known_from),
        }
    }

    /// The group and those around it, each with its rule.
    fn groups(&self) -> Vec<&Group> {
        let around = self.at.pack.0.groups_around(self.rule.group);
        around.map(|place| &self.at.pack.groups()[place]).collect()
    }

    fn json(&self) -> Json {
        let (rule, at) = (self.rule, self.at);
        let mut said = at.json("programme", &rule.id);
        said["title_vi"] = Json::from(rule.title_vi.as_str());
        said["title_en"] = Json::from(rule.title_en.as_str());
        said["cite"] = Json::from(rule.cite.as_str());
        said["confidence"] = Json::from(rule.confidence.to_string());
        said["from"] = Json::from(rule.from.to_string());
        said["until"] = Json::from(rule.until.map(|month| month.to_string()));
        said["known_from"] = Json::from(rule.known_from.to_string());
        said["in_force"] = Json::from(rule.exists(at.month, at.known_on));
        said["decision"] = Json::from(rule.needs_decision);
        said["earlier_decisions"] = rule.earlier_decisions.iter().cloned().collect();
        said["start"] = Json::from(start_code(rule.start));
        said["stop"] = Json::from(stop_code(rule.stop));
        said["once"] = Json::from(rule.once.map(|event| match event {
            Event::Death => "death",
            Event::Campaign => "campaign",
        }));
        said["payees"] = rule.payees.iter().map(payee).collect();
        said["groups"] = self
            .groups()
            .iter()
            .map(|group| json!({ "name": group.name, "rule": rule_text(group.combination), "cite": group.cite }))
            .collect();
        said["conditions"] = rule.condition_texts().collect();
        said["provincial"] = self.provincial_json();
        said["exclusions"] = rule
            .exclusion_texts()
            .map(|(text, cite)| json!({ "text": text, "cite": cite }))
            .collect();
        said["amount"] = Json::from(rule.amount_text());
        said["figures"] = self.figures_json();
        said["tables"] = self.tables_json();
        said["definitions"] = definitions_json(&self.definitions);
        said["doubts"] = self.doubts_json();
        said
    }

    fn provincial_json(&self) -> Json {
        let provincial = self.rule.provincial.iter().map(|widening| {
            let mut said = json!({
                "area": widening.area.to_string(),
                "condition": widening.clause.text,
                "in_force": self.at.in_force(widening.dates),
                "cite": widening.cite,
                "confidence": widening.confidence.to_string(),
            });
            add_dates(&mut said, widening.dates);
            said
        });
        provincial.collect()
    }

    fn figures_json(&self) -> Json {
        let one = |read: &FigureRead| match &read.value {
            Some((value, _, area, confidence, source)) => json!({
                "name": read.name,
                "value": figure_json(*value),
                "area": area,
                "confidence": confidence.to_string(),
                "source": source,
            }),
            None => json!({ "name": read.name, "value": null }),
        };
        self.figures.iter().map(one).collect()
    }

    fn tables_json(&self) -> Json {
        let tables = self.rule.tables.iter().map(|&index| {
            let table = &self.at.pack.tables()[index];
            let edition = table.edition_for(self.at.month, self.at.known_on);
            json!({
                "name": format!("table.{}", table.name),
                "edition": edition.map(|edition| edition.rows.as_str()),
                "confidence": edition.map(|edition| edition.confidence.to_string()),
                "source": edition.map(|edition| edition.source.as_str()),
            })
        });
        tables.collect()
    }

    fn doubts_json(&self) -> Json {
        let one = |doubt: &crate::policy::Doubt| {
            json!({
                "what": doubt.what,
                "source": doubt.source,
                "confidence": doubt.confidence.to_string(),
                "from": doubt.from.map(|month| month.to_string()),
                "until": doubt.until.map(|month| month.to_string()),
                "known_from": doubt.known_from.map(|day| day.to_string()),
                "concerns": doubt.concerns(self.at.month, self.at.known_on),
            })
        };
        self.rule.doubts.iter().map(one).collect()
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        self.print_head(output)?;
        let rule = self.rule;
        let mut table = Table::new(&["condition"]).titled("All of these must hold");
        for text in rule.condition_texts() {
            table.row([text]);
        }
        output.table(&table)?;
        let mut table = Table::new(&[
            "area",
            "condition",
            "from",
            "until",
            "known from",
            "in force",
            "mark",
            "source",
        ])
        .titled("Or, in a province, this");
        for widening in &rule.provincial {
            let dates = widening.dates;
            table.row([
                area_name(widening.area),
                widening.clause.text.clone(),
                dates.from.to_string(),
                or_blank(dates.until),
                dates.known_from.to_string(),
                yes(self.at.in_force(dates)).to_owned(),
                widening.confidence.to_string(),
                widening.cite.clone(),
            ]);
        }
        output.table(&table)?;
        let mut table = Table::new(&["exclusion", "by"]).titled("None of these may hold");
        let excluding: Vec<&str> = rule
            .excluding()
            .map(|place| self.at.pack.programmes()[place].id.as_str())
            .collect();
        for (text, cite) in rule.exclusion_texts() {
            let by_programme = excluding.contains(&text);
            let text = format!("{}{text}", if by_programme { "entitled to " } else { "" });
            table.row([text.as_str(), cite]);
        }
        output.table(&table)?;
        let mut table = Table::new(&["amount"]).titled("What is paid");
        table.row([rule.amount_text()]);
        output.table(&table)?;
        self.print_figures(output)?;
        print_definitions(&self.definitions, output)?;
        self.print_doubts(output)
    }

    fn print_head(&self, output: &mut Output) -> Result<(), Failure> {
        let (rule, at) = (self.rule, self.at);
        let mut table = Table::list();
        table.pair("Programme", &rule.id);
        table.pair("Title", &rule.title_vi);
        table.pair("", &rule.title_en);
        table.pair("Source", format_args!("{} ({})", rule.cite, rule.confidence));
        table.pair(
            "Months",
            match rule.until {
                Some(until) => format!("{} to {until}", rule.from),
                None => format!("from {}", rule.from),
            },
        );
        if rule.known_from != Date::first_of(rule.from) {
            table.pair("Known from", rule.known_from);
        }
        table.pair("Month", at.said());
        table.pair("In force", self.in_force());
        table.pair(
            "Decision",
            if rule.needs_decision {
                "needed"
            } else {
                "not needed"
            },
        );
        if !rule.earlier_decisions.is_empty() {
            table.pair("Decisions that count too", rule.earlier_decisions.join(", "));
        }
        match rule.once {
            Some(Event::Death) => table.pair("Paid", "once, in the month of the death"),
            Some(Event::Campaign) => table.pair("Paid", "once, by a campaign"),
            None => {
                table.pair(
                    "Starts",
                    match rule.start {
                        Start::SameMonth => "in the month in which the conditions are met",
                        Start::MonthAfter => "in the month after the conditions are met",
                    },
                );
                table.pair(
                    "Stops",
                    match rule.stop {
                        Stop::MonthAfter => "in the month after a condition is lost",
                        Stop::AtOnce => "in the month in which a condition is lost",
                    },
                );
            }
        }
        let payees: Vec<String> = rule.payees.iter().map(payee).collect();
        table.pair("Paid to", payees.join(", otherwise "));
        for (place, group) in self.groups().iter().enumerate() {
            let name = if place == 0 { "Group" } else { "within" };
            let text = rule_text(group.combination);
            table.pair(name, format_args!("{}: {text} ({})", group.name, group.cite));
        }
        if let Some(place) = at.place() {
            table.pair("Place", place);
        }
        output.table(&table)
    }

    fn print_figures(&self, output: &mut Output) -> Result<(), Failure> {
        let mut table = Table::new(&["figure", ">value", "set by", "mark", "source"])
            .titled("Figures that it reads, as they are for the month");
        for read in &self.figures {
            match &read.value {
                Some((value, unit, area, confidence, source)) => table.row([
                    read.name.clone(),
                    figure(*value, *unit),
                    area.clone().unwrap_or_default(),
                    confidence.to_string(),
                    source.clone(),
                ]),
                None => table.row([read.name.as_str(), "none in force", "", "", ""]),
            }
        }
        for &index in &self.rule.tables {
            let lookup = &self.at.pack.tables()[index];
            let name = format!("table.{}", lookup.name);
            match lookup.edition_for(self.at.month, self.at.known_on) {
                Some(edition) => table.row([
                    name,
                    format!("rows of {}", edition.rows),
                    String::new(),
                    edition.confidence.to_string(),
                    edition.source.clone(),
                ]),
                None => table.row([name.as_str(), "none in force", "", "", ""]),
            }
        }
        output.table(&table)
    }

    fn print_doubts(&self, output: &mut Output) -> Result<(), Failure> {
        let mut table = Table::new(&[
            "mark",
            "doubt",
            "from",
            "until",
            "known from",
            "concerns the month",
            "source",
        ])
        .titled("Doubts");
        for doubt in &self.rule.doubts {
            table.row([
                doubt.confidence.to_string(),
                doubt.what.clone(),
                or_blank(doubt.from),
                or_blank(doubt.until),
                or_blank(doubt.known_from),
                yes(doubt.concerns(self.at.month, self.at.known_on)).to_owned(),
                doubt.source.clone(),
            ]);
        }
        output.table(&table)
    }
}

fn member(pack: &Pack, member: Member) -> String {
    match member {
        Member::Programme(place) => pack.programmes()[place].id.clone(),
        Member::Group(place) => format!("group.{}", pack.groups()[place].name),
    }
}

/// Shows a group.
pub(super) fn group(group: &Group, at: At<'_>, output: &mut Output) -> Result<(), Failure> {
    let pack = at.pack;
    let place = pack.groups().iter().position(|known| std::ptr::eq(known, group));
    let programmes: Vec<&ProgrammeRule> = pack
        .programmes()
        .iter()
        .filter(|rule| Some(rule.group) == place)
        .collect();
    let inner: Vec<&Group> = pack
        .groups()
        .iter()
        .filter(|group| group.within.is_some() && group.within == place)
        .collect();
    let outer = group.within.map(|place| pack.groups()[place].name.as_str());
    let exceptions: Vec<(String, Vec<String>, &str)> = group
        .exceptions
        .iter()
        .map(|exception| {
            let beside = exception
                .beside
                .iter()
                .map(|&beside| member(pack, beside))
                .collect();
            (member(pack, exception.pays), beside, exception.cite.as_str())
        })
        .collect();
    if output.is_json() {
        let mut said = at.json("group", &group.name);
        said["rule"] = Json::from(rule_text(group.combination));
        said["within"] = Json::from(outer);
        said["cite"] = Json::from(group.cite.as_str());
        said["confidence"] = Json::from(group.confidence.to_string());
        said["programmes"] = programmes
            .iter()
            .map(|rule| json!({ "programme": rule.id, "in_force": rule.exists(at.month, at.known_on) }))
            .collect();
        said["groups"] = inner
            .iter()
            .map(|group| Json::from(group.name.as_str()))
            .collect();
        said["exceptions"] = exceptions
            .iter()
            .map(|(pays, beside, cite)| json!({ "pays": pays, "beside": beside, "cite": cite }))
            .collect();
        return output.json(&said);
    }
    let mut table = Table::list();
    table.pair("Group", &group.name);
    table.pair("Rule", rule_text(group.combination));
    table.pair("Source", format_args!("{} ({})", group.cite, group.confidence));
    if let Some(outer) = outer {
        table.pair("Within", format_args!("{outer}: there its total competes as one"));
    }
    table.pair("Month", at.said());
    output.table(&table)?;
    let mut table = Table::new(&["member", "in force", "title"]).titled("What competes in it");
    for rule in &programmes {
        let in_force = yes(rule.exists(at.month, at.known_on));
        table.row([&rule.id, in_force, &rule.title_vi]);
    }
    for group in &inner {
        let name = format!("group.{}", group.name);
        table.row([
            name.as_str(),
            "",
            &format!("its total: {}", rule_text(group.combination)),
        ]);
    }
    output.table(&table)?;
    let mut table = Table::new(&["is paid too", "beside the highest of", "by"]).titled("Exceptions");
    for (pays, beside, cite) in &exceptions {
        table.row([pays.as_str(), &beside.join(", "), cite]);
    }
    output.table(&table)
}

/// Shows a definition.
pub(super) fn definition(shown: &Definition, at: At<'_>, output: &mut Output) -> Result<(), Failure> {
    let uses = definitions_in(at.pack, &[&shown.text]);
    let names_it = |text: &str| names_in(text).contains(&shown.name.as_str());
    let above = at.pack.definitions().iter().filter(|other| names_it(&other.text));
    let by = above.map(|other| format!("define.{}", other.name));
    let programmes = at.pack.programmes().iter().filter(|rule| {
        let provincial = rule
            .provincial
            .iter()
            .map(|widening| widening.clause.text.as_str());
        let exclusions = rule.exclusion_texts().map(|(text, _)| text);
        let mut texts = rule.condition_texts().chain(provincial).chain(exclusions);
        texts.any(names_it) || names_it(rule.amount_text())
    });
    let used_by: Vec<String> = by.chain(programmes.map(|rule| rule.id.clone())).collect();
    if output.is_json() {
        let mut said = at.json("definition", &shown.name);
        said["title_vi"] = Json::from(shown.title_vi.as_str());
        said["title_en"] = Json::from(shown.title_en.as_str());
        said["text"] = Json::from(shown.text.as_str());
        said["definitions"] = definitions_json(&uses);
        said["used_by"] = used_by.into_iter().collect();
        return output.json(&said);
    }
    let mut table = Table::list();
    table.pair("Definition", &shown.name);
    table.pair("Title", &shown.title_vi);
    table.pair("", &shown.title_en);
    table.pair("Is", &shown.text);
    table.pair("Used by", used_by.join(", "));
    output.table(&table)?;
    print_definitions(&uses, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_definitions_are_told_from_values() {
        let text = "age < 22 and studying and kind in [child, b] and x == child and household.any(poor or not child_2)";
        let names = names_in(text);
        for name in ["studying", "poor", "child_2", "x", "kind"] {
            assert!(names.contains(&name), "{name}");
        }
        for name in ["child", "b", "household.any"] {
            assert!(!names.contains(&name), "{name}");
        }
    }

    #[test]
    fn definitions_are_followed_into_those_they_use() {
        let pack = Pack::vietnam();
        let found = definitions_in(&pack, &["merit"]);
        assert!(found.iter().any(|definition| definition.name == "merit"));
        let direct = names_in(&found.last().unwrap().text);
        assert!(found.len() > 1, "{direct:?}");
    }
}
