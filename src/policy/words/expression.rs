//! Expressions in words.

use super::form;
use crate::kernel::catalogue::{SubjectKind, ValueKind, builtin};
use crate::policy::expr::check::{AttributeIndex, Bands, Cases, Condition, Day, GroupRef, Key, Number};
use crate::policy::expr::parse::Comparison;
use crate::policy::load::SEX_INDEX;
use crate::policy::outcome::Lang;
use crate::policy::pack::{AttributeRule, PackData};
use crate::types::{Decimal, Rounding};

/// Up to so many other values, "not this one" is said as "one of the others".
const OTHERS_MAX: usize = 3;

/// Writes the expressions of a pack in one language. What it writes has no capital at its beginning.
#[derive(Clone, Copy)]
pub(super) struct Writer<'p> {
    pub pack: &'p PackData,
    pub lang: Lang,
}

impl Writer<'_> {
    pub fn pick<'t>(&self, vi: &'t str, en: &'t str) -> &'t str {
        match self.lang {
            Lang::Vi => vi,
            Lang::En => en,
        }
    }

    fn rule_of(&self, subject: SubjectKind, name: &str) -> Option<&AttributeRule> {
        let mut rules = self.pack.attributes.iter();
        rules.find(|rule| rule.declaration.subject == subject && rule.declaration.name == name)
    }

    /// The title of an attribute, as within a sentence.
    pub fn attribute(&self, index: AttributeIndex) -> String {
        if index == SEX_INDEX {
            return self.pick("giới tính", "sex").to_owned();
        }
        let attribute = &self.pack.scope.attributes[index];
        if let Some(programme) = self.enrolled_in(&attribute.name) {
            let programme = self.programme_title(programme);
            return match self.lang {
                Lang::Vi => format!("quyết định hưởng “{programme}”"),
                Lang::En => format!("decision on “{programme}”"),
            };
        }
        match self.rule_of(attribute.subject, &attribute.name) {
            Some(rule) => form::lower(self.pick(&rule.title_vi, &rule.title_en)),
            None => attribute.name.replace('_', " "),
        }
    }

    /// The place of the programme whose enrolments an attribute holds.
    fn enrolled_in(&self, attribute: &str) -> Option<usize> {
        let name = attribute.strip_prefix("enrolment.")?;
        self.pack.programmes.iter().position(|rule| rule.id == name)
    }

    /// The title of a programme, by its place in the pack.
    pub fn programme_title(&self, place: usize) -> String {
        let rule = &self.pack.programmes[place];
        self.pick(&rule.title_vi, &rule.title_en).to_owned()
    }

    /// A declared value of an `enum`, by its place in the declaration.
    fn value(&self, index: AttributeIndex, place: u16) -> String {
        let attribute = &self.pack.scope.attributes[index];
        let value = attribute
            .values
            .get(usize::from(place))
            .map_or("", String::as_str);
        self.value_named(attribute.subject, &attribute.name, value)
    }

    /// A value of an `enum` by its name.
    pub fn value_named(&self, subject: SubjectKind, attribute: &str, value: &str) -> String {
        if self.enrolled_in(attribute).is_some() {
            return self.enrolment(value).to_owned();
        }
        let rule = self.rule_of(subject, attribute);
        let label = rule.and_then(|rule| rule.labels.iter().find(|label| label.value == value));
        if let Some(label) = label {
            return self.pick(&label.vi, &label.en).to_owned();
        }
        match value {
            "none" => self.pick("không", "none").to_owned(),
            "yes" => self.pick("có", "yes").to_owned(),
            "no" => self.pick("không", "no").to_owned(),
            "male" => self.pick("nam", "male").to_owned(),
            "female" => self.pick("nữ", "female").to_owned(),
            other => other.replace('_', " "),
        }
    }

    /// The state of an enrolment.
    pub fn enrolment(&self, state: &str) -> &'static str {
        match (state, self.lang) {
            ("active", Lang::Vi) => "đang hưởng",
            ("active", Lang::En) => "in force",
            ("suspended", Lang::Vi) => "tạm dừng",
            ("suspended", Lang::En) => "suspended",
            ("ended", Lang::Vi) => "đã thôi hưởng",
            ("ended", Lang::En) => "ended",
            ("none", Lang::Vi) => "chưa có",
            ("none", Lang::En) => "none",
            (_, Lang::Vi) => "chưa rõ",
            (_, Lang::En) => "not known",
        }
    }

    fn or(&self, words: &[String]) -> String {
        let or = self.pick("hoặc", "or");
        // Words that hold a comma themselves are kept apart by more than one.
        let has_commas = words.iter().any(|word| word.contains(','));
        match words {
            [] => String::new(),
            [only] => only.clone(),
            [others @ .., last] if has_commas => format!("{}; {or} {last}", others.join("; ")),
            [others @ .., last] => format!("{} {or} {last}", others.join(", ")),
        }
    }

    pub fn condition(&self, condition: &Condition) -> String {
        match condition {
            Condition::Constant(true) => self.pick("luôn đúng", "always").to_owned(),
            Condition::Constant(false) => self.pick("không bao giờ", "never").to_owned(),
            Condition::Attribute(index) => self.attribute(*index),
            Condition::Not(inner) => self.negated(inner),
            Condition::All(items) => self.joined(items, self.pick("; và ", "; and ")),
            Condition::Any(items) => self.joined(items, self.pick("; hoặc ", "; or ")),
            Condition::Same(a, b) => match self.lang {
                Lang::Vi => format!(
                    "cùng đúng hoặc cùng sai: ({}) và ({})",
                    self.condition(a),
                    self.condition(b)
                ),
                Lang::En => format!(
                    "both or neither: ({}) and ({})",
                    self.condition(a),
                    self.condition(b)
                ),
            },
            Condition::Compare(comparison, left, right) => self.compare(*comparison, left, right),
            Condition::NumberIn(number, items) => {
                let money = self.pack.is_money(number);
                let items: Vec<String> = items.iter().map(|item| self.number_as(item, money)).collect();
                format!("{}: {}", self.number(number), self.or(&items))
            }
            Condition::EnumIn(index, values) => self.among(*index, values),
            Condition::Dates(comparison, left, right) => self.dates(*comparison, *left, *right),
            Condition::ProvinceIn { former, codes } => self.provinces(*former, codes),
            Condition::Case(cases) => self.cases_of_conditions(cases),
            Condition::Bands(bands) => {
                let arms = self.bands(bands, Self::condition);
                let arms: Vec<String> = arms
                    .into_iter()
                    .map(|(band, arm)| match self.lang {
                        Lang::Vi => format!("nếu {band} thì {arm}"),
                        Lang::En => format!("if {band}: {arm}"),
                    })
                    .collect();
                arms.join("; ")
            }
            Condition::Defined(place, _) => {
                let definition = &self.pack.definitions[*place];
                form::lower(self.pick(&definition.title_vi, &definition.title_en))
            }
            Condition::Group {
                group, every, holds, ..
            } => self.group(*group, *every, holds),
        }
    }

    fn negated(&self, inner: &Condition) -> String {
        if let Condition::EnumIn(index, values) = inner {
            let declared = self.pack.scope.attributes[*index].values.len() as u16;
            let others: Vec<u16> = (0..declared).filter(|value| !values.contains(value)).collect();
            if !others.is_empty() && others.len() <= OTHERS_MAX {
                return self.among(*index, &others);
            }
        }
        match self.lang {
            Lang::Vi => format!("không thuộc trường hợp: {}", self.enclosed(inner)),
            Lang::En => format!("not the case: {}", self.enclosed(inner)),
        }
    }

    /// In parentheses, where the words alone would leave open how far they reach.
    fn enclosed(&self, condition: &Condition) -> String {
        let text = self.condition(condition);
        match condition {
            Condition::All(_) | Condition::Any(_) | Condition::Case(_) | Condition::Bands(_) => {
                format!("({text})")
            }
            _ => text,
        }
    }

    fn joined(&self, items: &[Condition], join: &str) -> String {
        let mut texts: Vec<String> = Vec::new();
        let mut at = 0;
        while at < items.len() {
            if let [first, second, ..] = &items[at..]
                && let Some(both) = self.age_range(first, second)
            {
                texts.push(both);
                at += 2;
            } else {
                texts.push(self.enclosed(&items[at]));
                at += 1;
            }
        }
        match texts.split_last() {
            Some((last, others)) if !others.is_empty() => format!("{}{join}{last}", others.join("; ")),
            _ => texts.concat(),
        }
    }

    /// "From 16 to under 22" for two comparisons that say so.
    fn age_range(&self, lower: &Condition, upper: &Condition) -> Option<String> {
        let (
            Condition::Compare(Comparison::GreaterOrEqual, a, low),
            Condition::Compare(Comparison::Less, b, high),
        ) = (lower, upper)
        else {
            return None;
        };
        let (Number::Constant(low), Number::Constant(high)) = (low.as_ref(), high.as_ref()) else {
            return None;
        };
        let is_age = matches!(a.written_out(), Number::Age | Number::AgeMonths);
        (is_age && a == b).then(|| self.band(a, Some(*low), Some(*high)))
    }

    fn among(&self, index: AttributeIndex, values: &[u16]) -> String {
        let values: Vec<String> = values.iter().map(|&value| self.value(index, value)).collect();
        format!("{}: {}", self.attribute(index), self.or(&values))
    }

    fn provinces(&self, former: bool, codes: &[u8]) -> String {
        let codes: Vec<String> = codes.iter().map(|code| format!("{code:02}")).collect();
        let codes = self.or(&codes);
        match (self.lang, former) {
            (Lang::Vi, false) => format!("cư trú tại tỉnh, thành phố mã số {codes}"),
            (Lang::Vi, true) => {
                format!("cư trú tại địa bàn tỉnh, thành phố trước ngày 01/07/2025 mã số {codes}")
            }
            (Lang::En, false) => format!("lives in the province of code {codes}"),
            (Lang::En, true) => format!("lives where before 2025-07-01 was the province of code {codes}"),
        }
    }

    fn dates(&self, comparison: Comparison, left: Day, right: Day) -> String {
        let (left, comparison, right) = match (left, right) {
            (Day::Constant(_), Day::Attribute(_)) => (right, comparison.flipped(), left),
            _ => (left, comparison, right),
        };
        let day = |day: Day| match day {
            Day::Constant(date) => form::date(date, self.lang),
            Day::Attribute(index) => self.attribute(index),
        };
        let how = match (comparison, self.lang) {
            (Comparison::Less, Lang::Vi) => "trước ngày",
            (Comparison::Less, Lang::En) => "before",
            (Comparison::LessOrEqual, Lang::Vi) => "đến hết ngày",
            (Comparison::LessOrEqual, Lang::En) => "not later than",
            (Comparison::Greater, Lang::Vi) => "sau ngày",
            (Comparison::Greater, Lang::En) => "after",
            (Comparison::GreaterOrEqual, Lang::Vi) => "từ ngày",
            (Comparison::GreaterOrEqual, Lang::En) => "not earlier than",
            (Comparison::Equal, Lang::Vi) => "đúng ngày",
            (Comparison::Equal, Lang::En) => "on",
            (Comparison::Unequal, Lang::Vi) => "không phải ngày",
            (Comparison::Unequal, Lang::En) => "not on",
        };
        format!("{}: {how} {}", day(left), day(right))
    }

    fn cases_of_conditions(&self, cases: &Cases<Condition>) -> String {
        let mut arms: Vec<String> = cases
            .arms
            .iter()
            .map(|(guard, result)| match self.lang {
                Lang::Vi => format!("nếu {} thì {}", self.enclosed(guard), self.enclosed(result)),
                Lang::En => format!("if {}: {}", self.enclosed(guard), self.enclosed(result)),
            })
            .collect();
        let otherwise = self.enclosed(&cases.otherwise);
        arms.push(format!("{}: {otherwise}", self.pick("còn lại", "otherwise")));
        arms.join("; ")
    }

    fn compare(&self, comparison: Comparison, left: &Number, right: &Number) -> String {
        let is_constant = |number: &Number| matches!(number, Number::Constant(_) | Number::Parameter(_));
        let (left, comparison, right) = if is_constant(left) && !is_constant(right) {
            (right, comparison.flipped(), left)
        } else {
            (left, comparison, right)
        };
        if let Number::Constant(limit) = right {
            if let Number::Count { group, holds, .. } = left
                && let Some(text) = self.some_or_none(comparison, *group, holds, *limit)
            {
                return text;
            }
            if let Some(text) = self.compare_whole(comparison, left, *limit) {
                return text;
            }
        }
        let money = self.pack.is_money(left) || self.pack.is_money(right);
        let (left, right) = (self.number_as(left, money), self.number_as(right, money));
        let limit = match (comparison, self.lang) {
            (Comparison::GreaterOrEqual, Lang::Vi) => format!("từ {right} trở lên"),
            (Comparison::GreaterOrEqual, Lang::En) => format!("{right} or more"),
            (Comparison::Greater, Lang::Vi) => format!("trên {right}"),
            (Comparison::Greater, Lang::En) => format!("more than {right}"),
            (Comparison::Less, Lang::Vi) => format!("dưới {right}"),
            (Comparison::Less, Lang::En) => format!("less than {right}"),
            (Comparison::LessOrEqual, Lang::Vi) => format!("không quá {right}"),
            (Comparison::LessOrEqual, Lang::En) => format!("at most {right}"),
            (Comparison::Equal, Lang::Vi) => format!("bằng {right}"),
            (Comparison::Equal, Lang::En) => format!("equal to {right}"),
            (Comparison::Unequal, Lang::Vi) => format!("khác {right}"),
            (Comparison::Unequal, Lang::En) => format!("other than {right}"),
        };
        format!("{left}: {limit}")
    }

    /// Ages are whole, so each comparison of them is one with a birthday.
    fn compare_whole(&self, comparison: Comparison, left: &Number, limit: Decimal) -> Option<String> {
        let is_age = matches!(left.written_out(), Number::Age | Number::AgeMonths);
        limit.to_integer().filter(|_| is_age)?;
        let next = limit.checked_add(Decimal::from(1))?;
        Some(match comparison {
            Comparison::GreaterOrEqual => self.band(left, Some(limit), None),
            Comparison::Greater => self.band(left, Some(next), None),
            Comparison::Less => self.band(left, None, Some(limit)),
            Comparison::LessOrEqual => self.band(left, None, Some(next)),
            Comparison::Equal => self.age(left, limit),
            Comparison::Unequal => {
                format!("{} {}", self.pick("không phải", "not"), self.age(left, limit))
            }
        })
    }

    fn age(&self, subject: &Number, age: Decimal) -> String {
        let age = form::number(age, self.lang);
        match (subject.written_out(), self.lang) {
            (Number::AgeMonths, Lang::Vi) => format!("{age} tháng tuổi"),
            (Number::AgeMonths, Lang::En) => format!("{age} months of age"),
            (_, Lang::Vi) => format!("{age} tuổi"),
            (_, Lang::En) => format!("{age} years of age"),
        }
    }

    /// That a number lies in a band: from the first, included, to the second, not included.
    fn band(&self, subject: &Number, begins: Option<Decimal>, ends: Option<Decimal>) -> String {
        let plain = subject.written_out();
        if matches!(plain, Number::Age | Number::AgeMonths) {
            let age = |age| self.age(plain, age);
            let only = |age: Decimal| form::number(age, self.lang);
            return match (begins, ends, self.lang) {
                (Some(a), Some(b), Lang::Vi) => format!("từ đủ {} đến dưới {}", age(a), age(b)),
                (Some(a), Some(b), Lang::En) => format!("from {} to under {}", only(a), age(b)),
                (Some(a), None, Lang::Vi) => format!("từ đủ {}", age(a)),
                (Some(a), None, Lang::En) => format!("{} or more", age(a)),
                (None, Some(b), Lang::Vi) => format!("dưới {}", age(b)),
                (None, Some(b), Lang::En) => format!("under {}", age(b)),
                (None, None, _) => self.pick("mọi lứa tuổi", "any age").to_owned(),
            };
        }
        let money = self.pack.is_money(subject);
        let one = |number| form::quantity(number, money, self.lang);
        let is_whole = match plain {
            Number::Count { .. } => true,
            Number::Attribute(index) => {
                matches!(self.pack.scope.attributes[*index].kind, ValueKind::Integer { .. })
            }
            _ => false,
        };
        let last = |ends: Decimal| {
            ends.checked_sub(Decimal::from(1))
                .filter(|_| is_whole && ends.to_integer().is_some())
        };
        let range = match (begins, ends, self.lang) {
            (Some(a), Some(b), lang) => match (last(b), lang) {
                (Some(last), _) if last == a => one(a),
                (Some(last), Lang::Vi) => format!("từ {} đến {}", one(a), one(last)),
                (Some(last), Lang::En) => format!("from {} to {}", one(a), one(last)),
                (None, Lang::Vi) => format!("từ {} đến dưới {}", one(a), one(b)),
                (None, Lang::En) => format!("from {} to under {}", one(a), one(b)),
            },
            (Some(a), None, Lang::Vi) => format!("từ {} trở lên", one(a)),
            (Some(a), None, Lang::En) => format!("{} or more", one(a)),
            (None, Some(b), Lang::Vi) => format!("dưới {}", one(b)),
            (None, Some(b), Lang::En) => format!("under {}", one(b)),
            (None, None, _) => self.pick("mọi giá trị", "anything").to_owned(),
        };
        format!("{}: {range}", self.number(subject))
    }

    /// Each band in words, with its result.
    fn bands<T>(&self, bands: &Bands<T>, write: impl Fn(&Self, &T) -> String) -> Vec<(String, String)> {
        let all = bands.bands.iter().enumerate();
        all.map(|(place, (begins, result))| {
            let ends = bands.bands.get(place + 1).and_then(|(next, _)| *next);
            (self.band(&bands.subject, *begins, ends), write(self, result))
        })
        .collect()
    }

    /// The people of a group.
    fn people(&self, group: GroupRef) -> String {
        match (group, self.lang) {
            (GroupRef::Household, Lang::Vi) => "người trong hộ".to_owned(),
            (GroupRef::Household, Lang::En) => "people of the household".to_owned(),
            (GroupRef::Dependants, _) => {
                let title = self
                    .pack
                    .scope
                    .dependants
                    .map_or_else(String::new, |index| self.attribute(index));
                match self.lang {
                    Lang::Vi => format!("người mà người này là {title}"),
                    Lang::En => format!("people whose {title} is this person"),
                }
            }
            (GroupRef::Reference(index), _) => self.attribute(index),
        }
    }

    fn group(&self, group: GroupRef, every: bool, holds: &Condition) -> String {
        let people = self.people(group);
        let holds = self.condition(holds);
        match (group, every, self.lang) {
            (GroupRef::Reference(_), false, _) => format!("{people}: {holds}"),
            (GroupRef::Reference(_), true, Lang::Vi) => format!("{people} (nếu có): {holds}"),
            (GroupRef::Reference(_), true, Lang::En) => format!("{people} (if any): {holds}"),
            (_, false, Lang::Vi) => format!("có ít nhất một {people}: {holds}"),
            (_, false, Lang::En) => format!("at least one of the {people}: {holds}"),
            (_, true, Lang::Vi) => format!("mọi {people}: {holds}"),
            (_, true, Lang::En) => format!("all {people}: {holds}"),
        }
    }

    fn some_or_none(
        &self,
        comparison: Comparison,
        group: GroupRef,
        holds: &Condition,
        limit: Decimal,
    ) -> Option<String> {
        let zero = Decimal::ZERO;
        let one = Decimal::from(1);
        match comparison {
            Comparison::Greater | Comparison::Unequal if limit == zero => {
                Some(self.group(group, false, holds))
            }
            Comparison::GreaterOrEqual if limit == one => Some(self.group(group, false, holds)),
            Comparison::Equal if limit == zero => Some(self.nobody(group, holds)),
            Comparison::Less if limit == one => Some(self.nobody(group, holds)),
            _ => None,
        }
    }

    fn nobody(&self, group: GroupRef, holds: &Condition) -> String {
        let (people, holds) = (self.people(group), self.condition(holds));
        match self.lang {
            Lang::Vi => format!("không có {people}: {holds}"),
            Lang::En => format!("none of the {people}: {holds}"),
        }
    }

    pub fn number(&self, number: &Number) -> String {
        self.number_as(number, self.pack.is_money(number))
    }

    /// A number; its constants are amounts in đồng if `money`.
    fn number_as(&self, number: &Number, money: bool) -> String {
        match number {
            Number::Constant(value) => form::quantity(*value, money, self.lang),
            Number::Age => self.pick("số tuổi", "age in years").to_owned(),
            Number::AgeMonths => self.pick("số tháng tuổi", "age in months").to_owned(),
            Number::Attribute(index) => self.attribute(*index),
            Number::Parameter(index) => {
                let parameter = &self.pack.parameters[*index];
                form::lower(self.pick(&parameter.title_vi, &parameter.title_en))
            }
            Number::Sum(terms) => self.sum(terms, money),
            Number::Product(factors) => {
                let factors: Vec<String> = factors.iter().map(|factor| self.factor(factor)).collect();
                factors.join(" × ")
            }
            Number::Least(items) => format!(
                "{} ({})",
                self.pick("mức thấp nhất trong", "the least of"),
                self.list(items, money)
            ),
            Number::Greatest(items) => {
                format!(
                    "{} ({})",
                    self.pick("mức cao nhất trong", "the greatest of"),
                    self.list(items, money)
                )
            }
            Number::Round {
                number,
                divisor,
                step,
                rounding,
            } => self.rounded(number, divisor.as_deref(), *step, *rounding),
            Number::Case(cases) => self.cases_of_numbers(cases, money),
            Number::Bands(bands) => {
                let arms = self.bands(bands, |writer, arm| writer.number_as(arm, money));
                let arms: Vec<String> = arms
                    .into_iter()
                    .map(|(band, arm)| format!("{arm} {} {band}", self.pick("nếu", "if")))
                    .collect();
                arms.join("; ")
            }
            Number::Count { group, holds, .. } => {
                let people = self.people(*group);
                let of = match **holds {
                    Condition::Constant(true) => String::new(),
                    ref holds => format!(" ({})", self.condition(holds)),
                };
                format!("{} {people}{of}", self.pick("số", "number of"))
            }
            Number::GroupSum { group, number, .. } => {
                let (people, each) = (self.people(*group), self.number_as(number, money));
                match self.lang {
                    Lang::Vi => format!("tổng theo từng {people} ({each})"),
                    Lang::En => format!("sum over the {people} ({each})"),
                }
            }
            Number::Lookup(table, keys) => self.lookup(*table, keys),
            Number::Defined(place, _) => {
                let definition = &self.pack.definitions[*place];
                form::lower(self.pick(&definition.title_vi, &definition.title_en))
            }
        }
    }

    fn factor(&self, factor: &Number) -> String {
        // A factor without unit beside one with a unit; constants are never both.
        let text = match factor {
            Number::Constant(_) => self.number_as(factor, false),
            _ => self.number(factor),
        };
        match factor {
            Number::Sum(_) | Number::Case(_) | Number::Bands(_) => format!("({text})"),
            _ => text,
        }
    }

    fn sum(&self, terms: &[(bool, Number)], money: bool) -> String {
        let mut text = String::new();
        for (place, (subtracted, term)) in terms.iter().enumerate() {
            let sign = match (place, subtracted) {
                (0, false) => "",
                (0, true) => "−",
                (_, false) => " + ",
                (_, true) => " − ",
            };
            let written = self.number_as(term, money);
            let enclose = matches!(term, Number::Case(_) | Number::Bands(_))
                || *subtracted && matches!(term, Number::Sum(_));
            text.push_str(sign);
            if enclose {
                text = format!("{text}({written})");
            } else {
                text.push_str(&written);
            }
        }
        text
    }

    fn list(&self, items: &[Number], money: bool) -> String {
        let items: Vec<String> = items.iter().map(|item| self.number_as(item, money)).collect();
        items.join("; ")
    }

    fn rounded(
        &self,
        number: &Number,
        divisor: Option<&Number>,
        step: Decimal,
        rounding: Rounding,
    ) -> String {
        let money = self.pack.is_money(number);
        let mut text = self.number_as(number, money);
        if let Some(divisor) = divisor {
            text = format!(
                "{} {} {}",
                text,
                self.pick("chia cho", "divided by"),
                self.number(divisor)
            );
        }
        let is_money = money && !divisor.is_some_and(|divisor| self.pack.is_money(divisor));
        format!("({text}, {})", self.rounding(step, is_money, rounding))
    }

    /// How a number is rounded.
    pub fn rounding(&self, step: Decimal, is_money: bool, rounding: Rounding) -> String {
        let step = form::quantity(step, is_money, self.lang);
        let how = match rounding {
            Rounding::Nearest => self.pick("làm tròn đến", "rounded to"),
            Rounding::Up => self.pick("làm tròn lên đến", "rounded up to"),
            Rounding::Down => self.pick("làm tròn xuống đến", "rounded down to"),
        };
        format!("{how} {step}")
    }

    fn cases_of_numbers(&self, cases: &Cases<Number>, money: bool) -> String {
        let mut arms: Vec<String> = cases
            .arms
            .iter()
            .map(|(guard, result)| {
                let (result, guard) = (self.number_as(result, money), self.enclosed(guard));
                format!("{result} {} {guard}", self.pick("nếu", "if"))
            })
            .collect();
        let otherwise = self.number_as(&cases.otherwise, money);
        arms.push(match self.lang {
            Lang::Vi => format!("còn lại {otherwise}"),
            Lang::En => format!("otherwise {otherwise}"),
        });
        arms.join("; ")
    }

    fn lookup(&self, table: usize, keys: &[Key]) -> String {
        let table = &self.pack.tables[table];
        let keys: Vec<String> = keys
            .iter()
            .zip(&table.keys)
            .map(|(key, column)| match key {
                Key::Word(place) => {
                    let words = column.words.as_deref().unwrap_or_default();
                    let word = usize::try_from(*place).ok().and_then(|at| words.get(at));
                    word.cloned().unwrap_or_default()
                }
                Key::Attribute(index, _) => self.attribute(*index),
                Key::Number(number) => self.number(number),
            })
            .collect();
        let title = form::lower(self.pick(&table.title_vi, &table.title_en));
        format!("{title}, {} {}", self.pick("dòng", "row"), keys.join(", "))
    }
}

/// The kernel's own attributes that expressions read, in words.
pub(super) fn builtin_title(number: crate::types::AttributeNumber, lang: Lang) -> Option<&'static str> {
    let (vi, en) = match number {
        builtin::BIRTH => ("ngày sinh", "date of birth"),
        builtin::SEX => ("giới tính", "sex"),
        builtin::HOUSEHOLD => ("hộ gia đình", "household"),
        builtin::RESIDENCE => ("nơi cư trú", "place of residence"),
        builtin::DEATH => ("ngày chết", "date of death"),
        _ => return None,
    };
    Some(match lang {
        Lang::Vi => vi,
        Lang::En => en,
    })
}
