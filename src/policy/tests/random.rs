//! Random packs: every construct of the language, chosen by a tape of numbers, of which zeros choose the simplest.

use std::fmt::Write;

/// Choices. What lies beyond its end is zero.
pub(super) struct Tape<'a> {
    choices: &'a [u16],
    at: usize,
}

impl<'a> Tape<'a> {
    pub(super) const fn new(choices: &'a [u16]) -> Self {
        Self { choices, at: 0 }
    }

    /// A number below `count`.
    pub(super) fn pick(&mut self, count: usize) -> usize {
        let choice = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(choice) % count
    }

    pub(super) fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.pick(words.len())]
    }

    /// True once in so many.
    pub(super) fn once_in(&mut self, count: usize) -> bool {
        self.pick(count) == count - 1
    }
}

/// The table beside random packs: the word `c` and a few numbers have no row, some rows beside a missing one are
/// equal, and one edition differs.
pub(super) const RATES: &str = "edition,kind,percent,value\n\
    old,a,0,10\nold,a,1,10\nold,a,2,10\nold,b,0,5\nold,b,1,0\nold,b,2,70\nold,b,4,70\n\
    new,a,0,11\nnew,a,1,22\nnew,a,2,36\nnew,b,0,6\nnew,b,1,1\nnew,b,2,71\nnew,b,3,71\n";

/// What comes before the definitions of a random pack.
const RANDOM_HEAD: &str = r#"
[pack]
id = "test"
version = "1"
title = { vi = "Thử", en = "Test" }
dependants = "guardian"

[birth]
unknown_month = "undetermined"
source = "none"
confidence = "M"

[person]
level = { title = { vi = "a", en = "a" }, type = "enum", values = ["low", "middle", "high"], absent = "low" }
flag = { title = { vi = "a", en = "a" }, type = "bool", absent = false }
kind = { title = { vi = "a", en = "a" }, type = "enum", values = ["a", "b", "c"], absent = "unknown" }
percent = { title = { vi = "a", en = "a" }, type = "integer", min = 0, max = 4, absent = 0, keeping = "profile" }
count = { title = { vi = "a", en = "a" }, type = "integer", min = -1, max = 5, absent = 0 }
income = { title = { vi = "a", en = "a" }, type = "money", absent = "unknown" }
since = { title = { vi = "a", en = "a" }, type = "date", absent = "unknown" }
guardian = { title = { vi = "a", en = "a" }, type = "person" }
carer = { title = { vi = "a", en = "a" }, type = "person" }
[household]
state = { title = { vi = "a", en = "a" }, type = "enum", values = ["good", "bad"], absent = "good" }
rent = { title = { vi = "a", en = "a" }, type = "money", absent = 0 }
[commune]
remote = { title = { vi = "a", en = "a" }, type = "bool", absent = false }
distance = { title = { vi = "a", en = "a" }, type = "integer", min = 0, max = 3, absent = "unknown" }

