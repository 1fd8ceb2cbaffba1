//! The only way into a copy: a backup, an import, or an account that was exported and comes back. The original may have
//! gone on, so everything that could use a message key a second time is discarded before the account opens
//! (chapter 04 §21).

use crate::account::AccountStore;
use crate::backend::Scan;
use crate::changes::Changes;
use crate::error::StoreError;
use crate::key::Key;
use crate::lease::{AccountState, Intent};
use crate::records::{Device, Record, Sending, Session};
use crate::store::Account;
use crate::tables::{Devices, Sessions};
use crate::{Address, Table};

/// How far one-time pre-key ids jump: past everything that the original can have offered since.
const PREKEY_JUMP: u32 = 1 << 20;
/// Largest pre-key id: 24 bits (chapter 02 §1).
const PREKEY_MAX: u32 = 0x00FF_FFFF;
/// Sessions that one commit marks.
const PAGE: usize = 256;

/// A copy that was made usable.
#[derive(Debug)]
pub struct Restored {
    /// The opened account.
    pub account: AccountStore,
    /// Sessions whose sending chain is not used any more: the next message to each builds a new one.
    pub sessions: u64,
    /// Session rows that were damaged and are gone.
    pub damaged: u64,
}

impl Account {
    /// Opens a copy: raises the epoch, marks every session as not for sending, forgets own sender keys and who has them,
    /// burns the one-time pre-keys and moves their ids on. Messages that are on their way still decrypt where the copy is
    /// recent enough, and heal by retry receipts where it is not. Run it only when the original is gone for good:
    /// two running copies of one device break each other's sessions.
    ///
    /// Safe to repeat; until it has finished the account does not open otherwise.
    ///
    /// # Errors
    /// [`StoreError::UnknownAccount`], [`StoreError::Held`], and what the backend says.
    pub async fn restore(&self) -> Result<Restored, StoreError> {
        let acquired = self.store.acquire(&self.id, Intent::Restore).await?;
        let account = self.opened(acquired).await?;
        let (sessions, damaged) = discard_sending(&account).await?;
        let mut changes = Changes::new();
        changes
            .clear_table(Table::OwnSenderKeys)
            .clear_table(Table::DistributionMarks)
            .clear_table(Table::PreKeys);
        if let Some(mut device) = account.one(Devices, &()).await? {
            burn_prekeys(&mut device);
            changes.put(Devices, &(), &device);
        }
        account.commit(changes).await?.release();
        self.store.0.backend.set_state(&self.id, acquired.epoch, AccountState::Active).await?;
        Ok(Restored { account, sessions, damaged })
    }
}

async fn discard_sending(account: &AccountStore) -> Result<(u64, u64), StoreError> {
    let (mut sessions, mut damaged) = (0, 0);
    let mut scan = Scan { table: Table::Sessions, prefix: Default::default(), after: None, limit: PAGE };
    loop {
        let page = account.raw_page(scan.clone()).await?;
        scan.after = page.last().map(|(key, _)| key.key.clone());
        let mut changes = Changes::new();
        for (key, payload) in page {
            let typed = Address::from_bytes(&key.key);
            match (typed, payload.ok().and_then(|(payload, _)| Session::from_stored(&payload).ok())) {
                (Some(address), Some(session)) => {
                    sessions += 1;
                    changes.put(Sessions, &address, &Session { sending: Sending::Discarded, ..session });
                }
                _ => {
                    damaged += 1;
                    changes.delete_row(key);
                }
            }
        }
        account.commit(changes).await?.release();
        if scan.after.is_none() {
            return Ok((sessions, damaged));
        }
    }
}

fn burn_prekeys(device: &mut Device) {
    let next = (u64::from(device.next_prekey_id) + u64::from(PREKEY_JUMP)) % u64::from(PREKEY_MAX);
    device.next_prekey_id = u32::try_from(next).unwrap_or(0).max(1);
    device.first_unuploaded_prekey_id = device.next_prekey_id;
    device.server_has_prekeys = false;
}
