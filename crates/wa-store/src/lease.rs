//! Who may write: the account row, its epoch, and the window of commits that were applied. Pure functions that every
//! backend calls inside its transaction, so that the rules are written once (chapter 04 §21 D8, D11).

use crate::backend::{AccountId, Applied, Batch, HolderId, MAX_BATCH_BYTES, MAX_BATCH_ROWS};
use crate::{StoreError, UnixTime};

/// How many commits back a repetition can still be recognized.
pub const WINDOW: u64 = 128;

/// Who writes: the epoch of the lease and the number of the commit inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// Rises with every opening of the account.
    pub epoch: u64,
    /// Names one commit of the epoch, from 1. Commits in flight together may arrive in any order. 0 is for those that
    /// are never repeated (slices of an import): they are fenced, not counted, and may wait for as long as they like.
    pub sequence: u64,
}

/// Whether and how an account can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AccountState {
    /// Normally.
    Active = 0,
    /// Not: it was exported.
    Moved = 1,
    /// Only with `restore()`: it is a copy from a backup or an import.
    NeedsRestore = 2,
    /// Not: it is being deleted.
    Deleting = 3,
}

impl AccountState {
    /// From the stored number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Active),
            1 => Some(Self::Moved),
            2 => Some(Self::NeedsRestore),
            3 => Some(Self::Deleting),
            _ => None,
        }
    }
}

/// What somebody wants to do with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Use it; make it if it does not exist.
    Open,
    /// Make a restored copy (or a moved account that was not used elsewhere) usable.
    Restore,
    /// Write it to a file. Allowed on a moved account, so that a broken export can be repeated.
    Export,
    /// Fill a new account from a file; it must not exist. Until the import sets another state, the account counts as
    /// being deleted: half an import can only be thrown away.
    Import {
        /// Epoch in the file: the new account goes on above it.
        epoch: u64,
    },
    /// Delete it.
    Delete,
}

impl Intent {
    /// The state after a successful `acquire`, or why the state forbids it.
    fn next(self, account: &AccountId, state: AccountState) -> Result<AccountState, StoreError> {
        match (self, state) {
            (Self::Delete, _) => Ok(AccountState::Deleting),
            (_, AccountState::Deleting) => Err(StoreError::Deleting(account.clone())),
            (Self::Import { .. }, _) => Err(StoreError::AccountExists(account.clone())),
            (Self::Restore, state) => Ok(state),
            (Self::Open | Self::Export, AccountState::Active) => Ok(AccountState::Active),
            (Self::Export, AccountState::Moved) => Ok(AccountState::Moved),
            (Self::Open, AccountState::Moved) => Err(StoreError::Moved(account.clone())),
            (Self::Open | Self::Export, AccountState::NeedsRestore) => {
                Err(StoreError::NeedsRestore(account.clone()))
            }
        }
    }
}

/// A lease that was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acquired {
    /// The new epoch.
    pub epoch: u64,
    /// Whether the account was made just now.
    pub created: bool,
    /// Its state now.
    pub state: AccountState,
}

/// What the backend knows about the holder that an account row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// No heartbeat row, or the operating system proves that the process is gone.
    Dead,
    /// Its heartbeat is valid until then (which may be past).
    Until(UnixTime),
}

/// The row of one account: name, lease, and which commits of the epoch were applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Who holds the account.
    pub holder: Option<HolderId>,
    /// Rises with every opening; a commit with another epoch is refused.
    pub epoch: u64,
    /// Highest sequence that was applied in this epoch; 0 for none.
    pub high: u64,
    /// Bit `n`: sequence `high - n` was applied.
    pub window: u128,
    /// Whether it can be opened.
    pub state: AccountState,
}

impl AccountRow {
    /// The row of an account that was never opened.
    pub const fn new() -> Self {
        Self { holder: None, epoch: 0, high: 0, window: 0, state: AccountState::Active }
    }