[parameter.limit]
title = { vi = "p", en = "p" }
unit = "number"
values = [
  { value = 15.5, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S1" },
  { value = 4, from = "2020-06", known_from = "2020-01-01", source = "s", confidence = "S1" },
]
[parameter.base]
title = { vi = "p", en = "p" }
unit = "dong"
values = [
  { value = 100, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S3" },
  { value = 120, from = "2020-05", known_from = "2020-06-20", source = "s", confidence = "S3" },
]
rule = "higher"
provinces = [
  { in = "01", value = 110, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S3" },
  { in_former = "30", value = 150, from = "2020-05", until = "2020-05", known_from = "2000-01-01", source = "s", confidence = "S3" },
]
[parameter.local]
title = { vi = "p", en = "p" }
unit = "number"
values = [{ value = 6, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S1" }]
rule = "instead"
provinces = [
  { in = "22", value = 3, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S1" },
  { in_former = "01", value = 9.5, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S1" },
]
[table.rates]
title = { vi = "t", en = "t" }
unit = "dong"
file = "rates.csv"
edition = "edition"
keys = ["kind", "percent"]
value = "value"
editions = [
  { rows = "old", from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S1" },
  { rows = "new", from = "2020-05", known_from = "2020-06-20", source = "s", confidence = "S1" },
]
"#;

/// How many programmes a random pack has.
pub(super) const PROGRAMMES: usize = 5;
const GROUPS: [&str; 6] = ["all", "best", "two", "inner", "inner_sum", "inmost"];

/// Writes a random pack.
pub(super) struct Writer<'a, 't> {
    tape: &'t mut Tape<'a>,
    /// The programmes that need a decision.
    pub(super) decided: [bool; PROGRAMMES],
    /// Definitions by name: whether each is a condition, and whether it may stand inside of a group.
    defined: Vec<(String, bool, bool)>,
    in_group: bool,
}

impl<'a, 't> Writer<'a, 't> {
    pub(super) fn new(tape: &'t mut Tape<'a>) -> Self {
        let decided = std::array::from_fn(|_| tape.once_in(2));
        Self {
            tape,
            decided,
            defined: Vec::new(),
            in_group: false,
        }
    }

    pub(super) fn pack(&mut self) -> String {
        let mut text = RANDOM_HEAD.to_owned();
        if self.tape.once_in(4) {
            text = text.replace("\"undetermined\"", "\"january\"");
        }
        for at in 0..self.tape.pick(5) {
            text.push_str(&self.definition(at));
        }
        text.push_str(&self.groups());
        for at in 0..PROGRAMMES {
            text.push_str(&self.programme(at));
        }
        text
    }

    fn definition(&mut self, at: usize) -> String {
        let is_condition = self.tape.once_in(2);
        self.in_group = !self.tape.once_in(3);
        let name = format!("defined_{at}");
        let (key, text) = if is_condition {
            ("condition", self.condition(2))
        } else {
            ("number", self.number(2))
        };
        self.defined.push((name.clone(), is_condition, self.in_group));
        self.in_group = false;
        format!("[define.{name}]\ntitle = {{ vi = \"d\", en = \"d\" }}\n{key} = \"{text}\"\n")
    }

    fn groups(&mut self) -> String {
        let inner = self.tape.one(&["highest", "sum"]);
        let mut exceptions = String::new();
        for _ in 0..self.tape.pick(3) {
            let (pays, beside, besides) = (self.member(), self.member(), self.member());
            let list = format!("[\"{beside}\", \"{besides}\"]");
            let _ = write!(
                exceptions,
                "{{ pays = \"{pays}\", beside = {list}, cite = \"c\" }}, "
            );
        }
        format!(
            "[group]\n\
             all = {{ rule = \"sum\", cite = \"c\", confidence = \"S1\" }}\n\
             best = {{ rule = \"highest\", exceptions = [{exceptions}], cite = \"c\", confidence = \"S1\" }}\n\
             two = {{ rule = \"at_most\", most = 2, cite = \"c\", confidence = \"S1\" }}\n\
             inner = {{ rule = \"{inner}\", within = \"best\", cite = \"c\", confidence = \"S1\" }}\n\
             inner_sum = {{ rule = \"sum\", within = \"two\", cite = \"c\", confidence = \"S1\" }}\n\
             inmost = {{ rule = \"at_most\", most = 1, within = \"inner\", cite = \"c\", confidence = \"S1\" }}\n"
        )
    }

    fn member(&mut self) -> String {
        match self.tape.pick(PROGRAMMES + 1) {
            PROGRAMMES => "inner".to_owned(),
            at => format!("p{at}"),
        }
    }

    fn programme(&mut self, at: usize) -> String {
        let group = self.tape.one(&GROUPS);
        let months = self.tape.one(&[
            "from = \"2000-01\"",
            "from = \"2000-01\"",
            "from = \"2020-05\"",
            "from = \"2000-01\", until = \"2020-05\"",
        ]);
        let times = self.tape.one(&[
            "stop = \"month_after\"",
            "stop = \"at_once\"",
            "start = \"month_after\"\nstop = \"month_after\"",
            "start = \"month_after\"\nstop = \"at_once\"",
            "once = { event = \"death\" }",
            "once = { event = \"campaign\" }",
            "stop = \"month_after\"",
            "stop = \"month_after\"",
        ]);
        let condition = self.conditions();
        let amount = self.amount();
        let exclusions = self.exclusions(at);
        let provincial = self.provincial();
        let earlier = self.earlier(at);
        let decided = self.decided[at];
        format!(
            "[[programme]]\nid = \"p{at}\"\ntitle = {{ vi = \"p\", en = \"p\" }}\ncite = \"c\"\nconfidence = \"S1\"\n\
             months = {{ {months} }}\ndecision = {decided}\n{times}\npayee = [\"self\"]\ngroup = \"{group}\"\n\
             condition = \"{condition}\"\namount = \"{amount}\"\nexclusions = [{exclusions}]\n\
             provincial = [{provincial}]\n{earlier}"
        )
    }

    fn earlier(&mut self, at: usize) -> String {
        let others: Vec<String> = (0..PROGRAMMES)
            .filter(|&other| other != at && self.decided[other])
            .map(|other| format!("\"p{other}\""))
            .collect();
        if !self.decided[at] || others.is_empty() || !self.tape.once_in(3) {
            return String::new();
        }
        format!("earlier_decisions = [{}]\n", others.join(", "))
    }

    fn exclusions(&mut self, at: usize) -> String {
        let mut exclusions = String::new();
        for _ in 0..self.tape.pick(3) {
            let excluder = if at > 0 && self.tape.once_in(2) {
                format!("programme = \"p{}\"", self.tape.pick(at))
            } else {
                // An exclusion asks for at least one attribute.
                let attribute = self
                    .tape
                    .one(&["flag", "level == high", "count > 2", "kind == a"]);
                let joint = self.tape.one(&["and", "or"]);
                format!("when = \"{attribute} {joint} {}\"", self.condition(1))
            };
            let _ = write!(exclusions, "{{ {excluder}, cite = \"c\" }}, ");
        }
        exclusions
    }

    fn provincial(&mut self) -> String {
        let mut provincial = String::new();
        for _ in 0..self.tape.pick(3) {
            let area = self
                .tape
                .one(&["in = \"01\"", "in = \"22\"", "in_former = \"30\""]);
            let from = self.tape.one(&["2000-01", "2020-06"]);
            let condition = self.condition(2);
            let _ = write!(
                provincial,
                "{{ {area}, condition = \"{condition}\", from = \"{from}\", known_from = \"2000-01-01\", \
                 cite = \"c\", confidence = \"S1\" }}, "
            );
        }
        provincial
    }

    /// Conditions that `and` joins at the top.
    fn conditions(&mut self) -> String {
        let parts: Vec<String> = (0..=self.tape.pick(3)).map(|_| self.condition(2)).collect();
        parts.join(" and ")
    }

    /// Mostly an amount that can be paid.
    fn amount(&mut self) -> String {
        match self.tape.pick(8) {
            0 => (1 + self.tape.pick(9)).to_string() + "00",
            1 => "param.base".to_owned(),
            // What depends on figures only is checked when a pack is loaded; these depend on a fact.
            2 => format!("{} + 0 * percent", self.number(2)),
            3 => format!("clamp({}, 0, 500) + 0 * percent", self.number(1)),
            4 => format!("max(0, {}) + 0 * percent", self.number(2)),
            _ => format!("max(0, {}({}, 10))", self.rounding(), self.number(3)),
        }
    }

    fn rounding(&mut self) -> &'static str {
        self.tape.one(&["round", "round_down", "round_up"])
    }

    fn sign(&mut self) -> &'static str {
        self.tape.one(&[">=", "<", ">", "<=", "==", "!="])
    }

    pub(super) fn condition(&mut self, depth: usize) -> String {
        if depth == 0 || self.tape.once_in(3) {
            return self.plain();
        }
        match self.tape.pick(11) {
            0 => format!("not ({})", self.condition(depth - 1)),
            1 => format!(
                "({} and {})",
                self.condition(depth - 1),
                self.condition(depth - 1)
            ),
            2 => format!("({} or {})", self.condition(depth - 1), self.condition(depth - 1)),
            3 => {
                let (a, b, c) = (
                    self.condition(depth - 1),
                    self.condition(depth - 1),
                    self.condition(depth - 1),
                );
                format!("case {{ {a} => {b}, else {c} }}")
            }
            4 => {
                let (a, b) = (self.condition(depth - 1), self.condition(depth - 1));
                format!("case level {{ low | high => {a}, else {b} }}")
            }
            5 => {
                let (subject, limits) = self.bands();
                let results = [(); 3].map(|()| self.condition(depth - 1));
                with_bands(subject, limits, &results)
            }
            6 => {
                let sign = self.sign();
                format!("{} {sign} {}", self.number(depth - 1), self.number(depth - 1))
            }
            7 => format!("({}) == flag", self.condition(depth - 1)),
            8 | 9 if !self.in_group => {
                let group = self.group();
                let which = self.tape.one(&["any", "all"]);
                self.in_group = true;
                let inner = self.condition(depth - 1);
                self.in_group = false;
                format!("{group}.{which}({inner})")
            }
            _ => self.defined(true).unwrap_or_else(|| self.plain()),
        }
    }

    fn group(&mut self) -> &'static str {
        self.tape.one(&["household", "dependants", "guardian", "carer"])
    }

    fn defined(&mut self, condition: bool) -> Option<String> {
        let in_group = self.in_group;
        let fit = |(_, is_condition, groupless): &&(String, bool, bool)| {
            *is_condition == condition && (*groupless || !in_group)
        };
        let count = self.defined.iter().filter(fit).count();
        let at = (count > 0).then(|| self.tape.pick(count))?;
        self.defined
            .iter()
            .filter(fit)
            .nth(at)
            .map(|(name, ..)| name.clone())
    }

    /// A condition without others in it.
    fn plain(&mut self) -> String {
        let sign = self.sign();
        match self.tape.pick(20) {
            0 => "true".to_owned(),
            1 => "flag".to_owned(),
            2 => "level == high".to_owned(),
            3 => "level not in [low, middle]".to_owned(),
            4 => "kind != b".to_owned(),
            5 => format!("age {sign} {}", self.tape.pick(20)),
            6 => format!("{} {sign} age_months", self.tape.pick(40)),
            7 => format!("age {sign} param.limit"),
            8 => format!("age {sign} param.local - 1"),
            9 => format!("age in [{}, 3]", self.tape.pick(9)),
            10 => format!("count {sign} {}", self.tape.pick(6)),
            11 => format!("percent {sign} {}", self.tape.pick(5)),
            12 => format!("income {sign} {}", self.tape.pick(4) * 50),
            13 => format!("since {sign} 2020-05-10"),
            14 => format!("household.rent {sign} {}", self.tape.pick(4) * 50),
            15 => self
                .tape
                .one(&["household.state == bad", "commune.remote", "sex == female"])
                .to_owned(),
            16 => format!("commune.distance {sign} {}", self.tape.pick(4)),
            17 => self
                .tape
                .one(&[
                    "province == 01",
                    "former_province in [30, 31]",
                    "province not in [22, 01]",
                ])
                .to_owned(),
            18 => {
                let at = self.tape.pick(PROGRAMMES);
                if self.decided[at] {
                    format!("enrolment.p{at} == active")
                } else {
                    "false".to_owned()
                }
            }
            _ => format!("{} {sign} {}", self.figure(), self.figure()),
        }
    }

    /// A number without others in it.
    fn figure(&mut self) -> String {
        match self.tape.pick(12) {
            0 => self.tape.pick(30).to_string(),
            1 => "param.base".to_owned(),
            2 => "count".to_owned(),
            3 => "percent".to_owned(),
            4 => "income".to_owned(),
            5 => "param.limit".to_owned(),
            6 => "param.local".to_owned(),
            7 => "age".to_owned(),
            8 => "age_months".to_owned(),
            9 => "household.rent".to_owned(),
            10 => "commune.distance".to_owned(),
            _ => "-2.5".to_owned(),
        }
    }

    pub(super) fn number(&mut self, depth: usize) -> String {
        if depth == 0 || self.tape.once_in(4) {
            return self.figure();
        }
        match self.tape.pick(17) {
            15 => {
                let (inner, divisor) = (
                    self.figure(),
                    self.tape.one(&["count", "(income - 100)", "percent"]),
                );
                format!("0 * round({inner} / {divisor}, 1)")
            }
            16 => {
                let kind = self.tape.one(&["a", "b", "kind"]);
                format!("table.rates({kind}, count)")
            }
            0 => format!("({} + {})", self.number(depth - 1), self.figure()),
            1 => format!("({} - {})", self.number(depth - 1), self.number(depth - 1)),
            2 => format!("{} * {}", self.figure(), self.figure()),
            3 => format!("min({}, {})", self.number(depth - 1), self.number(depth - 1)),
            4 => format!("max({}, {}, 7)", self.number(depth - 1), self.figure()),
            5 => format!("clamp({}, {}, 90)", self.number(depth - 1), self.figure()),
            6 => {
                let (rounding, step) = (self.rounding(), self.tape.one(&["1", "10", "0.5"]));
                let divisor =
                    self.tape
                        .one(&["3", "count", "percent", "(income - 100)", "-2.5", "(age - 2)"]);
                format!("{rounding}({} / {divisor}, {step})", self.number(depth - 1))
            }
            7 => {
                let (a, b, c) = (
                    self.condition(depth - 1),
                    self.number(depth - 1),
                    self.number(depth - 1),
                );
                format!("case {{ {a} => {b}, else {c} }}")
            }
            8 => {
                let (a, b) = (self.number(depth - 1), self.number(depth - 1));
                format!("case kind {{ a | c => {a}, else {b} }}")
            }
            9 => {
                let (subject, limits) = self.bands();
                let results = [(); 3].map(|()| self.number(depth - 1));
                with_bands(subject, limits, &results)
            }
            10 | 11 if !self.in_group => {
                let group = self.group();
                self.in_group = true;
                let number = if self.tape.once_in(2) {
                    format!("{group}.sum({})", self.number(depth - 1))
                } else {
                    format!("{group}.count({})", self.condition(depth - 1))
                };
                self.in_group = false;
                number
            }
            12 => {
                let (kind, percent) = (
                    self.tape.one(&["kind", "a"]),
                    self.tape.one(&["percent", "count"]),
                );
                let row = format!("table.rates({kind}, {percent})");
                if self.tape.once_in(4) {
                    row
                } else {
                    format!("case {{ {percent} in [0, 1, 2] and kind in [a, b] => {row}, else 0 }}")
                }
            }
            _ => self.defined(false).unwrap_or_else(|| self.figure()),
        }
    }

    /// What is divided into bands, and the two limits of three.
    fn bands(&mut self) -> (&'static str, usize) {
        let subject = self.tape.one(&[
            "age",
            "age_months",
            "percent",
            "count",
            "income",
            "household.rent",
        ]);
        (subject, self.tape.pick(4))
    }
}

fn with_bands(subject: &str, limit: usize, results: &[String; 3]) -> String {
    let [a, b, c] = results;
    let next = limit + 2;
    match (subject, limit % 2) {
        ("income" | "household.rent", _) => {
            format!(
                "case {subject} {{ under {} => {a}, under {} => {b}, else {c} }}",
                limit * 50 + 1,
                next * 50
            )
        }
        (_, 0) => format!("case {subject} {{ under {limit} => {a}, {limit} to {next} => {b}, else {c} }}"),
        _ => format!(
            "case {subject} {{ {limit} to {next} => {a}, from {} => {b}, else {c} }}",
            next + 1
        ),
    }
}
