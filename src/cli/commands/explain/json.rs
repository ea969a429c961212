//! The explanation as a structure.

use serde_json::{Value as Json, json};

use super::{Decisive, Shown, kind, stands_in_the_way};
use crate::cli::Failure;
use crate::cli::output;
use crate::entitlement::ValueBehind;
use crate::kernel::catalogue::builtin;
use crate::policy::{
    AmountExplanation, Choice, Combination, Competitor, ConditionExplanation, GroupExplanation, MemberChoice,
    MemberExplanation, ParameterRead, ProgrammeExplanation, Read, Truth,
};
use crate::types::{Month, ProgrammeNumber, Value};

/// What stands for the identifier of a programme that is not shown.
const WITHHELD: &str = "withheld";

impl Shown<'_> {
    pub(super) fn json(&self, asked: &str) -> Result<Json, Failure> {
        let explained = self.explained;
        let lines: Vec<Json> = explained
            .outcome
            .lines
            .iter()
            .map(|line| {
                json!({
                    "programme": self.programme_id(line.programme),
                    "kind": kind(line.kind),
                    "amount": output::amount(line.amount),
                    "reason": self.reason_of(line),
                    "cite": self.cites(line),
                })
            })
            .collect();
        let mut facts = Vec::new();
        for behind in &explained.values {
            facts.extend(self.fact_json(behind)?);
        }
        let shown = self.programmes().iter().filter(|programme| {
            !self.words.hides_programme(programme.number) && (self.all || self.matters(programme))
        });
        let programmes: Result<Vec<Json>, Failure> =
            shown.map(|programme| self.programme_json(programme)).collect();
        let others = self.programmes().iter().filter(|programme| {
            !self.words.hides_programme(programme.number) && !self.all && !self.matters(programme)
        });
        let others: Vec<&str> = others.map(|programme| programme.id.as_str()).collect();
        let groups = explained.explanation.groups.iter();
        let groups: Vec<Json> = groups.map(|group| self.group_json(group)).collect();
        let (run, agrees) = self.run_number();
        Ok(json!({
            "person": asked,
            "birth": explained.person.birth.to_string(),
            "death": explained.person.death.map(|date| date.to_string()),
            "month": explained.month.to_string(),
            "status": explained.outcome.status.to_string(),
            "total": output::total(self.total()),
            "lines": lines,
            "reasons": self.reasons()?,
            "programmes": programmes?,
            "other_programmes": others,
            "combinations": groups,
            "facts": facts,
            "run": run,
            "run_agrees": agrees,
            "law_known_on": explained.law_known_on.to_string(),
            "data_as_of": self.data_as_of().get(),
            "lang": self.pick("vi", "en"),
        }))
    }

    /// The identifier of a programme, unless it says what is not shown.
    fn programme_id(&self, number: ProgrammeNumber) -> String {
        if self.words.hides_programme(number) {
            return WITHHELD.to_owned();
        }
        let known = self.view.catalogue().programme_by_number(number);
        known.map_or_else(|| number.to_string(), |known| known.name.clone())
    }

    /// The primary reason, then of each programme that is not paid what stood in its way.
    fn reasons(&self) -> Result<Vec<Json>, Failure> {
        let primary = &self.explained.outcome.reason;
        let programme = primary.programme();
        let hidden = programme.is_some_and(|number| self.words.hides_programme(number));
        let mut reasons = vec![json!({
            "code": if hidden { WITHHELD } else { primary.code() },
            "programme": programme.map(|number| self.programme_id(number)),
            "text": self.primary_reason(),
        })];
        for programme in self.programmes() {
            if self.words.hides_programme(programme.number) || matches!(programme.choice, Choice::Paid) {
                continue;
            }
            if let Choice::LowerThan(other) = programme.choice {
                let outdone = self.explained.explanation.outdone(programme.number);
                let text = format!(
                    "{} {}",
                    self.pick("đã hưởng", "paid instead:"),
                    self.paid_instead(programme, other)
                );
                let group = outdone
                    .as_ref()
                    .map_or(&programme.group, |outdone| &outdone.group.name);
                let cite = outdone
                    .as_ref()
                    .map_or(&programme.group_cite, |outdone| &outdone.group.cite);
                reasons.push(json!({
                    "code": "lower",
                    "programme": programme.id,
                    "text": text,
                    "group": group,
                    "cite": cite,
                }));
                continue;
            }
            let Some(Decisive { state, .. }) = self.decisive(programme) else {
                continue;
            };
            let in_the_way = state
                .conditions
                .iter()
                .filter(|condition| stands_in_the_way(condition));
            for condition in in_the_way.filter(|condition| !self.words.hides_condition(condition)) {
                reasons.push(self.in_the_way(programme, condition)?);
            }
        }
        Ok(reasons)
    }

    fn in_the_way(
        &self,
        programme: &ProgrammeExplanation,
        condition: &ConditionExplanation,
    ) -> Result<Json, Failure> {
        let mut because = Vec::new();
        for read in &condition.reads {
            let (title, value) = self.value_of(read)?;
            because.push(format!("{title}: {value}"));
        }
        let cite = condition.excludes_by.as_ref().unwrap_or(&programme.cite);
        Ok(json!({
            "code": "condition",
            "programme": programme.id,
            "text": format!("{}: {}", self.words.condition(condition), self.words.truth(condition.truth)),
            "because": because.join("; "),
            "cite": cite,
        }))
    }

    /// A value and what stands behind it; `None` for what is not shown.
    fn fact_json(&self, behind: &ValueBehind) -> Result<Option<Json>, Failure> {
        let Some((name, value)) = self.describer.recorded(behind.attribute, behind.value)? else {
            return Ok(None);
        };
        let declared = self.view.catalogue().attribute_by_number(behind.attribute);
        let value = match (behind.value, declared) {
            (None, Some(attribute)) => attribute.text(attribute.absent),
            _ => value,
        };
        let mut fact = Self::behind_json(behind);
        if let Json::Object(fields) = &mut fact {
            fields.insert(
                "fact".to_owned(),
                Json::from(format!("{}.{name}", behind.subject)),
            );
            fields.insert("value".to_owned(), Json::from(value));
            fields.insert(
                "title".to_owned(),
                Json::from(self.words.attribute(behind.attribute)),
            );
            fields.insert("month".to_owned(), Json::from(behind.month.to_string()));
        }
        Ok(Some(fact))
    }

    fn behind_json(behind: &ValueBehind) -> Json {
        let (record, recording) = (behind.record.as_ref(), behind.recording.as_ref());
        let since = behind.since().map(|month| month.to_string());
        json!({
            "from": since,
            "since": since,
            "until": behind.until().map(|month| month.to_string()),
            "recorded": record.map(|record| record.recorded.get()),
            "recorded_at": recording.map(|recording| recording.at.to_string()),
            "recorded_by": recording.map(|recording| recording.author.as_str()),
            "recorded_why": recording.map(|recording| recording.reason.as_str()),
            "document": behind.document().unwrap_or_default(),
        })
    }

    fn programme_json(&self, programme: &ProgrammeExplanation) -> Result<Json, Failure> {
        let found = self
            .programmes()
            .iter()
            .find(|known| known.number == programme.number);
        let decisive = found.and_then(|programme| self.decisive(programme));
        let mut json = json!({
            "programme": programme.id,
            "title": self.words.programme(programme.number),
            "choice": choice(programme.choice),
            "cite": programme.cite,
            "confidence": programme.confidence.to_string(),
            "group": programme.group,
            "by_end_of": decisive.as_ref().map(|decisive| decisive.month.to_string()),
        });
        if let (Some(decisive), Json::Object(fields)) = (decisive, &mut json) {
            let (state, month) = (decisive.state, decisive.month);
            let conditions: Result<Vec<Json>, Failure> = state
                .conditions
                .iter()
                .map(|condition| self.condition_json(condition, month))
                .collect();
            let decision = match &state.enrolment {
                Some(read) => self.read_json(read, month)?,
                None => Json::Null,
            };
            let earlier: Result<Vec<Json>, Failure> = state
                .earlier
                .iter()
                .map(|read| self.read_json(read, month))
                .collect();
            let amount = match &state.amount {
                Some(amount) => self.amount_json(programme.number, amount, month)?,
                None => Json::Null,
            };
            fields.insert("qualifies".to_owned(), truth(state.qualifies));
            fields.insert("entitled".to_owned(), truth(state.entitled));
            fields.insert("conditions".to_owned(), Json::from(conditions?));
            fields.insert("decision".to_owned(), decision);
            fields.insert("earlier_decisions".to_owned(), Json::from(earlier?));
            fields.insert("amount".to_owned(), amount);
        }
        Ok(json)
    }

    fn condition_json(&self, condition: &ConditionExplanation, month: Month) -> Result<Json, Failure> {
        let kind = match (&condition.excludes_by, &condition.widens_by) {
            (Some(_), _) => "exclusion",
            (None, Some(_)) => "provincial",
            (None, None) => "condition",
        };
        let cite = condition.excludes_by.as_ref().or(condition.widens_by.as_ref());
        if self.words.hides_condition(condition) {
            return Ok(json!({ "kind": kind, "sentence": self.words.withheld(), "cite": Json::Null }));
        }
        let facts: Result<Vec<Json>, Failure> = condition
            .reads
            .iter()
            .map(|read| self.read_json(read, month))
            .collect();
        let figures: Vec<Json> = condition
            .parameters
            .iter()
            .map(|figure| self.figure_json(figure))
            .collect();
        Ok(json!({
            "kind": kind,
            "text": condition.text,
            "sentence": self.words.condition(condition),
            "holds": truth(condition.truth),
            "cite": cite,
            "facts": facts?,
            "figures": figures,
        }))
    }

    fn read_json(&self, read: &Read, month: Month) -> Result<Json, Failure> {
        let (title, words) = self.value_of(read)?;
        let mut json = Shown::rests_on(read)
            .and_then(|attribute| self.behind(attribute, month))
            .map_or_else(|| json!({}), Self::behind_json);
        if let Json::Object(fields) = &mut json {
            fields.insert("name".to_owned(), Json::from(read.name.clone()));
            fields.insert("title".to_owned(), Json::from(title));
            fields.insert("value".to_owned(), self.plain_value(read)?);
            fields.insert("words".to_owned(), Json::from(words));
            if let Some(group) = &read.group {
                let people: Result<Vec<String>, Failure> = group
                    .people
                    .iter()
                    .map(|&person| self.describer.person(person))
                    .collect();
                fields.insert("people".to_owned(), Json::from(people?));
                fields.insert("of".to_owned(), Json::from(group.size));
            }
        }
        Ok(json)
    }

    fn plain_value(&self, read: &Read) -> Result<Json, Failure> {
        Ok(match read.value {
            Value::Bool(yes) => Json::from(yes),
            Value::Integer(number) => Json::from(number),
            Value::Money(amount) => output::amount(amount),
            Value::Person(person) => Json::from(self.describer.person(person)?),
            Value::Unknown if read.attribute == Some(builtin::BIRTH) => Json::from(read.text.clone()),
            Value::Unknown => Json::Null,
            _ => Json::from(read.text.clone()),
        })
    }

    fn figure_json(&self, figure: &ParameterRead) -> Json {
        let dates = figure.value.dates;
        json!({
            "name": figure.name,
            "title": self.pick(&figure.title_vi, &figure.title_en),
            "value": figure.value.value.to_string(),
            "from": dates.from.to_string(),
            "until": dates.until.map(|month| month.to_string()),
            "known_from": dates.known_from.to_string(),
            "area": figure.area.map(|area| area.to_string()),
            "source": figure.value.source,
            "confidence": figure.value.confidence.to_string(),
        })
    }

    fn amount_json(
        &self,
        programme: ProgrammeNumber,
        amount: &AmountExplanation,
        month: Month,
    ) -> Result<Json, Failure> {
        if self.words.hides_amount(amount) {
            return Ok(json!({ "sentence": self.words.withheld() }));
        }
        let facts: Result<Vec<Json>, Failure> = amount
            .reads
            .iter()
            .map(|read| self.read_json(read, month))
            .collect();
        let figures: Vec<Json> = amount
            .parameters
            .iter()
            .map(|figure| self.figure_json(figure))
            .collect();
        let (least, most) = match amount.amount {
            Ok((least, most)) => (Some(least), most),
            Err(_) => (None, None),
        };
        Ok(json!({
            "text": amount.text,
            "sentence": self.words.amount(programme, amount),
            "calculation": self.words.calculation(amount),
            "least": least.map(output::amount),
            "most": most.map(output::amount),
            "fault": amount.amount.err().map(|fault| self.words.fault(fault)),
            "facts": facts?,
            "figures": figures,
        }))
    }

    fn group_json(&self, group: &GroupExplanation) -> Json {
        let (rule, most) = match group.combination {
            Combination::Highest => ("highest", None),
            Combination::Sum => ("sum", None),
            Combination::AtMost(most) => ("at_most", Some(most)),
        };
        let shown = group.members.iter().filter(|member| {
            // What is withheld and not paid is not mentioned at all.
            let hidden =
                matches!(member.what, Competitor::Programme(number) if self.words.hides_programme(number));
            !hidden || member.choice != MemberChoice::NotChosen
        });
        let members: Vec<Json> = shown.map(|member| self.member_json(member)).collect();
        json!({
            "group": group.name,
            "rule": rule,
            "most": most,
            "cite": group.cite,
            "confidence": group.confidence.to_string(),
            "exception": group.exception,
            "members": members,
            "sentences": self.words.combination(group),
        })
    }

    fn member_json(&self, member: &MemberExplanation) -> Json {
        let choice = match member.choice {
            MemberChoice::Chosen => "chosen",
            MemberChoice::Possible => "possible",
            MemberChoice::NotChosen => "not_chosen",
        };
        let (programme, group) = match &member.what {
            Competitor::Programme(number) => (Some(self.programme_id(*number)), None),
            Competitor::Group(group) => (None, Some(self.group_json(group))),
        };
        json!({
            "programme": programme,
            "group": group,
            "least": output::amount(member.least),
            "most": member.most.map(output::amount),
            "choice": choice,
        })
    }
}

const fn choice(choice: Choice) -> &'static str {
    match choice {
        Choice::NotEntitled => "not_entitled",
        Choice::Paid => "paid",
        Choice::PaidAndHeld => "paid_and_held",
        Choice::Held => "held",
        Choice::Fault(_) => "error",
        Choice::LowerThan(_) => "lower",
    }
}

/// Whether something holds: `null` if it is not known or could not be worked out.
fn truth(truth: Result<Truth, crate::policy::Fault>) -> Json {
    match truth {
        Ok(Truth::True) => Json::Bool(true),
        Ok(Truth::False) => Json::Bool(false),
        Ok(Truth::Undetermined) | Err(_) => Json::Null,
    }
}
