//! Words: explanations as an officer would write them, in Vietnamese or English.
//!
//! Everything is written from the structures of an [`Explanation`](super::Explanation) and from the titles and labels
//! of the pack; nothing is worked out here.

mod expression;
mod form;

pub use form::{birth, capital, cite, date, money, month, number, total};

use expression::{Writer, builtin_title};

use super::bind::Policy;
use super::explain::{
    AmountExplanation, ClausePart, Competitor, ConditionExplanation, GroupExplanation, GroupRead,
    MemberChoice, MemberExplanation, ParameterRead, Read, Step, Working,
};
use super::expr::check::AttributeIndex;
use super::expr::eval::GroupNode;
use super::expr::range::{Fault, Truth};
use super::expr::uses::Collector;
use super::outcome::{Basis, Lang, Line, LineReason, Reason, fault_text};
use super::pack::{Combination, Excluder, PackData};
use super::parameter::{Area, Unit};
use crate::kernel::catalogue::builtin;
use crate::types::{AttributeNumber, Decimal, Dong, ProgrammeNumber, Value};

/// Writes one explanation in one language. Sentences begin without a capital and end without a full stop, so that they
/// fit anywhere; see [`capital`].
///
/// ```
/// use ansinh::policy::{Lang, Pack, words::Words};
/// let pack = Pack::vietnam();
/// let (policy, _) = pack.alone();
/// let month = policy.for_month("2026-06".parse()?, "2026-06-30".parse()?)?;
/// let text = "birth = \"1990-05-17\"\nperson = { disability = \"severe\" }\nenrolled = [\"disability\"]";
/// let people = pack.read_case("case.toml", text, month.month())?;
/// let (_, explanation) = &people.evaluate(&month)[0];
/// let disability = explanation.programmes.iter().find(|programme| programme.id == "disability").unwrap();
/// let state = disability.end_of_month.as_ref().unwrap();
/// let words = Words::new(&policy, Lang::Vi);
/// assert_eq!(words.condition(&state.conditions[0]), "mức độ khuyết tật: nặng hoặc đặc biệt nặng");
/// let amount = state.amount.as_ref().unwrap();
/// assert_eq!(words.calculation(amount).unwrap(), "500.000 đ × 1,5 = 750.000 đ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Words<'p> {
    policy: &'p Policy,
    lang: Lang,
    hides: fn(&str) -> bool,
}

impl std::fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Words")
            .field("lang", &self.lang)
            .finish_non_exhaustive()
    }
}

impl<'p> Words<'p> {
    /// Words with the titles of a policy's pack.
    pub const fn new(policy: &'p Policy, lang: Lang) -> Self {
        const fn nothing(_: &str) -> bool {
            false
        }
        Self {
            policy,
            lang,
            hides: nothing,
        }
    }

    /// Withholds what has certain names: programmes, attributes, and conditions that read such an attribute.
    #[must_use]
    pub const fn hiding(mut self, hides: fn(&str) -> bool) -> Self {
        self.hides = hides;
        self
    }

    /// The language.
    pub const fn lang(&self) -> Lang {
        self.lang
    }

