//! The pack in force, parsed once.

use std::sync::Arc;

use parking_lot::Mutex;

use super::RegistryError;
use crate::kernel::View;
use crate::kernel::catalogue::Catalogue;
use crate::policy::{MonthPolicy, Pack, Policy};
use crate::types::{Date, Month};

/// The last policy that was bound, with what it was bound from.
#[derive(Debug, Default)]
pub(super) struct Policies {
    in_force: Mutex<Option<Bound>>,
    of_month: Mutex<Option<OfMonth>>,
}

/// The policy of the month that was last asked for.
#[derive(Debug)]
struct OfMonth {
    hash: [u8; 32],
    /// The transaction that last changed the catalogue.
    catalogue: u64,
    campaign: Option<String>,
    law_known_on: Date,
    policy: Arc<MonthPolicy>,
}

#[derive(Debug)]
struct Bound {
    hash: [u8; 32],
    catalogue: Catalogue,
    policy: Policy,
}

impl Policies {
    /// The policy that a view has in force.
    pub(super) fn in_force(&self, view: &View) -> Result<Policy, RegistryError> {
        let hash = view.pack().ok_or(RegistryError::NoPack)?;
        let mut kept = self.in_force.lock();
        if let Some(bound) = &*kept
            && bound.hash == hash
            && bound.catalogue == *view.catalogue()
        {
            return Ok(bound.policy.clone());
        }
        let policy = bind(view, &hash)?;
        *kept = Some(Bound {
            hash,
            catalogue: view.catalogue().clone(),
            policy: policy.clone(),
        });
        Ok(policy)
    }

    /// The policy of a month, or of a campaign in it, by a pack that was ever adopted.
    pub(super) fn of_month(
        &self,
        view: &View,
        hash: &[u8; 32],
        campaign: Option<&str>,
        (month, law_known_on): (Month, Date),
    ) -> Result<Arc<MonthPolicy>, RegistryError> {
        let catalogue = view.catalogue_changed();
        if let Some(kept) = &*self.of_month.lock()
            && (kept.hash, kept.catalogue, kept.campaign.as_deref()) == (*hash, catalogue, campaign)
            && (kept.policy.month(), kept.law_known_on) == (month, law_known_on)
        {
            return Ok(Arc::clone(&kept.policy));
        }
        let policy = self.of_hash(view, hash)?;
        let policy = Arc::new(match campaign {
            None => policy.for_month(month, law_known_on)?,
            Some(name) => policy.for_campaign(month, law_known_on, name)?,
        });
        *self.of_month.lock() = Some(OfMonth {
            hash: *hash,
            catalogue,
            campaign: campaign.map(str::to_owned),
            law_known_on,
            policy: Arc::clone(&policy),
        });
        Ok(policy)
    }

    /// The policy of a pack that was ever adopted.
    pub(super) fn of_hash(&self, view: &View, hash: &[u8; 32]) -> Result<Policy, RegistryError> {
        if view.pack() == Some(*hash) {
            self.in_force(view)
        } else {
            bind(view, hash)
        }
    }
}

fn bind(view: &View, hash: &[u8; 32]) -> Result<Policy, RegistryError> {
    let no_such_pack = || RegistryError::NoSuchPack {
        hash: blake3::Hash::from_bytes(*hash).to_string(),
    };
    let text = view.pack_text(hash)?.ok_or_else(no_such_pack)?;
    Ok(Pack::from_bytes("the registry's pack", &text)?.bind(view.catalogue())?)
}