    /// Decides about an opening. `row` is what is stored, `None` for a name that is not known; `liveness` tells
    /// about the stored holder and is asked only when it is somebody else. `floor` is the epoch of the row of
    /// [`AccountId::system`], which rises with every deletion ([`deleted`](Self::deleted)): an account that is made
    /// anew under an old name never meets commits of the old one. On `Ok` the new row is to be written.
    ///
    /// # Errors
    /// [`StoreError::Held`] and the errors of the account's state; then nothing is to be written.
    pub fn acquire(
        row: Option<Self>,
        floor: u64,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        now: UnixTime,
        liveness: impl FnOnce(&HolderId) -> Result<Liveness, StoreError>,
    ) -> Result<(Self, Acquired), StoreError> {
        let Some(mut row) = row else {
            let (epoch, state) = match intent {
                Intent::Open => (floor.saturating_add(1), AccountState::Active),
                Intent::Import { epoch } => (epoch.max(floor).saturating_add(1), AccountState::Deleting),
                _ => return Err(StoreError::UnknownAccount(account.clone())),
            };
            let row = Self { holder: Some(holder.clone()), epoch, state, ..Self::new() };
            return Ok((row, Acquired { epoch, created: true, state }));
        };
        let state = intent.next(account, row.state)?;
        if let Some(other) = row.holder.as_ref().filter(|other| *other != holder)
            && let Liveness::Until(until) = liveness(other)?
            && until > now
        {
            return Err(StoreError::Held { account: account.clone(), holder: other.clone(), until });
        }
        row.holder = Some(holder.clone());
        row.epoch = row.epoch.saturating_add(1);
        row.state = state;
        row.high = 0;
        row.window = 0;
        let acquired = Acquired { epoch: row.epoch, created: false, state };
        Ok((row, acquired))
    }

    /// Decides about a batch. On [`Applied::Now`] the operations and this row are to be written in one
    /// transaction; on [`Applied::Before`] nothing is.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], [`StoreError::TooLarge`], [`StoreError::OutcomeUnknown`], and
    /// [`StoreError::InvalidAccountName`] for a batch without a fence that is not the system's; nothing is to be written.
    pub fn admit(&mut self, batch: &Batch) -> Result<Applied, StoreError> {
        self.admit_with(batch, Fencing::Checked)
    }

    pub(crate) fn admit_with(&mut self, batch: &Batch, fencing: Fencing) -> Result<Applied, StoreError> {
        check_size(batch)?;
        let Some(fence) = batch.fence else {
            let unfenced = batch.account == AccountId::system();
            return if unfenced {
                Ok(Applied::Now)
            } else {
                Err(StoreError::InvalidAccountName(batch.account.clone()))
            };
        };
        if fence.epoch != self.epoch && matches!(fencing, Fencing::Checked) {
            return Err(StoreError::LeaseLost {
                account: batch.account.clone(),
                held: fence.epoch,
                current: self.epoch,
            });
        }
        if fence.sequence == 0 {
            return Ok(Applied::Now);
        }
        if fence.sequence > self.high {
            let step = fence.sequence - self.high;
            self.window = if step < WINDOW { self.window << step } else { 0 };
            self.window |= 1;
            self.high = fence.sequence;
            return Ok(Applied::Now);
        }
        let back = self.high - fence.sequence;
        if back >= WINDOW {
            return Err(StoreError::OutcomeUnknown {
                account: batch.account.clone(),
                sequence: fence.sequence,
            });
        }
        let bit = 1_u128 << back;
        if self.window & bit != 0 {
            return Ok(Applied::Before);
        }
        self.window |= bit;
        Ok(Applied::Now)
    }

    /// Gives the account back if `epoch` is still current; says whether the row changed.
    pub fn release(&mut self, epoch: u64) -> bool {
        let current = self.epoch == epoch && self.holder.is_some();
        if current {
            self.holder = None;
            // Late commits of the released lease must fail although nobody has opened the account since.
            self.epoch = self.epoch.saturating_add(1);
            self.high = 0;
            self.window = 0;
        }
        current
    }

    /// On the row of [`AccountId::system`]: remembers that an account of this epoch was deleted. To be written in the
    /// transaction that deletes the account's row.
    pub fn deleted(&mut self, epoch: u64) {
        self.epoch = self.epoch.max(epoch);
    }

    /// Refuses when the epoch is not `epoch`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub fn expect_epoch(&self, account: &AccountId, epoch: u64) -> Result<(), StoreError> {
        if self.epoch == epoch {
            return Ok(());
        }
        Err(StoreError::LeaseLost { account: account.clone(), held: epoch, current: self.epoch })
    }
}

impl Default for AccountRow {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the epoch of a commit is looked at. Only a sabotaged build says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fencing {
    /// Always, outside of a test that must see what happens otherwise.
    Checked,
    /// The fault that the crash tests must notice.
    #[cfg(feature = "sabotage")]
    Ignored,
}

/// Refuses a batch past the limits.
///
/// # Errors
/// [`StoreError::TooLarge`].
pub fn check_size(batch: &Batch) -> Result<(), StoreError> {
    let (bytes, rows) = (batch.size(), batch.ops.len());
    if bytes > MAX_BATCH_BYTES || rows > MAX_BATCH_ROWS {
        return Err(StoreError::TooLarge { bytes, rows, limit: MAX_BATCH_BYTES, row_limit: MAX_BATCH_ROWS });
    }
    Ok(())
}
