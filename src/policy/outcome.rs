//! The outcome of one person's month.

use std::fmt;

use bincode::{Decode, Encode};

use super::expr::range::Fault;
use crate::kernel::catalogue::{Catalogue, builtin};
use crate::types::{AttributeNumber, Dong, ProgrammeNumber};

/// What the month is for a person. The order is the precedence: error before paid before held before zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Status {
    /// Something could not be worked out because of a fault in the pack or the data. Lines that are certain
    /// without it stand beside it.
    Error,
    /// An amount is owed.
    Paid,
    /// Nothing is certain, but something may be owed.
    Held,
    /// Nothing is owed.
    Zero,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum LineKind {
    /// Owed, whatever the unknown may be.
    Paid,
    /// Owed at most, beyond what is paid, if the unknown turns out so.
    Held,
    /// Not worked out; the amount is zero.
    Error,
}

/// The state by which a line was worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Basis {
    /// The state at the end of the month.
    EndOfMonth,
    /// The state at the end of the month before: a condition was lost in the month, which is still paid.
    EndOfMonthBefore,
}

/// Why a line stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[non_exhaustive]
pub enum LineReason {
    /// The conditions are met.
    Entitled,
    /// It depends on these attributes, which are unknown ([`builtin::BIRTH`] for the month of birth).
    Unknown(Vec<AttributeNumber>),
    /// As [`LineReason::Unknown`], and the amount has no upper limit, so it is given as zero.
    UnknownWithoutLimit(Vec<AttributeNumber>),
    /// It could not be worked out.
    Fault(Fault),
}

/// A line of an outcome.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Line {
    /// The programme.
    pub programme: ProgrammeNumber,
    /// What the line is.
    pub kind: LineKind,
    /// The amount.
    pub amount: Dong,
    /// The state by which it was worked out.
    pub basis: Basis,
    /// Why it stands.
    pub reason: LineReason,
}

/// The one primary reason of an outcome.
///
/// Where nothing is owed, it is the first of `Suspended`, `BeginsNextMonth`, `NothingDue`, `NotEnrolled`, `Excluded`
/// (by an attribute or by a programme), `NoLongerQualifies`, `MayQualify`, `NoProgramme` that applies to any programme:
/// what an office would look at first comes first. Of several programmes with the same reason it names the one declared first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[non_exhaustive]
pub enum Reason {
    /// Something is paid.
    Entitled,
    /// Nothing is certain; the lines say what it depends on.
    Undetermined,
    /// Something could not be worked out.
    Fault(Fault),
    /// Neither at the end of the month nor of the month before alive and present.
    NotPresent,
    /// The conditions may be met; the enrolment is suspended.
    Suspended(ProgrammeNumber),
    /// Entitled, but the amount is zero.
    NothingDue(ProgrammeNumber),
    /// The conditions are met; there is no decision.
    NotEnrolled(ProgrammeNumber),
    /// Enrolled and otherwise qualified, but this attribute excludes.
    Excluded(ProgrammeNumber, AttributeNumber),
    /// Enrolled, but the conditions are not met.
    NoLongerQualifies(ProgrammeNumber),
    /// There is no decision, and something unknown leaves open whether the conditions are met.
    MayQualify(ProgrammeNumber),
    /// The conditions of no programme are met.
    NoProgramme,
    /// Otherwise qualified, but being entitled to the second programme excludes from the first.
    ExcludedByProgramme(ProgrammeNumber, ProgrammeNumber),
    /// Entitled, but the programme begins in the month after its conditions are met.
    BeginsNextMonth(ProgrammeNumber),
    /// The campaign has paid this person before.
    AlreadyPaid(ProgrammeNumber),
}

/// What a month is for a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Outcome {
    /// The status.
    pub status: Status,
    /// The lines, by the pack's order of programmes; of one programme paid before held before error.
    pub lines: Vec<Line>,
    /// The one primary reason.
    pub reason: Reason,
}

/// A language in which results are described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Vietnamese.
    Vi,
    /// English.
    En,
}

impl Outcome {
    /// Whether something is paid and something is held besides.
    pub fn paid_with_held(&self) -> bool {
        self.status == Status::Paid && self.lines.iter().any(|line| line.kind == LineKind::Held)
    }

    /// The lines of a kind.
    pub fn lines_of(&self, kind: LineKind) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.kind == kind)
    }
}

