//! Cases written by hand: the people of a household, with facts, as examples and case files give them.

use toml::Spanned;
use toml::de::DeValue;

use super::bind::{Bindings, Policy, bind};
use super::case::{Age, Case, Group, Own};
use super::error::{PackErrors, Report};
use super::explain::Explanation;
use super::expr::check::did_you_mean;
use super::load::parse_toml;
use super::month::MonthPolicy;
use super::outcome::Outcome;
use super::pack::{Pack, PackData};
use super::read::{Table, Text, scalar};
use crate::kernel::catalogue::{
    Attribute, Catalogue, EnrolmentState, SubjectKind, ValueKind, builtin, enrolment_attribute_name, nearest,
};
use crate::kernel::profile::Profile;
use crate::types::{AttributeNumber, BirthDate, Month, PersonNumber, ProvinceCode, Value};

/// The greatest number of people of one case.
pub const CASE_PEOPLE_MAX: usize = 1_000;

/// The people of a case, at the end of a month and of the month before.
#[derive(Debug, Clone)]
pub struct CasePeople {
    people: Vec<CasePerson>,
}

/// One of the people of a case.
#[derive(Debug, Clone)]
pub(super) struct CasePerson {
    name: Option<String>,
    birth: BirthDate,
    /// The state at the end of the month, or at death in it.
    now: Option<State>,
    died: bool,
    before: Option<State>,
    /// Not of the household of the others.
    elsewhere: bool,
    /// The campaign has paid this person before.
    already: bool,
}

/// The recorded facts of one state.
#[derive(Debug, Clone, Default)]
struct State {
    person: Profile,
    household: Option<Profile>,
    commune: Profile,
    /// What does not stand in profiles, of any subject.
    own: Profile,
    province: Option<ProvinceCode>,
    former_province: Option<ProvinceCode>,
}

/// The catalogue of a registry that adopted nothing but this pack.
pub(super) fn own_catalogue(pack: &PackData) -> Result<(Catalogue, Bindings), String> {
    let (catalogue, _) = Catalogue::default()
        .adopt(&pack.declaration())
        .map_err(|error| error.to_string())?;
    let bound = bind(pack, &catalogue).map_err(|error| error.to_string())?;
    Ok((catalogue, bound))
}

impl Pack {
    /// The pack bound to a catalogue of its own: for examples and case files, which need no registry.
    pub fn alone(&self) -> (Policy, Catalogue) {
        let (catalogue, bound) = match own_catalogue(&self.0) {
            Ok(own) => own,
            Err(error) => unreachable!("a pack loads only if it binds to its own catalogue: {error}"),
        };
        let policy = Policy {
            pack: self.clone(),
            bound: std::sync::Arc::new(bound),
        };
        (policy, catalogue)
    }

    /// Reads the people of a case file, in the form of an example without `title`, `month` and `expect`. It is for
    /// policies that [`Pack::alone`] gives.
    ///
    /// ```
    /// use ansinh::policy::Pack;
    /// let pack = Pack::vietnam();
    /// let (policy, _) = pack.alone();
    /// let month = policy.for_month("2026-06".parse()?, "2026-06-30".parse()?)?;
    /// let text = r#"
    ///     birth = "1990-05-17"
    ///     person = { disability = "severe" }
    ///     enrolled = ["disability"]
    /// "#;
    /// let people = pack.read_case("case.toml", text, month.month())?;
    /// let (name, explanation) = &people.evaluate(&month)[0];
    /// assert_eq!((name.as_str(), explanation.outcome.lines[0].amount.get()), ("1", 750_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_case(&self, file_name: &str, text: &str, month: Month) -> Result<CasePeople, PackErrors> {
        let mut report = Report::new(file_name, text);
        let mut people = None;
        if let Some(document) = parse_toml(text, &mut report) {
            let mut table = Table::new("the case", document.span(), document.get_ref());
            table.span = 0..0;
            let (_, catalogue) = self.alone();
            let reader = Reader {
                pack: &self.0,
                catalogue: &catalogue,
            };
            people = reader.people(&mut table, month, &mut report, &mut |_, _, _| {});
            table.finish(&mut report);
        }
        match (people, report.into_errors()) {
            (Some(people), None) => Ok(people),
            (_, Some(errors)) => Err(errors),
            (None, None) => unreachable!("whatever is missing was reported"),
        }
    }
}

