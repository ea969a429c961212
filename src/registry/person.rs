//! People and facts as callers give them: by names, not by numbers.

use crate::types::{
    BirthDate, CommuneCode, Date, Dong, Dossier, HouseholdId, Identifier, Month, PersonNumber, Sex, Value,
};

/// A value as a caller gives it: as text, which the attribute reads, or as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// Text: the name of a value, a number, a date, an amount, `unknown`, or the ID of a person.
    Text(String),
    /// A value.
    Value(Value),
}

impl From<&str> for Given {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<bool> for Given {
    fn from(yes: bool) -> Self {
        Self::Value(Value::Bool(yes))
    }
}

impl From<i64> for Given {
    fn from(number: i64) -> Self {
        Self::Value(Value::Integer(number))
    }
}

impl From<Date> for Given {
    fn from(date: Date) -> Self {
        Self::Value(Value::Date(date))
    }
}

impl From<Dong> for Given {
    fn from(amount: Dong) -> Self {
        Self::Value(Value::Money(amount))
    }
}

impl From<PersonNumber> for Given {
    fn from(person: PersonNumber) -> Self {
        Self::Value(Value::Person(person))
    }
}

/// A fact to be recorded.
///
/// ```
/// use ansinh::registry::Fact;
/// let fact = Fact::new("disability", "severe", "2026-03".parse()?)
///     .until("2028-02".parse()?)
///     .document("112/QĐ-UBND 2026-03-05");
/// assert_eq!(fact.from.to_string(), "2026-03");
/// # Ok::<(), ansinh::types::MonthError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The attribute's name.
    pub attribute: String,
    /// The value.
    pub value: Given,
    /// The first month in which it holds.
    pub from: Month,
    /// The last month in which it holds, if any.
    pub until: Option<Month>,
    /// The document that it rests on; may be empty.
    pub document: String,
}

impl Fact {
    /// A fact that holds from a month on.
    pub fn new(attribute: impl Into<String>, value: impl Into<Given>, from: Month) -> Self {
        Self {
            attribute: attribute.into(),
            value: value.into(),
            from,
            until: None,
            document: String::new(),
        }
    }

    /// Its last month.
    #[must_use]
    pub fn until(mut self, last: Month) -> Self {
        self.until = Some(last);
        self
    }

    /// The document that it rests on, for example `112/QĐ-UBND 2026-03-05`.
    #[must_use]
    pub fn document(mut self, document: impl Into<String>) -> Self {
        self.document = document.into();
        self
    }
}

/// Where a person lives, or moves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In a household that the registry has, wherever it lives.
    Household(HouseholdId),
    /// In a household in a commune. If the registry has a household of this ID, it must live there; otherwise it
    /// begins with this person.
    HouseholdIn(HouseholdId, CommuneCode),
    /// In a commune, without a household.
    Commune(CommuneCode),
    /// Not in the country, or not known where.
    Away,
}

/// A person to be inserted.
///
/// ```
/// use ansinh::registry::Person;
/// use ansinh::types::{Date, Identifier, Sex};
/// let person = Person::new("Nguyễn Văn A", "1950-03-17".parse::<Date>()?, Sex::Male)
///     .id("001050000017".parse::<Identifier>()?)
///     .household("HN-0001".parse()?)
///     .commune("00004".parse()?)
///     .from("2025-07".parse()?)
///     .fact("disability", "severe");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub(super) identifier: Option<Identifier>,
    pub(super) birth: BirthDate,
    pub(super) sex: Sex,
    pub(super) household: Option<HouseholdId>,
    pub(super) commune: Option<CommuneCode>,
    pub(super) away: bool,
    pub(super) from: Option<Month>,
    pub(super) facts: Vec<(String, Given)>,
    pub(super) dated: Vec<Fact>,
    pub(super) dossier: Dossier,
}

impl Person {
    /// A person by name, birth date and sex.
    pub fn new(name: impl Into<String>, birth: impl Into<BirthDate>, sex: Sex) -> Self {
        Self {
            identifier: None,
            birth: birth.into(),
            sex,
            household: None,
            commune: None,
            away: false,
            from: None,
            facts: Vec::new(),
            dated: Vec::new(),
            dossier: Dossier {
                name: name.into(),
                ..Dossier::default()
            },
        }
    }

    /// The personal or provisional ID. Without one the registry gives a provisional ID.
    #[must_use]
    pub fn id(mut self, identifier: impl Into<Identifier>) -> Self {
        self.identifier = Some(identifier.into());
        self
    }

    /// The household. If the registry has it, the person joins it; otherwise it begins with this person, in the
    /// commune that must then be given.
    #[must_use]
    pub fn household(mut self, id: HouseholdId) -> Self {
        self.household = Some(id);
        self
    }

    /// The commune. If the household is in the registry already, it must live in this commune.
    #[must_use]
    pub fn commune(mut self, code: CommuneCode) -> Self {
        self.commune = Some(code);
        self
    }

    /// The person lives in no commune: abroad, or not known where.
    #[must_use]
    pub fn away(mut self) -> Self {
        self.away = true;
        self
    }

    /// The month from which the record begins: that of the transaction's instant, unless given.
    #[must_use]
    pub fn from(mut self, month: Month) -> Self {
        self.from = Some(month);
        self
    }

    /// A fact that has held since the record begins.
    #[must_use]
    pub fn fact(mut self, attribute: impl Into<String>, value: impl Into<Given>) -> Self {
        self.facts.push((attribute.into(), value.into()));
        self
    }

    /// A fact with its months and its document.
    #[must_use]
    pub fn dated_fact(mut self, fact: Fact) -> Self {
        self.dated.push(fact);
        self
    }

    /// The address within the commune.
    #[must_use]
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.dossier.address = address.into();
        self
    }

    /// The payment account: bank and number.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.dossier.account = account.into();
        self
    }

    /// Where the person lives; `None` if neither household nor commune was given.
    pub(super) const fn home(&self) -> Option<Home> {
        match (self.away, self.household, self.commune) {
            (true, _, _) => Some(Home::Away),
            (false, Some(id), Some(code)) => Some(Home::HouseholdIn(id, code)),
            (false, Some(id), None) => Some(Home::Household(id)),
            (false, None, Some(code)) => Some(Home::Commune(code)),
            (false, None, None) => None,
        }
    }
}
