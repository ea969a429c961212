//! The header of a run: what was run, by which law and which data, and what came out.

use bincode::{Decode, Encode};

use crate::format::totals::StatusCounts;
use crate::format::{FormatError, record};
use crate::kernel::{ReadError, View};
use crate::types::{Date, Month, ProgrammeNumber, Sequence, UnitNumber};

/// The version of headers and dictionaries.
pub(super) const HEADER_VERSION: u8 = 1;

/// What kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum RunKind {
    /// The entitlements of a month.
    Monthly,
    /// A one-off: each person at most once ever.
    Campaign,
    /// What is owed, or to be paid back, for earlier months.
    Correction,
}

/// Whose entitlements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Scope {
    /// Everyone.
    Country,
    /// The people of a province, by the number of its code.
    Province(u8),
}

/// Whether a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum RunStatus {
    /// It can still be voided.
    Draft,
    /// It stands; only corrections change what is owed.
    Final,
    /// It does not count.
    Void,
}

/// A figure or rule of low confidence that was in force in a run.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Doubtful {
    /// What.
    pub what: String,
    /// The mark: `S3`, `M` or `?`.
    pub confidence: String,
    /// The source.
    pub source: String,
}

/// What a campaign run paid, and whom it left out because they had been paid before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CampaignRun {
    /// The programme, by its permanent number.
    pub programme: ProgrammeNumber,
    /// The programme's identifier.
    pub name: String,
    /// The other runs of the campaign that stood then, of whatever month and scope, by their numbers in ascending order:
    /// nobody whom one of them paid is paid again.
    pub earlier: Vec<u32>,
    /// Records that were known at this sequence to be of one person counted as one person.
    pub mergers_known: Sequence,
}

/// The header of a run.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RunHeader {
    /// Its number in the registry.
    pub number: u32,
    /// The caller's ID: the same run under the same ID is not made twice.
    pub id: String,
    /// What kind of run.
    pub kind: RunKind,
    /// The campaign, of a campaign run.
    pub campaign: Option<CampaignRun>,
    /// Whose entitlements.
    pub scope: Scope,
    /// The month.
    pub month: Month,
    /// Whether it stands.
    pub status: RunStatus,
    /// The hash of the pack.
    pub pack: [u8; 32],
    /// The pack's identifier and version.
    pub pack_name: String,
    /// The law as known on this day.
    pub law_known_on: Date,
    /// The data as known at this sequence.
    pub data_as_of: Sequence,
    /// The version of this library.
    pub code: String,
    /// Figures and rules of low confidence that were in force.
    pub doubtful: Vec<Doubtful>,
    /// People by status: in scope, paid, paid with something held, zero, held, error.
    pub people: u64,
    /// Of them, those who are paid something.
    pub paid: u64,
    /// Of those paid, the ones of whom something else is held.
    pub paid_with_held: u64,
    /// Those who are due nothing.
    pub zero: u64,
    /// Those of whom something is held and who are paid nothing.
    pub held: u64,
    /// Those whose calculation failed.
    pub error: u64,
    /// The sum of what is paid, in đồng.
    pub amount: i128,
    /// The sum of what is held, in đồng.
    pub amount_held: i128,
    /// How many people were evaluated one by one, because their result depends on numbers of their own.
    pub one_by_one: u64,
}

/// The first fields of a header: enough to tell whether a run is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Decode)]
pub(super) struct RunBrief {
    pub number: u32,
    id: String,
    kind: RunKind,
    campaign: Option<CampaignRun>,
    pub scope: Scope,
    month: Month,
    status: RunStatus,
}

impl RunBrief {
    pub(super) fn decode(number: u32, bytes: &[u8]) -> Result<Self, ReadError> {
        let (brief, _) = record::decode_front(HEADER_VERSION, bytes).map_err(malformed(number))?;
        Ok(brief)
    }

    /// As [`RunHeader::stands_for`].
    pub(super) fn stands_for(&self, campaign: Option<&str>) -> bool {
        let of = self.campaign.as_ref().map(|campaign| campaign.name.as_str());
        stands_for(self.kind, of, self.status, campaign)
    }
}

/// Whether a run of a kind, of a campaign or of none, is one of the campaign that is asked about, or monthly.
fn stands_for(kind: RunKind, of: Option<&str>, status: RunStatus, campaign: Option<&str>) -> bool {
    let wanted = campaign.map_or(RunKind::Monthly, |_| RunKind::Campaign);
    kind == wanted && of == campaign && status != RunStatus::Void
}

fn malformed(number: u32) -> impl FnOnce(FormatError) -> ReadError {
    move |source| ReadError::Format {
        table: "runs",
        key: number.to_string(),
        source,
    }
}

impl RunHeader {
    /// The identifier of the campaign's programme; `None` if this is no campaign run.
    pub fn campaign_name(&self) -> Option<&str> {
        self.campaign.as_ref().map(|campaign| campaign.name.as_str())
    }

    /// Whether it is a run of this campaign or, without one, a monthly run, and is not void.
    pub(super) fn stands_for(&self, campaign: Option<&str>) -> bool {
        stands_for(self.kind, self.campaign_name(), self.status, campaign)
    }

    /// People by status.
    pub const fn counts(&self) -> StatusCounts {
        StatusCounts {
            people: self.people,
            paid: self.paid,
            paid_with_held: self.paid_with_held,
            zero: self.zero,
            held: self.held,
            error: self.error,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        record::encode(HEADER_VERSION, self)
    }

    pub(super) fn decode(number: u32, bytes: &[u8]) -> Result<Self, ReadError> {
        record::decode(HEADER_VERSION, bytes).map_err(malformed(number))
    }
}

impl std::fmt::Display for RunKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Monthly => "monthly",
            Self::Campaign => "campaign",
            Self::Correction => "correction",
        })
    }
}

impl std::fmt::Display for RunStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Draft => "draft",
            Self::Final => "final",
            Self::Void => "void",
        })
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Country => f.write_str("country"),
            Self::Province(code) => write!(f, "province {code:02}"),
        }
    }
}

impl Scope {
    /// Whether the people of a unit are in scope.
    pub fn covers(self, view: &View, unit: UnitNumber) -> bool {
        match self {
            Self::Country => true,
            Self::Province(code) => view
                .unit(unit)
                .is_some_and(|unit| unit.declared.province.number() == code),
        }
    }

    /// Whether anyone can be in both scopes.
    pub fn overlaps(self, other: Self) -> bool {
        self == other || self == Self::Country || other == Self::Country
    }
}