impl CasePeople {
    /// Evaluates and explains everyone of the case: names (or places, from 1) with what the month comes to.
    pub fn evaluate(&self, month: &MonthPolicy) -> Vec<(String, Explanation)> {
        (0..self.people.len())
            .map(|at| {
                let explanation = self.with(at, month, |now, before| {
                    let mut explanation = month.explain(now, before);
                    if self.people[at].already
                        && let Some(paid) = month.already_paid()
                    {
                        explanation.outcome = paid;
                    }
                    explanation
                });
                (self.name(at), explanation)
            })
            .collect()
    }

    /// What a month comes to for one of the people.
    pub(super) fn outcome(&self, at: usize, month: &MonthPolicy) -> Outcome {
        if self.people[at].already
            && let Some(paid) = month.already_paid()
        {
            return paid;
        }
        self.with(at, month, |now, before| month.evaluate(now, before))
    }

    /// How many facts the people have, at both moments; what they share is counted for each.
    pub(super) fn facts(&self) -> usize {
        let states = self
            .people
            .iter()
            .flat_map(|person| [&person.now, &person.before]);
        let facts = states.flatten().map(|state| {
            let household = state.household.as_ref().map_or(0, |facts| facts.iter().count());
            let own = state.person.iter().count() + state.own.iter().count();
            household + own + state.commune.iter().count()
        });
        facts.sum()
    }

    /// How many people.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether there is nobody, which a case that was read never is.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    pub(super) fn name(&self, at: usize) -> String {
        let name = self.people[at].name.clone();
        name.unwrap_or_else(|| (at + 1).to_string())
    }

    fn with<T>(
        &self,
        at: usize,
        month: &MonthPolicy,
        evaluate: impl FnOnce(Option<&Case<'_>>, Option<&Case<'_>>) -> T,
    ) -> T {
        let scene = |is_now| Scene {
            people: &self.people,
            month,
            is_now,
        };
        let (scene_now, scene_before) = (scene(true), scene(false));
        let (now, before) = (Around(&scene_now, at), Around(&scene_before, at));
        let (now, before) = (now.case(), before.case());
        evaluate(now.as_ref(), before.as_ref())
    }
}

/// All people of a case at the end of the month, or of the month before.
struct Scene<'a> {
    people: &'a [CasePerson],
    month: &'a MonthPolicy,
    is_now: bool,
}

impl Scene<'_> {
    fn state(&self, at: usize) -> Option<&State> {
        let person = &self.people[at];
        if self.is_now {
            person.now.as_ref()
        } else {
            person.before.as_ref()
        }
    }

    fn dies(&self, at: usize) -> bool {
        self.is_now && self.people[at].died
    }

    fn age(&self, at: usize) -> Age {
        let age = self.month.age(self.people[at].birth);
        if self.is_now { age } else { age.month_before() }
    }
}

/// One of the people, with the others around.
struct Around<'a>(&'a Scene<'a>, usize);

impl Around<'_> {
    fn case(&self) -> Option<Case<'_>> {
        let Self(scene, at) = *self;
        let state = scene.state(at)?;
        Some(Case {
            dies: scene.dies(at),
            age: scene.age(at),
            person: &state.person,
            household: state.household.as_ref(),
            commune: &state.commune,
            province: state.province.unwrap_or(ProvinceCode::NONE),
            former_province: state.former_province.unwrap_or(ProvinceCode::NONE),
            own: Some(self),
        })
    }
}