impl Reason {
    /// The name of the reason in files and examples.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Entitled => "entitled",
            Self::Undetermined => "undetermined",
            Self::Fault(_) => "fault",
            Self::NotPresent => "not_present",
            Self::Suspended(_) => "suspended",
            Self::NothingDue(_) => "nothing_due",
            Self::NotEnrolled(_) => "not_enrolled",
            Self::Excluded(..) | Self::ExcludedByProgramme(..) => "excluded",
            Self::BeginsNextMonth(_) => "begins_next_month",
            Self::AlreadyPaid(_) => "already_paid",
            Self::NoLongerQualifies(_) => "no_longer_qualifies",
            Self::MayQualify(_) => "may_qualify",
            Self::NoProgramme => "no_programme",
        }
    }

    /// The programme that the reason names.
    pub const fn programme(&self) -> Option<ProgrammeNumber> {
        match self {
            Self::Suspended(programme)
            | Self::NothingDue(programme)
            | Self::NotEnrolled(programme)
            | Self::Excluded(programme, _)
            | Self::ExcludedByProgramme(programme, _)
            | Self::BeginsNextMonth(programme)
            | Self::AlreadyPaid(programme)
            | Self::NoLongerQualifies(programme)
            | Self::MayQualify(programme) => Some(*programme),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Paid => "paid",
            Self::Held => "held",
            Self::Zero => "zero",
        })
    }
}

fn title(catalogue: &Catalogue, programme: ProgrammeNumber, lang: Lang) -> String {
    catalogue.programme_by_number(programme).map_or_else(
        || programme.to_string(),
        |known| match lang {
            Lang::Vi => known.title_vi.clone(),
            Lang::En => known.title_en.clone(),
        },
    )
}

fn attribute_name(catalogue: &Catalogue, attribute: AttributeNumber, lang: Lang) -> String {
    if attribute == builtin::BIRTH {
        return match lang {
            Lang::Vi => "tháng sinh".to_owned(),
            Lang::En => "month of birth".to_owned(),
        };
    }
    if attribute == builtin::SEX {
        return match lang {
            Lang::Vi => "giới tính".to_owned(),
            Lang::En => "sex".to_owned(),
        };
    }
    catalogue
        .attribute_by_number(attribute)
        .map_or_else(|| attribute.to_string(), |known| known.name.clone())
}

pub(super) fn fault_text(fault: Fault, lang: Lang) -> &'static str {
    match (fault, lang) {
        (Fault::Overflow, Lang::Vi) => "không tính được: số quá lớn",
        (Fault::Overflow, Lang::En) => "could not be worked out: a number is too great",
        (Fault::Fraction, Lang::Vi) => "không tính được: số tiền không tròn đồng",
        (Fault::Fraction, Lang::En) => "could not be worked out: the amount is not a whole number of đồng",
        (Fault::Negative, Lang::Vi) => "không tính được: số tiền âm",
        (Fault::Negative, Lang::En) => "could not be worked out: the amount is below zero",
        (Fault::DivisionByZero, Lang::Vi) => "không tính được: chia cho 0",
        (Fault::DivisionByZero, Lang::En) => "could not be worked out: a division by zero",
        (Fault::NoRow, Lang::Vi) => "không tính được: bảng mức hưởng không có dòng tương ứng",
        (Fault::NoRow, Lang::En) => "could not be worked out: the table has no row for these values",
        (Fault::UnfitValue, Lang::Vi) => "không tính được: giá trị ghi nhận sai kiểu",
        (Fault::UnfitValue, Lang::En) => {
            "could not be worked out: a recorded value has another type than its attribute"
        }
    }
}

