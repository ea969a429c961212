//! The explanation as an officer would write it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::{Decisive, Shown, stands_in_the_way};
use crate::cli::Failure;
use crate::cli::output::Output;
use crate::entitlement::{Determined, RunHeader, RunStatus, ValueBehind};
use crate::kernel::catalogue::{EnrolmentState, builtin};
use crate::policy::words::{self, capital};
use crate::policy::{
    AmountExplanation, Choice, ConditionExplanation, Lang, LineKind, ParameterRead, ProgrammeExplanation,
    Read, StateExplanation, Status, Truth,
};
use crate::types::{AttributeNumber, Date, Month, PersonNumber, ProgrammeNumber, Total, Value};

/// So many people of a group are named.
const PEOPLE_SHOWN_MAX: usize = 20;

/// So many facts without a record are named for one condition.
const UNRECORDED_SHOWN_MAX: usize = 3;

/// A text that remembers which facts and figures it has told of, so that it tells of each but once.
struct Writing<'s, 'e> {
    shown: &'s Shown<'e>,
    output: &'s mut Output,
    facts_told: RefCell<BTreeSet<(AttributeNumber, Month)>>,
    figures_told: BTreeSet<String>,
}

impl Shown<'_> {
    pub(super) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let mut writing = Writing {
            shown: self,
            output,
            facts_told: RefCell::default(),
            figures_told: BTreeSet::new(),
        };
        writing.answer()?;
        writing.programmes()?;
        writing.combination()?;
        writing.others()
    }

    /// The answer in one sentence.
    fn headline(&self) -> String {
        let explained = self.explained;
        let person = &explained.person;
        let id = self.describer.id(person.identifier);
        let (born, month) = (
            words::birth(person.birth, self.lang()),
            words::month(explained.month, self.lang()),
        );
        let died = person.death.map_or_else(String::new, |death| match self.lang() {
            Lang::Vi => format!(", chết ngày {}", words::date(death, Lang::Vi)),
            Lang::En => format!(", died {death}"),
        });
        match self.lang() {
            Lang::Vi => format!(
                "Người có số định danh {id} (sinh {born}{died}), tháng {month}: {}.",
                self.result_vi()
            ),
            Lang::En => format!("For {month} {id} (born {born}{died}) {}.", self.result_en()),
        }
    }

    /// The sum of the lines of a kind, and what it is made of.
    fn made_of(&self, kind: LineKind) -> String {
        let lines: Vec<_> = self.explained.outcome.lines_of(kind).collect();
        if let [only] = lines.as_slice() {
            return format!("{} ({})", self.sum(kind), self.words.programme(only.programme));
        }
        let lines: Vec<String> = lines
            .iter()
            .map(|line| {
                let title = self.words.programme(line.programme);
                format!("{title} {}", words::money(line.amount, self.lang()))
            })
            .collect();
        format!("{} ({})", self.sum(kind), lines.join("; "))
    }

    fn sum(&self, kind: LineKind) -> String {
        let sum: Total = self
            .explained
            .outcome
            .lines_of(kind)
            .map(|line| line.amount)
            .sum();
        words::total(sum, self.lang())
    }

    fn result_vi(&self) -> String {
        let is_done = !matches!(self.explained.determined, Determined::WouldBe);
        let will = if is_done { "" } else { "sẽ " };
        let paid = || format!("{will}được hưởng {}", self.made_of(LineKind::Paid));
        let held = || format!("tạm giữ tối đa {}", self.made_of(LineKind::Held));
        match self.explained.outcome.status {
            Status::Paid if self.explained.outcome.paid_with_held() => format!("{}; {}", paid(), held()),
            Status::Paid => paid(),
            Status::Held => format!("chưa chi trả, {}", held()),
            Status::Zero => format!("không được hưởng, vì {}", self.primary_reason()),
            Status::Error => self.primary_reason(),
        }
    }

    fn result_en(&self) -> String {
        let is_done = !matches!(self.explained.determined, Determined::WouldBe);
        let is = if is_done { "is" } else { "would be" };
        let paid = || format!("{is} paid {}", self.made_of(LineKind::Paid));
        let held = || format!("at most {} {is} held", self.made_of(LineKind::Held));
        match self.explained.outcome.status {
            Status::Paid if self.explained.outcome.paid_with_held() => format!("{}; {}", paid(), held()),
            Status::Paid => paid(),
            Status::Held => format!("{is} paid nothing yet; {}", held()),
            Status::Zero => format!("{is} paid nothing: {}", self.primary_reason()),
            Status::Error => self.primary_reason(),
        }
    }

    /// By which run, law and data.
    fn determined(&self) -> String {
        let explained = self.explained;
        let (law, data) = (
            words::date(explained.law_known_on, self.lang()),
            self.data_as_of().get(),
        );
        let (by, again) = match &explained.determined {
            Determined::WouldBe => {
                return match self.lang() {
                    Lang::Vi => format!(
                        "Tháng này chưa có kỳ tính; đây là kết quả dự kiến theo pháp luật được biết đến ngày {law} và dữ liệu đến giao dịch số {data}."
                    ),
                    Lang::En => format!(
                        "The month was not run: this is what would be, by the law as known on {law} and the data up to transaction {data}."
                    ),
                };
            }
            Determined::ByRun(run) => {
                let same = self.pick("tính lại cho cùng kết quả", "worked out again it is the same");
                (self.run(run), same.to_owned())
            }
            Determined::ByRunOtherwise { run, evaluated } => {
                let total: Total = evaluated.lines_of(LineKind::Paid).map(|line| line.amount).sum();
                let total = words::total(total, self.lang());
                let other = match self.lang() {
                    Lang::Vi => format!("TÍNH LẠI CHO KẾT QUẢ KHÁC ({total}), cần kiểm tra sổ đăng ký"),
                    Lang::En => format!("WORKED OUT AGAIN IT IS DIFFERENT ({total}): verify the registry"),
                };
                (self.run(run), other)
            }
        };
        match self.lang() {
            Lang::Vi => format!(
                "Xác định tại {by}, theo pháp luật được biết đến ngày {law} và dữ liệu đến giao dịch số {data}; {again}."
            ),
            Lang::En => format!(
                "Determined by {by}, by the law as known on {law} and the data up to transaction {data}; {again}."
            ),
        }
    }

    fn run(&self, run: &RunHeader) -> String {
        let status = match (run.status, self.lang()) {
            (RunStatus::Draft, Lang::Vi) => "dự thảo".to_owned(),
            (RunStatus::Final, Lang::Vi) => "chính thức".to_owned(),
            (RunStatus::Void, Lang::Vi) => "đã hủy".to_owned(),
            (status, Lang::En) => status.to_string(),
        };
        match self.lang() {
            Lang::Vi => format!("kỳ tính số {} “{}” ({status})", run.number, run.id),
            Lang::En => format!("run {} “{}” ({status})", run.number, run.id),
        }
    }

    /// What became of a programme.
    fn choice(&self, programme: &ProgrammeExplanation, state: Option<&StateExplanation>) -> String {
        let sum = |kind| -> String {
            let lines = self.lines_of(programme.number).filter(|line| line.kind == kind);
            let sum: Total = lines.map(|line| line.amount).sum();
            words::total(sum, self.lang())
        };
        let held = || match self.lang() {
            Lang::Vi => format!("tạm giữ tối đa {}", sum(LineKind::Held)),
            Lang::En => format!("at most {} is held", sum(LineKind::Held)),
        };
        let paid = || format!("{} {}", self.pick("được hưởng", "paid"), sum(LineKind::Paid));
        match programme.choice {
            Choice::Paid => paid(),
            Choice::PaidAndHeld => format!("{}; {}", paid(), held()),
            Choice::Held => held(),
            Choice::Fault(fault) => self.words.fault(fault).to_owned(),
            Choice::LowerThan(other) => {
                let instead = self.paid_instead(programme, other);
                let outdone = self.explained.explanation.outdone(programme.number);
                let cite = outdone.map_or(&programme.group_cite, |outdone| &outdone.group.cite);
                let cite = self.words.cite(cite);
                match self.lang() {
                    Lang::Vi => format!("không hưởng, vì đã hưởng {instead} theo quy tắc kết hợp ({cite})"),
                    Lang::En => {
                        format!("not paid, because {instead} is paid by the rule of combination ({cite})")
                    }
                }
            }
            Choice::NotEntitled => self.not_entitled(state).to_owned(),
        }
    }

    /// The programmes that a group chose instead of one.
    pub(super) fn paid_instead(&self, programme: &ProgrammeExplanation, first: ProgrammeNumber) -> String {
        let outdone = self.explained.explanation.outdone(programme.number);
        let by = outdone.iter().flat_map(|outdone| &outdone.by);
        let mut numbers: Vec<ProgrammeNumber> = by
            .flat_map(|member| member.chosen_programmes())
            .map(|(number, _)| number)
            .collect();
        if numbers.is_empty() {
            numbers.push(first);
        }
        let names: Vec<String> = numbers
            .into_iter()
            .map(|number| format!("“{}”", self.words.programme(number)))
            .collect();
        names.join(self.pick_static(" và ", " and "))
    }

    fn not_entitled(&self, state: Option<&StateExplanation>) -> &'static str {
        let Some(state) = state else {
            return self.pick_static("không xét", "not considered");
        };
        let decision = state.enrolment.as_ref().map(|read| read.text.as_str());
        let is = |wanted| decision == Some(wanted);
        match (state.qualifies, state.entitled) {
            _ if is("suspended") => self.pick_static(
                "không hưởng, vì quyết định đang tạm dừng",
                "not paid, because the decision is suspended",
            ),
            (_, Ok(Truth::True)) => self.pick_static(
                "không phát sinh mức hưởng trong tháng",
                "nothing is due in this month",
            ),
            (Ok(Truth::True), _) => self.pick_static(
                "đủ điều kiện nhưng chưa có quyết định",
                "qualifies, but there is no decision",
            ),
            (Ok(Truth::Undetermined), _) => self.pick_static(
                "có thể đủ điều kiện, còn thông tin chưa rõ",
                "may qualify, something is not known",
            ),
            _ if Self::excluded(state) => self.pick_static(
                "không hưởng, vì thuộc trường hợp loại trừ",
                "not paid, because an exclusion applies",
            ),
            _ if is("active") => self.pick_static(
                "có quyết định nhưng không đủ điều kiện",
                "has a decision, but does not qualify",
            ),
            _ => self.pick_static("không đủ điều kiện", "does not qualify"),
        }
    }

    fn pick_static(&self, vi: &'static str, en: &'static str) -> &'static str {
        match self.lang() {
            Lang::Vi => vi,
            Lang::En => en,
        }
    }

    /// Since when a value holds, when and by whom it was recorded, and on what it rests.
    fn source(&self, behind: &ValueBehind) -> String {
        let (Some(record), Some(recording)) = (&behind.record, &behind.recording) else {
            return self.pick("không có ghi nhận", "nothing on record").to_owned();
        };
        let mut parts = Vec::new();
        let until = behind.until().map(|until| words::month(until, self.lang()));
        if let Some(since) = behind.since() {
            let since = words::month(since, self.lang());
            parts.push(match (self.lang(), until) {
                (Lang::Vi, None) => format!("từ tháng {since}"),
                (Lang::Vi, Some(until)) => format!("từ tháng {since} đến hết tháng {until}"),
                (Lang::En, None) => format!("since {since}"),
                (Lang::En, Some(until)) => format!("from {since} until {until}"),
            });
        }
        let at = Date::in_vietnam(recording.at).map_or_else(
            |_| recording.at.to_string(),
            |date| words::date(date, self.lang()),
        );
        let why = if recording.reason.is_empty() {
            String::new()
        } else {
            format!(" ({})", recording.reason)
        };
        let (number, author) = (record.recorded.get(), &recording.author);
        parts.push(match self.lang() {
            Lang::Vi => format!("{author}{why} ghi nhận ngày {at}, giao dịch số {number}"),
            Lang::En => format!("recorded {at} by {author}{why}, transaction {number}"),
        });
        if let Some(document) = behind.document() {
            parts.push(format!("{} {document}", self.pick("văn bản:", "document:")));
        }
        parts.join("; ")
    }
}