impl Own for Around<'_> {
    fn person(&self) -> Option<PersonNumber> {
        Some(PersonNumber(self.1 as u32 + 1))
    }

    fn value(&self, attribute: AttributeNumber) -> Option<Value> {
        self.0.state(self.1)?.own.get(attribute)
    }

    fn visit(&self, group: Group, visit: &mut dyn FnMut(&Case<'_>)) -> bool {
        let Self(scene, at) = *self;
        let refers = |other: usize, attribute, to: usize| {
            let value = scene.state(other).and_then(|state| state.own.get(attribute));
            value == Some(Value::Person(PersonNumber(to as u32 + 1)))
        };
        let belongs = |other: usize| match group {
            Group::Household => other == at || !scene.people[at].elsewhere && !scene.people[other].elsewhere,
            Group::Dependants(attribute) => refers(other, attribute, at),
            Group::Reference(attribute) => refers(at, attribute, other),
        };
        for other in (0..scene.people.len()).filter(|&other| belongs(other)) {
            if let Some(case) = Around(scene, other).case().filter(|case| !case.dies) {
                visit(&case);
            }
        }
        match group {
            Group::Reference(attribute) => self.value(attribute) != Some(Value::Unknown),
            Group::Household | Group::Dependants(_) => true,
        }
    }
}

/// What is done with the rest of a person's table: the place of the person, if the case is one person's or several.
pub(super) type OnPerson<'o> = &'o mut dyn FnMut(usize, &mut Table<'_>, &mut Report<'_>);

/// Reads cases.
pub(super) struct Reader<'a> {
    pub pack: &'a PackData,
    pub catalogue: &'a Catalogue,
}