/// A reason in words.
pub fn describe(reason: &Reason, catalogue: &Catalogue, lang: Lang) -> String {
    let title = |programme: ProgrammeNumber| title(catalogue, programme, lang);
    match (*reason, lang) {
        (Reason::Fault(fault), _) => fault_text(fault, lang).to_owned(),
        (Reason::Entitled, Lang::Vi) => "đủ điều kiện hưởng".to_owned(),
        (Reason::Entitled, Lang::En) => "entitled".to_owned(),
        (Reason::Undetermined, Lang::Vi) => "chưa xác định: còn thông tin chưa biết".to_owned(),
        (Reason::Undetermined, Lang::En) => "undetermined: something is not known".to_owned(),
        (Reason::NotPresent, Lang::Vi) => "không cư trú hoặc đã mất".to_owned(),
        (Reason::NotPresent, Lang::En) => "not alive and present".to_owned(),
        (Reason::Suspended(p), Lang::Vi) => format!("đang tạm dừng: {}", title(p)),
        (Reason::Suspended(p), Lang::En) => format!("suspended: {}", title(p)),
        (Reason::NothingDue(p), Lang::Vi) => format!("mức hưởng bằng 0: {}", title(p)),
        (Reason::NothingDue(p), Lang::En) => format!("the amount is zero: {}", title(p)),
        (Reason::NotEnrolled(p), Lang::Vi) => format!("đủ điều kiện nhưng chưa có quyết định: {}", title(p)),
        (Reason::NotEnrolled(p), Lang::En) => format!("qualifies, but there is no decision: {}", title(p)),
        (Reason::Excluded(p, by), _) => {
            let by = attribute_name(catalogue, by, lang);
            match lang {
                Lang::Vi => format!("không được hưởng {} do {by}", title(p)),
                Lang::En => format!("excluded from {} by {by}", title(p)),
            }
        }
        (Reason::ExcludedByProgramme(p, by), Lang::Vi) => {
            format!("không được hưởng {} vì được hưởng {}", title(p), title(by))
        }
        (Reason::ExcludedByProgramme(p, by), Lang::En) => {
            format!("excluded from {} by {}", title(p), title(by))
        }
        (Reason::BeginsNextMonth(p), Lang::Vi) => format!("được hưởng từ tháng sau: {}", title(p)),
        (Reason::BeginsNextMonth(p), Lang::En) => format!("begins in the month after: {}", title(p)),
        (Reason::AlreadyPaid(p), Lang::Vi) => format!("đã được chi trả một lần: {}", title(p)),
        (Reason::AlreadyPaid(p), Lang::En) => format!("was paid once before: {}", title(p)),
        (Reason::NoLongerQualifies(p), Lang::Vi) => format!("không còn đủ điều kiện: {}", title(p)),
        (Reason::NoLongerQualifies(p), Lang::En) => format!("no longer qualifies: {}", title(p)),
        (Reason::MayQualify(p), Lang::Vi) => {
            format!("có thể đủ điều kiện, còn thông tin chưa biết: {}", title(p))
        }
        (Reason::MayQualify(p), Lang::En) => format!("may qualify, something is not known: {}", title(p)),
        (Reason::NoProgramme, Lang::Vi) => "không thuộc diện hưởng chế độ nào".to_owned(),
        (Reason::NoProgramme, Lang::En) => "meets the conditions of no programme".to_owned(),
    }
}

/// A line's reason in words.
pub fn describe_line(line: &Line, catalogue: &Catalogue, lang: Lang) -> String {
    let names = |attributes: &[AttributeNumber]| {
        let names: Vec<String> = attributes
            .iter()
            .map(|&attribute| attribute_name(catalogue, attribute, lang))
            .collect();
        names.join(", ")
    };
    let before = line.basis == Basis::EndOfMonthBefore;
    match (&line.reason, lang) {
        (LineReason::Fault(fault), _) => fault_text(*fault, lang).to_owned(),
        (LineReason::Entitled, Lang::Vi) if before => {
            "hết điều kiện trong tháng: hưởng hết tháng, thôi từ tháng sau".to_owned()
        }
        (LineReason::Entitled, Lang::En) if before => {
            "a condition was lost in the month: it is paid in full and stops from the next".to_owned()
        }
        (LineReason::Entitled, _) => describe(&Reason::Entitled, catalogue, lang),
        (LineReason::Unknown(attributes), Lang::Vi) => format!("tạm giữ, chưa biết: {}", names(attributes)),
        (LineReason::Unknown(attributes), Lang::En) => format!("held, not known: {}", names(attributes)),
        (LineReason::UnknownWithoutLimit(attributes), Lang::Vi) => {
            format!(
                "tạm giữ, chưa tính được mức tối đa, chưa biết: {}",
                names(attributes)
            )
        }
        (LineReason::UnknownWithoutLimit(attributes), Lang::En) => {
            format!(
                "held, the greatest amount is open, not known: {}",
                names(attributes)
            )
        }
    }
}
