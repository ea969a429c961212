//! The dated facts of a load, packed until all are there.

use super::prepare::Dated;
use crate::format::fact::{self, FactKey, KEY_BYTES};
use crate::kernel::operation::Subject;
use crate::types::Sequence;

/// Facts of subjects of one kind, in the order of their keys: subjects come in the order of their numbers.
///
/// Each stands as its key, the length of its content as u32, and its content.
#[derive(Default)]
pub(super) struct Facts {
    packed: Vec<u8>,
}

const LEN_BYTES: usize = size_of::<u32>();

impl Facts {
    /// Adds the facts of the next subject, which are in any order.
    pub(super) fn push(&mut self, subject: Subject, recorded: Sequence, facts: &mut [Dated]) {
        let (kind, number) = subject.key();
        facts.sort_unstable_by_key(|dated| (dated.fact.attribute, dated.fact.from));
        for Dated { fact, .. } in facts {
            let key = FactKey {
                kind,
                number,
                attribute: fact.attribute,
                from: fact.from,
                recorded,
            };
            let content = fact::encode(Some((fact.value, fact.until, fact.document.as_str())));
            self.packed.extend_from_slice(&key.encode());
            self.packed
                .extend_from_slice(&(content.len() as u32).to_le_bytes());
            self.packed.extend_from_slice(&content);
        }
    }

    /// Keys and contents, in the order of keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8; KEY_BYTES], &[u8])> {
        let mut left = self.packed.as_slice();
        std::iter::from_fn(move || {
            let (key, rest) = left.split_first_chunk::<KEY_BYTES>()?;
            let (len, rest) = rest.split_first_chunk::<LEN_BYTES>()?;
            let (content, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            left = rest;
            Some((key, content))
        })
    }
}
