//! What is kept of a person to be read, not to be calculated with.

/// What is kept of a person to be read one person at a time: nothing here enters a calculation.
#[derive(Debug, Clone, PartialEq, Eq, Default, bincode::Encode, bincode::Decode)]
pub struct Dossier {
    /// Full name.
    pub name: String,
    /// Address within the commune.
    pub address: String,
    /// Payment account: bank and number, or empty.
    pub account: String,
    /// The documents (decision number and date) of values that have held since the person's record began, by
    /// attribute number.
    pub documents: Vec<(u16, String)>,
}