impl<'e> Writing<'_, 'e> {
    fn line(&mut self, indent: usize, text: &str) -> Result<(), Failure> {
        self.output.line(format_args!("{:indent$}{text}", ""))
    }

    fn answer(&mut self) -> Result<(), Failure> {
        let shown = self.shown;
        self.line(0, &shown.headline())?;
        let person = &shown.explained.person;
        if person.entered_in_error {
            let text = shown.pick(
                "Hồ sơ này đã được xác định là nhập nhầm.",
                "This record was entered in error.",
            );
            self.line(0, text)?;
        }
        if let Some(into) = person.merged_into {
            let into = shown.describer.person(into)?;
            let text = match shown.lang() {
                Lang::Vi => format!("Hồ sơ này đã được nhập vào hồ sơ {into}."),
                Lang::En => format!("This record was merged into {into}."),
            };
            self.line(0, &text)?;
        }
        self.line(0, &shown.determined())
    }

    fn programmes(&mut self) -> Result<(), Failure> {
        let shown = self.shown;
        let mut number = 0;
        for programme in shown.programmes() {
            let has_line = shown.lines_of(programme.number).next().is_some();
            let is_shown = if shown.words.hides_programme(programme.number) {
                has_line
            } else {
                shown.all || shown.matters(programme)
            };
            if is_shown {
                number += 1;
                self.programme(number, programme)?;
            }
        }
        Ok(())
    }

    fn programme(&mut self, number: usize, programme: &'e ProgrammeExplanation) -> Result<(), Failure> {
        let shown = self.shown;
        let decisive = shown.decisive(programme);
        let state = decisive.as_ref().map(|decisive| decisive.state);
        let title = shown.words.programme(programme.number);
        self.line(0, "")?;
        self.line(
            0,
            &format!("{number}. {title}: {}", shown.choice(programme, state)),
        )?;
        if shown.words.hides_programme(programme.number) {
            return Ok(());
        }
        let cite = words::cite(&programme.cite, shown.lang());
        let basis = shown.pick("Căn cứ", "Law");
        self.line(3, &format!("{basis}: {cite} [{}]", programme.confidence))?;
        let Some(decisive) = decisive else {
            return Ok(());
        };
        self.basis(programme, &decisive)?;
        self.conditions(&decisive)?;
        self.decision(&decisive)?;
        match &decisive.state.amount {
            Some(amount) => self.amount(programme, amount, decisive.month),
            None => Ok(()),
        }
    }

    /// Where the state of the month before decides: which conditions were lost since.
    fn basis(&mut self, programme: &'e ProgrammeExplanation, decisive: &Decisive<'_>) -> Result<(), Failure> {
        let shown = self.shown;
        if decisive.month == shown.explained.month {
            return Ok(());
        }
        let month = words::month(decisive.month, shown.lang());
        let text = match shown.lang() {
            Lang::Vi => format!("Xét theo tình trạng cuối tháng {month}."),
            Lang::En => format!("By the state at the end of {month}."),
        };
        self.line(3, &text)?;
        for line in shown.lines_of(programme.number) {
            self.line(3, &format!("{}.", capital(&shown.reason_of(line))))?;
        }
        let lost = programme.end_of_month.iter().flat_map(|state| &state.conditions);
        for condition in lost.filter(|condition| stands_in_the_way(condition)) {
            self.condition(condition, shown.explained.month)?;
        }
        Ok(())
    }

    fn conditions(&mut self, decisive: &Decisive<'_>) -> Result<(), Failure> {
        let shown = self.shown;
        let (exclusions, conditions): (Vec<_>, Vec<_>) = decisive
            .state
            .conditions
            .iter()
            .partition(|condition| condition.excludes_by.is_some());
        // A provincial condition is of interest only to whom the national ones leave out.
        let nationally = conditions.iter().all(|condition| !stands_in_the_way(condition));
        for (title, conditions) in [
            (shown.pick("Điều kiện:", "Conditions:"), conditions),
            (shown.pick("Trường hợp loại trừ:", "Exclusions:"), exclusions),
        ] {
            if !conditions.is_empty() {
                self.line(3, title)?;
            }
            for condition in conditions {
                if condition.widens_by.is_none() || !nationally || shown.all {
                    self.condition(condition, decisive.month)?;
                }
            }
        }
        Ok(())
    }

    fn condition(&mut self, condition: &ConditionExplanation, month: Month) -> Result<(), Failure> {
        let shown = self.shown;
        let asked = capital(&shown.words.condition(condition));
        if shown.words.hides_condition(condition) {
            return self.line(3, &format!("- {asked}"));
        }
        let answer = match (condition.truth, condition.excludes_by.is_some()) {
            (Ok(Truth::True), false) => shown.pick("đáp ứng", "met"),
            (Ok(Truth::False), false) => shown.pick("không đáp ứng", "not met"),
            (Ok(Truth::True), true) => shown.pick("thuộc trường hợp", "applies"),
            (Ok(Truth::False), true) => shown.pick("không thuộc trường hợp", "does not apply"),
            (other, _) => shown.words.truth(other),
        };
        let cite = condition.excludes_by.as_ref().or(condition.widens_by.as_ref());
        let cite = cite.map_or_else(String::new, |cite| {
            format!(" ({})", words::cite(cite, shown.lang()))
        });
        self.line(3, &format!("- [{answer}] {asked}{cite}"))?;
        self.reads(&asked, &condition.reads, month)?;
        for figure in &condition.parameters {
            self.figure(figure)?;
        }
        Ok(())
    }

    /// The facts that were read for what is asked; what nothing is on record of comes last, in one line.
    fn reads(&mut self, asked: &str, reads: &[Read], month: Month) -> Result<(), Failure> {
        let shown = self.shown;
        let mut unrecorded = Vec::new();
        for read in reads {
            let (title, value) = shown.value_of(read)?;
            let title = capital(&title);
            // Of a single fact the question need not be repeated.
            let label = match &read.group {
                _ if reads.len() > 1 || !asked.starts_with(&title) => title,
                Some(_) => shown.pick("Kết quả", "Found").to_owned(),
                None => shown.pick("Ghi nhận", "On record").to_owned(),
            };
            let behind = Shown::rests_on(read).and_then(|attribute| shown.behind(attribute, month));
            if behind.is_some_and(|behind| behind.record.is_none()) {
                unrecorded.push((label, value));
                continue;
            }
            let mut text = format!("{label}: {value}");
            if let Some(attribute) = Shown::rests_on(read) {
                text.push_str(&self.fact(attribute, month));
            }
            if let Some(group) = &read.group
                && !group.people.is_empty()
            {
                text = format!("{text}: {}", self.people(&group.people)?);
            }
            self.line(7, &text)?;
        }
        self.unrecorded(&unrecorded)
    }

    fn unrecorded(&mut self, facts: &[(String, String)]) -> Result<(), Failure> {
        let shown = self.shown;
        if facts.len() > UNRECORDED_SHOWN_MAX && !shown.all {
            let count = facts.len();
            let text = match shown.lang() {
                Lang::Vi => {
                    format!("Không có ghi nhận nào đối với {count} nội dung được xét (xem bằng --all)")
                }
                Lang::En => {
                    format!("Nothing is on record of {count} facts that were asked for (see them with --all)")
                }
            };
            return self.line(7, &text);
        }
        for (label, value) in facts {
            let text = match (label.as_str(), shown.lang()) {
                ("Ghi nhận", Lang::Vi) => format!("Không có ghi nhận, xem là: {value}"),
                ("On record", Lang::En) => format!("Nothing on record, which counts as: {value}"),
                (label, Lang::Vi) => format!("{label}: không có ghi nhận, xem là: {value}"),
                (label, Lang::En) => format!("{label}: nothing on record, which counts as: {value}"),
            };
            self.line(7, &text)?;
        }
        Ok(())
    }

    fn people(&self, people: &[PersonNumber]) -> Result<String, Failure> {
        let named = people.iter().take(PEOPLE_SHOWN_MAX);
        let named: Result<Vec<String>, Failure> =
            named.map(|&person| self.shown.describer.person(person)).collect();
        let more = if people.len() > PEOPLE_SHOWN_MAX {
            ", …"
        } else {
            ""
        };
        Ok(format!("{}{more}", named?.join(", ")))
    }

    /// A figure, with its source the first time that it is told of.
    fn figure(&mut self, figure: &ParameterRead) -> Result<(), Failure> {
        let text = self.shown.words.figure(figure);
        if self.figures_told.insert(text.clone()) {
            return self.line(7, &text);
        }
        let brief = self.shown.words.figure_brief(figure);
        let above = self.shown.pick("(đã nêu trên)", "(as above)");
        self.line(7, &format!("{brief} {above}"))
    }

    /// What stands behind a value, the first time that it is told of.
    fn fact(&self, attribute: AttributeNumber, month: Month) -> String {
        let shown = self.shown;
        let Some(behind) = shown.behind(attribute, month) else {
            return String::new();
        };
        if behind.record.is_some() && !self.facts_told.borrow_mut().insert((attribute, behind.month)) {
            return shown.pick(" (đã nêu trên)", " (as above)").to_owned();
        }
        let born = match behind.value {
            Some(value) if attribute == builtin::BIRTH => {
                let (title, born) = (
                    shown.words.attribute(attribute),
                    shown.words.value(attribute, value),
                );
                format!("{title} {born}; ")
            }
            _ => String::new(),
        };
        format!(" ({born}{})", shown.source(behind))
    }

    fn decision(&mut self, decisive: &Decisive<'_>) -> Result<(), Failure> {
        let shown = self.shown;
        let title = shown.pick("Quyết định", "Decision");
        let Some(read) = &decisive.state.enrolment else {
            let text = shown.pick("không cần quyết định", "none is needed");
            return self.line(3, &format!("{title}: {text}"));
        };
        let (_, value) = shown.words.read(read);
        let of = |read: &Read| {
            read.attribute
                .map_or_else(String::new, |attribute| self.fact(attribute, decisive.month))
        };
        let text = format!("{title}: {value}{}", of(read));
        let mut earlier = Vec::new();
        for read in &decisive.state.earlier {
            if read.value == Value::Enum(EnrolmentState::None as u16) && !shown.all {
                continue;
            }
            let (title, value) = shown.words.read(read);
            earlier.push(format!("{}: {value}{}", capital(&title), of(read)));
        }
        self.line(3, &text)?;
        for text in earlier {
            self.line(3, &text)?;
        }
        Ok(())
    }

    fn amount(
        &mut self,
        programme: &ProgrammeExplanation,
        amount: &AmountExplanation,
        month: Month,
    ) -> Result<(), Failure> {
        let shown = self.shown;
        let title = shown.pick("Mức hưởng", "Amount");
        let rule = shown.words.amount(programme.number, amount);
        self.line(3, &format!("{title}: {rule}"))?;
        if shown.words.hides_amount(amount) {
            return Ok(());
        }
        let came_to = shown
            .words
            .calculation(amount)
            .unwrap_or_else(|| shown.words.came_to(amount));
        self.line(7, &format!("= {came_to}"))?;
        for figure in &amount.parameters {
            self.figure(figure)?;
        }
        self.reads("", &amount.reads, month)
    }

    fn combination(&mut self) -> Result<(), Failure> {
        let shown = self.shown;
        let groups = &shown.explained.explanation.groups;
        if groups.is_empty() {
            return Ok(());
        }
        self.line(0, "")?;
        self.line(0, shown.pick("Kết hợp các chế độ:", "Combination:"))?;
        for sentence in groups.iter().flat_map(|group| shown.words.combination(group)) {
            self.line(0, &format!("- {}.", capital(&sentence)))?;
        }
        if groups.len() > 1 {
            let total = shown.sum(LineKind::Paid);
            let text = match shown.lang() {
                Lang::Vi => format!("- Các nhóm chế độ được hưởng đồng thời; tổng cộng: {total}."),
                Lang::En => format!("- These groups are paid beside each other; in all: {total}."),
            };
            self.line(0, &text)?;
        }
        Ok(())
    }

    /// The programmes that do not apply, in one line.
    fn others(&mut self) -> Result<(), Failure> {
        let shown = self.shown;
        if shown.all {
            return Ok(());
        }
        let others = shown.programmes().iter();
        let others: Vec<&str> = others
            .filter(|programme| !shown.words.hides_programme(programme.number) && !shown.matters(programme))
            .map(|programme| programme.id.as_str())
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let (count, list) = (others.len(), others.join(", "));
        let text = match shown.lang() {
            Lang::Vi => format!("Không thuộc diện hưởng {count} chế độ khác (xem bằng --all): {list}."),
            Lang::En => format!("{count} other programmes do not apply (see them with --all): {list}."),
        };
        self.line(0, "")?;
        self.line(0, &text)
    }
}