impl Reader<'_> {
    /// Reads the people of a case: of the table itself, or of its list `people`. `rest` reads what else a person's table
    /// has.
    pub fn people(
        &self,
        table: &mut Table<'_>,
        month: Month,
        report: &mut Report<'_>,
        rest: OnPerson<'_>,
    ) -> Option<CasePeople> {
        if !table.has("people") {
            let one = self.person(table, &State::default(), None, (month, &[]), report);
            rest(0, table, report);
            return Some(CasePeople { people: vec![one?] });
        }
        let mut shared = State {
            household: Some(Profile::default()),
            ..State::default()
        };
        self.shared(table, &mut shared, report);
        let mut before = shared.clone();
        if let Some(value) = table.take("before")
            && let Some(mut overlay) = super::read::table("the state before", value, report)
        {
            self.shared(&mut overlay, &mut before, report);
            overlay.finish(report);
        }
        let mut tables = table.tables("people", "one of the people", CASE_PEOPLE_MAX, report);
        let names: Vec<String> = tables
            .iter_mut()
            .map(|table| table.optional_text("name", report))
            .map(|name| name.map_or_else(String::new, |name| name.text.to_owned()))
            .collect();
        let mut people = Vec::new();
        for (at, mut table) in tables.into_iter().enumerate() {
            let name = &names[at];
            if name.is_empty() || names[..at].contains(name) {
                let place = table.span.start;
                report.add(
                    place..place + 1,
                    "each of several people needs a `name` of their own".to_owned(),
                );
            }
            table.what = format!("the person {name:?}");
            let person = self.person(&mut table, &shared, Some(&before), (month, &names), report);
            rest(at, &mut table, report);
            table.finish(report);
            people.extend(person);
        }
        if people.is_empty() {
            let place = table.span.start;
            report.add(place..place, "a case needs at least one person");
            return None;
        }
        (people.len() == names.len()).then_some(CasePeople { people })
    }

    /// Reads one person. What several people share is in `shared` and `shared_before`.
    fn person(
        &self,
        table: &mut Table<'_>,
        shared: &State,
        shared_before: Option<&State>,
        (month, names): (Month, &[String]),
        report: &mut Report<'_>,
    ) -> Option<CasePerson> {
        let span = table.span.clone();
        let birth = table.text("birth", report).and_then(|text| {
            let parsed = text.text.parse::<BirthDate>();
            parsed
                .map_err(|error| report.add(text.span, error.to_string()))
                .ok()
        });
        let elsewhere = table.boolean("elsewhere", false, report);
        let mut state = shared.clone();
        let mut before = shared_before.unwrap_or(shared).clone();
        if elsewhere {
            (state.household, before.household) = (None, None);
        }
        let facts = table.take("person");
        let enrolled = table.texts("enrolled", report);
        let enrolment = table.take("enrolment");
        let sex = table.optional_text("sex", report);
        // The facts are the same in both states, so what is wrong with them is reported once.
        let mut unheard = Report::new("", "");
        for (state, report) in [(&mut state, &mut *report), (&mut before, &mut unheard)] {
            self.own_facts(facts, &enrolled, enrolment, sex.as_ref(), names, state, report);
        }
        if shared_before.is_none() || elsewhere {
            self.shared(table, &mut state, report);
            let own = before.own.clone();
            before = State { own, ..state.clone() };
            before.own.clone_from(&state.own);
        }
        if let Some(value) = table.take("before")
            && let Some(mut overlay) = super::read::table("the state before", value, report)
        {
            let facts = overlay.take("person");
            if overlay.has("enrolled") {
                self.end_decisions(&mut before.person);
            }
            let enrolled = overlay.texts("enrolled", report);
            let enrolment = overlay.take("enrolment");
            self.own_facts(facts, &enrolled, enrolment, None, names, &mut before, report);
            self.shared(&mut overlay, &mut before, report);
            overlay.finish(report);
        }
        let (arrived, died) = (
            table.boolean("arrived", false, report),
            table.boolean("died", false, report),
        );
        let already = table.boolean("already", false, report);
        let birth = birth?;
        if birth.earliest_month() > month {
            report.add(span, format!("born in {birth}, after the month {month}"));
            return None;
        }
        let born_before = birth.earliest_month() < month;
        let name = table
            .optional_text("name", report)
            .map(|name| name.text.to_owned());
        let me = names.iter().position(|known| Some(known) == name.as_ref());
        if let Some(me) = me.map(|at| Value::Person(PersonNumber(at as u32 + 1)))
            && [&state, &before]
                .iter()
                .any(|state| state.own.iter().any(|(_, value)| value == me))
        {
            let who = name.as_deref().unwrap_or_default();
            let at = facts.map_or(span, Spanned::span);
            report.add(at, format!("{who:?} is named as somebody of their own, for example their own guardian; name somebody else"));
        }
        Some(CasePerson {
            name,
            birth,
            now: Some(state),
            died,
            before: (!arrived && born_before).then_some(before),
            elsewhere,
            already,
        })
    }

    /// The facts of one person, over what the state has.
    #[allow(clippy::too_many_arguments)]
    fn own_facts(
        &self,
        facts: Option<&Spanned<DeValue<'_>>>,
        enrolled: &[Text<'_>],
        enrolment: Option<&Spanned<DeValue<'_>>>,
        sex: Option<&Text<'_>>,
        names: &[String],
        state: &mut State,
        report: &mut Report<'_>,
    ) {
        if let Some(sex) = sex {
            let value = match sex.text {
                "male" => Some(Value::Enum(0)),
                "female" => Some(Value::Enum(1)),
                "unknown" => Some(Value::Unknown),
                _ => None,
            };
            if value.is_none() {
                report.add(sex.span.clone(), "expected male, female or unknown");
            }
            state.person.set(builtin::SEX, value);
        }
        for programme in enrolled {
            self.enrol(programme, "active", &mut state.person, report);
        }
        if let Some(value) = enrolment
            && let Some(mut states) = super::read::table("enrolment", value, report)
        {
            for (programme, value) in states.rest() {
                if enrolled.iter().any(|active| active.text == programme.text) {
                    report.add_with(
                        programme.span.clone(),
                        format!(
                            "the decision of {:?} is given twice: in `enrolled`, so active, and here",
                            programme.text
                        ),
                        Some("leave it out of one of them".to_owned()),
                    );
                    continue;
                }
                let word = scalar(value.get_ref()).unwrap_or_default();
                self.enrol(&programme, &word, &mut state.person, report);
            }
        }
        if let Some(value) = facts {
            let (person, own) = (&mut state.person, &mut state.own);
            self.facts(SubjectKind::Person, value, names, (person, own), report);
        }
    }

    /// The facts of the household and the commune, and the place, over what the state has.
    fn shared(&self, table: &mut Table<'_>, state: &mut State, report: &mut Report<'_>) {
        if let Some(value) = table.take("household") {
            let household = state.household.get_or_insert_default();
            self.facts(
                SubjectKind::Household,
                value,
                &[],
                (household, &mut state.own),
                report,
            );
        }
        if let Some(value) = table.take("commune") {
            let (commune, own) = (&mut state.commune, &mut state.own);
            self.facts(SubjectKind::Commune, value, &[], (commune, own), report);
        }
        for (key, place) in [
            ("province", &mut state.province),
            ("former_province", &mut state.former_province),
        ] {
            if let Some(code) = table.optional_text(key, report) {
                match code.text.parse() {
                    Ok(code) => *place = Some(code),
                    Err(error) => report.add(code.span, format!("{key}: {error}")),
                }
            }
        }
    }

    /// Takes away the active decisions: a list of them stands for all that there are.
    fn end_decisions(&self, person: &mut Profile) {
        const ACTIVE: u16 = EnrolmentState::Active as u16;
        for rule in &self.pack.programmes {
            let name = enrolment_attribute_name(&rule.id);
            if let Ok(attribute) = self.catalogue.attribute(SubjectKind::Person, &name)
                && person.get(attribute.number) == Some(Value::Enum(ACTIVE))
            {
                person.set(attribute.number, None);
            }
        }
    }

    fn enrol(&self, programme: &Text<'_>, word: &str, person: &mut Profile, report: &mut Report<'_>) {
        let name = enrolment_attribute_name(programme.text);
        let parsed = self
            .catalogue
            .attribute(SubjectKind::Person, &name)
            .and_then(|attribute| attribute.parse(word).map(|value| (attribute.number, value)));
        match parsed {
            Ok((number, value)) => person.set(number, Some(value)),
            Err(error) => report.add(programme.span.clone(), error.to_string()),
        }
    }

    fn facts(
        &self,
        subject: SubjectKind,
        value: &Spanned<DeValue<'_>>,
        names: &[String],
        (profile, own): (&mut Profile, &mut Profile),
        report: &mut Report<'_>,
    ) {
        let Some(mut facts) = super::read::table("facts", value, report) else {
            return;
        };
        for (name, value) in facts.rest() {
            let attribute = match self.catalogue.attribute(subject, name.text) {
                Ok(attribute) => attribute,
                Err(error) => {
                    report.add(name.span, error.to_string());
                    continue;
                }
            };
            match fact(attribute, &scalar(value.get_ref()).unwrap_or_default(), names) {
                Ok(parsed) if attribute.in_profile() => profile.set(attribute.number, Some(parsed)),
                Ok(parsed) => own.set(attribute.number, Some(parsed)),
                Err((problem, hint)) => report.add_with(value.span(), problem, hint),
            }
        }
    }

    /// Reports a programme that is not declared.
    pub fn programme(&self, name: &Text<'_>, report: &mut Report<'_>) {
        let known = || self.pack.programmes.iter().map(|rule| rule.id.as_str());
        if !known().any(|id| id == name.text) {
            report.add_with(
                name.span.clone(),
                format!("the programme {:?} is not declared", name.text),
                did_you_mean(nearest(name.text, known())),
            );
        }
    }
}

/// A value; a reference is the name of one of the people.
fn fact(attribute: &Attribute, text: &str, names: &[String]) -> Result<Value, (String, Option<String>)> {
    if attribute.kind != ValueKind::Person || text == "unknown" {
        return attribute.parse(text).map_err(|error| (error.to_string(), None));
    }
    let found = names.iter().position(|name| name == text);
    found
        .map(|at| Value::Person(PersonNumber(at as u32 + 1)))
        .ok_or_else(|| {
            let known = names.iter().map(String::as_str);
            let problem = format!(
                "{} refers to {text:?}, who is none of the people of the case",
                attribute.name
            );
            (problem, did_you_mean(nearest(text, known)))
        })
}