    fn pack(&self) -> &'p PackData {
        &self.policy.pack.0
    }

    fn writer(&self) -> Writer<'p> {
        Writer {
            pack: self.pack(),
            lang: self.lang,
        }
    }

    fn pick(&self, vi: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Vi => vi,
            Lang::En => en,
        }
    }

    /// What stands for what is withheld.
    pub fn withheld(&self) -> &'static str {
        self.pick("thông tin được bảo mật", "withheld")
    }

    /// The title of a programme.
    pub fn programme(&self, number: ProgrammeNumber) -> String {
        let place = self
            .policy
            .bound
            .programmes
            .iter()
            .position(|&known| known == number);
        match place {
            None => number.to_string(),
            Some(place) if self.hides_place(place) => self.withheld().to_owned(),
            Some(place) => self.writer().programme_title(place),
        }
    }

    /// Whether the title of a programme is withheld.
    pub fn hides_programme(&self, number: ProgrammeNumber) -> bool {
        let place = self
            .policy
            .bound
            .programmes
            .iter()
            .position(|&known| known == number);
        place.is_some_and(|place| self.hides_place(place))
    }

    /// Whether a programme is withheld: by its name, or because its conditions ask for what is withheld. That it asks for
    /// decisions of such a programme, as a funeral support does, does not make it one.
    fn hides_place(&self, place: usize) -> bool {
        let rule = &self.pack().programmes[place];
        let mut collector = Collector::new(None);
        for clause in &rule.conditions {
            collector.condition(&clause.condition);
        }
        let mut read = collector.uses.attributes.iter().map(|&index| self.name_of(index));
        (self.hides)(&rule.id) || read.any(|name| !name.starts_with("enrolment.") && (self.hides)(name))
    }

    fn quoted(&self, number: ProgrammeNumber) -> String {
        format!("“{}”", self.programme(number))
    }

    fn index_of(&self, attribute: AttributeNumber) -> Option<AttributeIndex> {
        let mut bound = self.policy.bound.attributes.iter();
        bound.position(|bound| bound.attribute.number == attribute)
    }

    fn name_of(&self, index: AttributeIndex) -> &'p str {
        &self.pack().scope.attributes[index].name
    }

    /// The title of an attribute, as within a sentence.
    pub fn attribute(&self, attribute: AttributeNumber) -> String {
        match self.index_of(attribute) {
            Some(index) if (self.hides)(self.name_of(index)) => self.withheld().to_owned(),
            Some(index) => self.writer().attribute(index),
            None => builtin_title(attribute, self.lang).map_or_else(|| attribute.to_string(), str::to_owned),
        }
    }

    /// A value of an attribute. That of a reference to a person is the person's number.
    pub fn value(&self, attribute: AttributeNumber, value: Value) -> String {
        let index = self.index_of(attribute);
        if index.is_some_and(|index| (self.hides)(self.name_of(index))) {
            return self.withheld().to_owned();
        }
        match value {
            Value::Unknown => self.pick("chưa rõ", "not known").to_owned(),
            Value::Bool(yes) => self.yes_or_no(yes).to_owned(),
            Value::Integer(value) => form::number(value.into(), self.lang),
            Value::Money(amount) => form::money(amount, self.lang),
            Value::Date(date) => form::date(date, self.lang),
            Value::Birth(birth) => form::birth(birth, self.lang),
            Value::Enum(_) => match index {
                Some(index) => {
                    let attribute = &self.policy.bound.attributes[index].attribute;
                    let name = attribute.text(value);
                    self.writer()
                        .value_named(attribute.subject, &attribute.name, &name)
                }
                None => format!("{value:?}"),
            },
            Value::Person(person) => match self.lang {
                Lang::Vi => format!("người số {}", person.get()),
                Lang::En => person.to_string(),
            },
        }
    }

    fn yes_or_no(&self, yes: bool) -> &'static str {
        match (yes, self.lang) {
            (true, Lang::Vi) => "có",
            (true, Lang::En) => "yes",
            (false, Lang::Vi) => "không",
            (false, Lang::En) => "no",
        }
    }

    /// A fact that was read: what it is, and its value.
    pub fn read(&self, read: &Read) -> (String, String) {
        if self.hides_read(read) {
            return (self.withheld().to_owned(), self.withheld().to_owned());
        }
        if let Some(group) = &read.group {
            return (self.group(group), self.group_value(read, group));
        }
        let (title, unit) = match read.name.as_str() {
            "age" => (self.pick("tuổi", "age"), self.pick(" tuổi", " years")),
            "age_months" => (
                self.pick("tháng tuổi", "age in months"),
                self.pick(" tháng tuổi", " months"),
            ),
            "province" => (self.pick("mã tỉnh, thành phố", "code of the province"), ""),
            "former_province" => (
                self.pick(
                    "mã tỉnh, thành phố trước ngày 01/07/2025",
                    "code of the province before 2025-07-01",
                ),
                "",
            ),
            _ => {
                let attribute = read.attribute.unwrap_or(builtin::BIRTH);
                return (self.attribute(attribute), self.value(attribute, read.value));
            }
        };
        let value = match self.lang {
            Lang::Vi => read.text.replace(" to ", " đến "),
            Lang::En => read.text.clone(),
        };
        (title.to_owned(), format!("{value}{unit}"))
    }

    fn group(&self, group: &GroupRead) -> String {
        match &group.node {
            GroupNode::Condition(condition) => self.writer().condition(condition),
            GroupNode::Number(number) => self.writer().number(number),
        }
    }

    fn group_value(&self, read: &Read, group: &GroupRead) -> String {
        if group.unsure {
            return self
                .pick("chưa rõ gồm những ai", "not known who belongs to it")
                .to_owned();
        }
        let value = match (read.value, &group.node) {
            (Value::Bool(yes), _) => self.yes_or_no(yes).to_owned(),
            (Value::Integer(value), GroupNode::Number(number)) => {
                form::quantity(value.into(), self.pack().is_money(number), self.lang)
            }
            (Value::Unknown, GroupNode::Condition(_)) => self.pick("chưa rõ", "not known").to_owned(),
            _ => match self.lang {
                Lang::Vi => read.text.replace(" to ", " đến ").replace(" or more", " trở lên"),
                Lang::En => read.text.clone(),
            },
        };
        match self.lang {
            Lang::Vi => format!("{value} (xét {} người)", group.size),
            Lang::En => format!("{value} (of {} people)", group.size),
        }
    }

    fn hides_read(&self, read: &Read) -> bool {
        let in_group = |group: &GroupRead| {
            self.hides_uses(|collector| match &group.node {
                GroupNode::Condition(condition) => collector.condition(condition),
                GroupNode::Number(number) => collector.number(number),
            })
        };
        (self.hides)(&read.name) || read.group.as_ref().is_some_and(in_group)
    }

    /// Whether an expression may read, of the person or of others, what is withheld.
    fn hides_uses(&self, visit: impl FnOnce(&mut Collector<'_>)) -> bool {
        let mut collector = Collector::new(None);
        visit(&mut collector);
        let uses = collector.uses;
        let of_others = uses.others.iter().flat_map(|others| &others.attributes);
        let mut read = uses.attributes.iter().chain(of_others);
        read.any(|&index| (self.hides)(self.name_of(index)))
    }

    /// Whether a condition, and what it came to, may not be shown: it may ask for what is withheld. Whether it did in
    /// this case makes no difference, since that would tell something too.
    pub fn hides_condition(&self, condition: &ConditionExplanation) -> bool {
        let rule = &self.pack().programmes[condition.at.programme];
        let asked = match condition.at.part {
            ClausePart::Condition(place) => &rule.conditions[place].condition,
            ClausePart::Provincial(place) => &rule.provincial[place].clause.condition,
            ClausePart::Exclusion(place) => match &rule.exclusions[place].excluder {
                Excluder::Condition { clause, .. } => &clause.condition,
                Excluder::Programme { programme, .. } => {
                    return (self.hides)(&rule.id) || (self.hides)(&self.pack().programmes[*programme].id);
                }
            },
        };
        (self.hides)(&rule.id) || self.hides_uses(|collector| collector.condition(asked))
    }

    /// Whether how an amount was worked out may not be shown.
    pub fn hides_amount(&self, amount: &AmountExplanation) -> bool {
        amount.reads.iter().any(|read| self.hides_read(read))
    }

    /// What a condition or an exclusion asks.
    pub fn condition(&self, condition: &ConditionExplanation) -> String {
        if self.hides_condition(condition) {
            return self.withheld().to_owned();
        }
        let rule = &self.pack().programmes[condition.at.programme];
        let writer = self.writer();
        match condition.at.part {
            ClausePart::Condition(place) => writer.condition(&rule.conditions[place].condition),
            ClausePart::Provincial(place) => {
                let widening = &rule.provincial[place];
                let asked = writer.condition(&widening.clause.condition);
                match self.lang {
                    Lang::Vi => format!("hoặc, tại {}: {asked}", self.area(widening.area)),
                    Lang::En => format!("or, in {}: {asked}", self.area(widening.area)),
                }
            }
            ClausePart::Exclusion(place) => match &rule.exclusions[place].excluder {
                Excluder::Condition { clause, .. } => writer.condition(&clause.condition),
                Excluder::Programme { programme, .. } => {
                    let title = writer.programme_title(*programme);
                    match self.lang {
                        Lang::Vi => format!("được hưởng “{title}”"),
                        Lang::En => format!("entitled to “{title}”"),
                    }
                }
            },
        }
    }

    /// Whether a condition holds.
    pub fn truth(&self, truth: Result<Truth, Fault>) -> &'static str {
        match truth {
            Ok(Truth::True) => self.pick("đúng", "yes"),
            Ok(Truth::False) => self.pick("không", "no"),
            Ok(Truth::Undetermined) => self.pick("chưa xác định", "not known"),
            Err(fault) => self.fault(fault),
        }
    }

    /// Why something has no result.
    pub fn fault(&self, fault: Fault) -> &'static str {
        fault_text(fault, self.lang)
    }

    fn area(&self, area: Area) -> String {
        match (area, self.lang) {
            (Area::Province(code), Lang::Vi) => format!("tỉnh, thành phố mã số {code:02}"),
            (Area::Former(code), Lang::Vi) => {
                format!("địa bàn tỉnh, thành phố trước ngày 01/07/2025 mã số {code:02}")
            }
            (area, Lang::En) => area.to_string(),
        }
    }

    /// The rule of an amount; where it is certain, with only the cases that applied.
    pub fn amount(&self, at: ProgrammeNumber, amount: &AmountExplanation) -> String {
        if self.hides_amount(amount) {
            return self.withheld().to_owned();
        }
        if let Some(working) = &amount.working {
            return self.written(working, amount, Show::Titles, (0, true));
        }
        let place = self.policy.bound.programmes.iter().position(|&known| known == at);
        place.map_or_else(
            || amount.text.clone(),
            |place| self.writer().number(&self.pack().programmes[place].amount.number),
        )
    }

    /// The calculation of an amount in numbers; `None` if it is not certain.
    pub fn calculation(&self, amount: &AmountExplanation) -> Option<String> {
        if self.hides_amount(amount) {
            return None;
        }
        let working = amount.working.as_ref()?;
        let value = form::quantity(working.value, true, self.lang);
        Some(match working.step {
            Step::Constant | Step::Figure(_) | Step::Fact(_) => value,
            _ => format!(
                "{} = {value}",
                self.written(working, amount, Show::Values, (0, true))
            ),
        })
    }

    /// What an amount came to.
    pub fn came_to(&self, amount: &AmountExplanation) -> String {
        match amount.amount {
            Ok((least, most)) => self.between(least, most),
            Err(fault) => self.fault(fault).to_owned(),
        }
    }

    fn between(&self, least: Dong, most: Option<Dong>) -> String {
        let one = |amount| form::money(amount, self.lang);
        match (most, self.lang) {
            (Some(most), _) if most == least => one(least),
            (Some(most), Lang::Vi) => format!("từ {} đến {}", one(least), one(most)),
            (Some(most), Lang::En) => format!("{} to {}", one(least), one(most)),
            (None, Lang::Vi) => format!("từ {} trở lên", one(least)),
            (None, Lang::En) => format!("{} or more", one(least)),
        }
    }

    /// Writes a working with titles or with values. Around it stands nothing (0), a sum (1) or a product (2), in which
    /// constants are amounts in đồng or not.
    fn written(
        &self,
        working: &Working,
        amount: &AmountExplanation,
        show: Show,
        (around, money): (u8, bool),
    ) -> String {
        let all = |items: &[Working]| {
            let items = items.iter();
            let items: Vec<String> = items
                .map(|item| self.written(item, amount, show, (0, working.is_money)))
                .collect();
            items.join("; ")
        };
        match &working.step {
            Step::Constant => form::quantity(working.value, money, self.lang),
            Step::Figure(_) | Step::Fact(_) if show == Show::Values => {
                form::quantity(working.value, working.is_money, self.lang)
            }
            Step::Figure(name) => {
                let figure = amount.parameters.iter().find(|figure| figure.name == *name);
                figure.map_or_else(|| name.clone(), |figure| self.figure_within(figure))
            }
            Step::Fact(name) => {
                let read = amount.reads.iter().find(|read| read.name == *name);
                read.map_or_else(|| name.clone(), |read| self.read(read).0)
            }
            Step::Sum(terms) => {
                let text = self.written_sum(terms, amount, show, working.is_money);
                if around == 2 && terms.len() > 1 {
                    format!("({text})")
                } else {
                    text
                }
            }
            Step::Product(factors) => {
                let factors = factors.iter();
                let factors: Vec<String> = factors
                    .map(|factor| self.written(factor, amount, show, (2, false)))
                    .collect();
                factors.join(" × ")
            }
            Step::Least(items) => {
                format!(
                    "{} ({})",
                    self.pick("mức thấp nhất trong", "the least of"),
                    all(items)
                )
            }
            Step::Greatest(items) => {
                format!(
                    "{} ({})",
                    self.pick("mức cao nhất trong", "the greatest of"),
                    all(items)
                )
            }
            Step::Rounded {
                number,
                divisor,
                step,
                rounding,
            } => {
                let mut text = self.written(number, amount, show, (2, number.is_money));
                if let Some(divisor) = divisor {
                    let divisor = self.written(divisor, amount, show, (2, divisor.is_money));
                    text = format!("{text} {} {divisor}", self.pick("chia cho", "divided by"));
                }
                let rounding = self.writer().rounding(*step, working.is_money, *rounding);
                format!("({text}, {rounding})")
            }
        }
    }

    fn written_sum(
        &self,
        terms: &[(bool, Working)],
        amount: &AmountExplanation,
        show: Show,
        money: bool,
    ) -> String {
        let mut text = String::new();
        for (place, (subtracted, term)) in terms.iter().enumerate() {
            text.push_str(match (place, subtracted) {
                (0, false) => "",
                (0, true) => "−",
                (_, false) => " + ",
                (_, true) => " − ",
            });
            let around = if *subtracted { 2 } else { 1 };
            text.push_str(&self.written(term, amount, show, (around, money)));
        }
        text
    }

    /// A figure within a sentence: its title, and the row of a table.
    fn figure_within(&self, figure: &ParameterRead) -> String {
        let title = form::lower(self.figure_title(figure));
        match row_of(figure) {
            Some(row) => format!("{title}, {} {row}", self.pick("dòng", "row")),
            None => title,
        }
    }

    fn figure_title<'r>(&self, figure: &'r ParameterRead) -> &'r str {
        match self.lang {
            Lang::Vi => &figure.title_vi,
            Lang::En => &figure.title_en,
        }
    }

    /// A figure that was used: title, value, and the area that set it.
    pub fn figure_brief(&self, figure: &ParameterRead) -> String {
        let title = self.figure_title(figure);
        let title = match row_of(figure) {
            Some(row) => format!("{title}, {} {row}", self.pick("dòng", "row")),
            None => title.to_owned(),
        };
        let value = form::quantity(figure.value.value, figure.unit == Unit::Dong, self.lang);
        let area = figure.area.map_or_else(String::new, |area| match self.lang {
            Lang::Vi => format!(" tại {}", self.area(area)),
            Lang::En => format!(" in {}", self.area(area)),
        });
        format!("{title}: {value}{area}")
    }

    /// As [`Words::figure_brief`], with the months in which it applies, its source and its mark.
    pub fn figure(&self, figure: &ParameterRead) -> String {
        let brief = self.figure_brief(figure);
        let dates = figure.value.dates;
        let from = form::month(dates.from, self.lang);
        let until = dates.until.map_or_else(String::new, |until| match self.lang {
            Lang::Vi => format!(" đến hết tháng {}", form::month(until, self.lang)),
            Lang::En => format!(" until {}", form::month(until, self.lang)),
        });
        let source = form::cite(&figure.value.source, self.lang);
        let mark = figure.value.confidence;
        match self.lang {
            Lang::Vi => format!("{brief}, áp dụng từ tháng {from}{until}; {source} [{mark}]"),
            Lang::En => format!("{brief}, applies from {from}{until}; {source} [{mark}]"),
        }
    }

    /// The primary reason of an outcome.
    pub fn reason(&self, reason: &Reason) -> String {
        match self.lang {
            Lang::Vi => self.reason_vi(*reason),
            Lang::En => self.reason_en(*reason),
        }
    }

    fn reason_vi(&self, reason: Reason) -> String {
        let title = |number| self.quoted(number);
        match reason {
            Reason::Entitled => "đủ điều kiện hưởng".to_owned(),
            Reason::Undetermined => "chưa xác định được vì còn thông tin chưa rõ".to_owned(),
            Reason::Fault(fault) => self.fault(fault).to_owned(),
            Reason::NotPresent => "đã chết hoặc không cư trú tại địa bàn quản lý trong tháng".to_owned(),
            Reason::Suspended(p) => format!("quyết định hưởng {} đang tạm dừng", title(p)),
            Reason::BeginsNextMonth(p) => format!("đủ điều kiện hưởng {} kể từ tháng sau", title(p)),
            Reason::NothingDue(p) => format!("đủ điều kiện hưởng {} nhưng mức hưởng bằng 0", title(p)),
            Reason::NotEnrolled(p) => format!("đủ điều kiện nhưng chưa có quyết định hưởng {}", title(p)),
            Reason::Excluded(p, by) => {
                format!(
                    "không được hưởng {} vì thuộc trường hợp loại trừ: {}",
                    title(p),
                    self.attribute(by)
                )
            }
            Reason::ExcludedByProgramme(p, by) => {
                format!("không được hưởng {} vì được hưởng {}", title(p), title(by))
            }
            Reason::NoLongerQualifies(p) => {
                format!("có quyết định hưởng {} nhưng không còn đủ điều kiện", title(p))
            }
            Reason::MayQualify(p) => {
                format!(
                    "có thể đủ điều kiện hưởng {}, nhưng còn thông tin chưa rõ và chưa có quyết định",
                    title(p)
                )
            }
            Reason::AlreadyPaid(p) => format!("đã được chi trả một lần {}", title(p)),
            Reason::NoProgramme => "không thuộc diện hưởng chế độ nào".to_owned(),
        }
    }

    fn reason_en(&self, reason: Reason) -> String {
        let title = |number| self.quoted(number);
        match reason {
            Reason::Entitled => "entitled".to_owned(),
            Reason::Undetermined => "undetermined, because something is not known".to_owned(),
            Reason::Fault(fault) => self.fault(fault).to_owned(),
            Reason::NotPresent => "not alive and present in the month".to_owned(),
            Reason::Suspended(p) => format!("the decision on {} is suspended", title(p)),
            Reason::BeginsNextMonth(p) => format!("entitled to {} from the month after", title(p)),
            Reason::NothingDue(p) => format!("entitled to {}, but the amount is zero", title(p)),
            Reason::NotEnrolled(p) => format!("qualifies for {}, but there is no decision", title(p)),
            Reason::Excluded(p, by) => format!("excluded from {} by: {}", title(p), self.attribute(by)),
            Reason::ExcludedByProgramme(p, by) => {
                format!("excluded from {} by being entitled to {}", title(p), title(by))
            }
            Reason::NoLongerQualifies(p) => {
                format!("has a decision on {}, but no longer qualifies", title(p))
            }
            Reason::MayQualify(p) => {
                format!(
                    "may qualify for {}, but something is not known and there is no decision",
                    title(p)
                )
            }
            Reason::AlreadyPaid(p) => format!("was paid {} once before", title(p)),
            Reason::NoProgramme => "meets the conditions of no programme".to_owned(),
        }
    }

    /// Why a line stands.
    pub fn line(&self, line: &Line) -> String {
        let before = line.basis == Basis::EndOfMonthBefore;
        let names = |attributes: &[AttributeNumber]| {
            let names: Vec<String> = attributes
                .iter()
                .map(|&attribute| self.attribute(attribute))
                .collect();
            names.join(", ")
        };
        match (&line.reason, self.lang) {
            (LineReason::Fault(fault), _) => self.fault(*fault).to_owned(),
            (LineReason::Entitled, Lang::Vi) if before => {
                "hết điều kiện trong tháng: vẫn hưởng hết tháng, thôi hưởng từ tháng sau".to_owned()
            }
            (LineReason::Entitled, Lang::En) if before => {
                "a condition was lost in the month, which is still paid in full; it stops from the next"
                    .to_owned()
            }
            (LineReason::Entitled, _) => self.reason(&Reason::Entitled),
            (LineReason::Unknown(attributes), Lang::Vi) => {
                format!("tạm giữ vì chưa rõ: {}", names(attributes))
            }
            (LineReason::Unknown(attributes), Lang::En) => {
                format!("held, because not known: {}", names(attributes))
            }
            (LineReason::UnknownWithoutLimit(attributes), Lang::Vi) => {
                format!(
                    "tạm giữ, chưa tính được mức tối đa, vì chưa rõ: {}",
                    names(attributes)
                )
            }
            (LineReason::UnknownWithoutLimit(attributes), Lang::En) => {
                format!(
                    "held, the greatest amount is open, because not known: {}",
                    names(attributes)
                )
            }
        }
    }

    /// How a group combined what competed in it: a sentence for each group within it that had a choice, then its own.
    pub fn combination(&self, group: &GroupExplanation) -> Vec<String> {
        let mut sentences = Vec::new();
        self.within(group, &mut sentences);
        sentences.push(self.combined(group));
        sentences
    }

    fn within(&self, group: &GroupExplanation, sentences: &mut Vec<String>) {
        for member in &group.members {
            if let Competitor::Group(inner) = &member.what {
                self.within(inner, sentences);
                if inner.members.len() > 1 {
                    sentences.push(self.combined(inner));
                }
            }
        }
    }

    fn combined(&self, group: &GroupExplanation) -> String {
        let cite = form::cite(&group.cite, self.lang);
        let rule = match (group.combination, self.lang) {
            (Combination::Highest, Lang::Vi) => "chỉ hưởng mức cao nhất".to_owned(),
            (Combination::Highest, Lang::En) => "only the highest is paid".to_owned(),
            (Combination::Sum, Lang::Vi) => "các mức được hưởng đồng thời".to_owned(),
            (Combination::Sum, Lang::En) => "each is paid".to_owned(),
            (Combination::AtMost(most), Lang::Vi) => format!("hưởng tối đa {most} mức, lấy các mức cao nhất"),
            (Combination::AtMost(most), Lang::En) => format!("at most {most} are paid, the highest ones"),
        };
        let exception = group.exception.as_ref().map_or_else(String::new, |exception| {
            let exception = form::cite(exception, self.lang);
            match self.lang {
                Lang::Vi => format!(", trừ trường hợp được hưởng đồng thời theo {exception}"),
                Lang::En => format!(", with the exception of {exception}, by which both are paid"),
            }
        });
        let of = |choice| {
            let shown = |member: &&MemberExplanation| {
                // What is withheld and not paid is not mentioned at all.
                member.choice == choice && (choice != MemberChoice::NotChosen || !self.hides_member(member))
            };
            let members = group.members.iter().filter(shown);
            members.map(|member| self.member(member)).collect::<Vec<String>>()
        };
        let (chosen, possible, not) = (
            of(MemberChoice::Chosen),
            of(MemberChoice::Possible),
            of(MemberChoice::NotChosen),
        );
        let mut parts = Vec::new();
        if !chosen.is_empty() {
            parts.push(chosen.join(self.pick(" và ", " and ")));
        }
        if !possible.is_empty() {
            let what = self.pick(
                "tạm giữ vì còn thông tin chưa rõ",
                "held, because something is not known",
            );
            parts.push(format!("{what}: {}", possible.join(", ")));
        }
        if !not.is_empty() {
            parts.push(format!(
                "{}: {}",
                self.pick("không hưởng", "not paid"),
                not.join(", ")
            ));
        }
        let parts = parts.join("; ");
        match self.lang {
            Lang::Vi => format!("theo {cite}, {rule}{exception}: {parts}"),
            Lang::En => format!("under {cite}, {rule}{exception}: {parts}"),
        }
    }

    fn hides_member(&self, member: &MemberExplanation) -> bool {
        match &member.what {
            Competitor::Programme(number) => self.hides_programme(*number),
            Competitor::Group(group) => group.members.iter().any(|member| self.hides_member(member)),
        }
    }

    fn member(&self, member: &MemberExplanation) -> String {
        let amount = self.between(member.least, member.most);
        match &member.what {
            Competitor::Programme(number) => format!("{} {amount}", self.quoted(*number)),
            Competitor::Group(group) => {
                let mut titles = Vec::new();
                self.chosen_in(group, &mut titles);
                let titles = titles.join(self.pick(" và ", " and "));
                match self.lang {
                    Lang::Vi if group.members.len() > 1 => format!("tổng của {titles} {amount}"),
                    Lang::En if group.members.len() > 1 => format!("the total of {titles} {amount}"),
                    _ => format!("{titles} {amount}"),
                }
            }
        }
    }

    /// The programmes that a group and those within it choose.
    fn chosen_in(&self, group: &GroupExplanation, titles: &mut Vec<String>) {
        for member in group
            .members
            .iter()
            .filter(|member| member.choice != MemberChoice::NotChosen)
        {
            match &member.what {
                Competitor::Programme(number) => titles.push(self.quoted(*number)),
                Competitor::Group(inner) => self.chosen_in(inner, titles),
            }
        }
    }

    /// A legal source.
    pub fn cite(&self, cite: &str) -> String {
        form::cite(cite, self.lang)
    }

    /// A number.
    pub fn number(&self, number: Decimal) -> String {
        form::number(number, self.lang)
    }
}

/// The row of a table that a figure is.
fn row_of(figure: &ParameterRead) -> Option<&str> {
    let (_, row) = figure.name.split_once('(')?;
    row.strip_suffix(')')
}

/// What stands for the figures and facts of a calculation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    Titles,
    Values,
}

#[cfg(test)]
mod tests;
