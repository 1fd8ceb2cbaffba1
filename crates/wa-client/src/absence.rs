//! Who was away for how long: a linked device is removed when its phone was not seen for 14 days, or when it was itself
//! not connected for 30. Nothing on the wire says so in advance; what is seen of the phone is noted here.

use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wa_store::tables::NumberState;
use wa_store::{Bytes, Changes, UnixTime};

use crate::health::board::Place;
use crate::health::{Cause, Condition, DeadlineKind, Status};
use crate::shared::Shared;

/// The phone must have been seen within this.
const PHONE: Duration = Duration::from_secs(14 * 86_400);
/// The device must have been connected within this.
const DEVICE: Duration = Duration::from_secs(30 * 86_400);
/// How long before the end somebody is warned.
const PHONE_WARNING: Duration = Duration::from_secs(2 * 86_400);
const DEVICE_WARNING: Duration = Duration::from_secs(5 * 86_400);
/// How often the dates are looked at and written down.
const LOOK: Duration = Duration::from_secs(3600);

pub(crate) const ROW: &str = "seen";

/// When phone and device were seen last, milliseconds since 1970; 0 for not since the link.
#[derive(Debug, Default)]
pub(crate) struct Absence {
    phone: AtomicU64,
    device: AtomicU64,
}

/// Something of the own phone came.
pub(crate) fn phone_seen(shared: &Shared) {
    let now = shared.now();
    let before = shared.absence.phone.swap(now.as_millis(), Ordering::Relaxed);
    if now.since(UnixTime::from_millis(before)) > LOOK {
        look(shared);
    }
}

/// The device is connected.
pub(crate) fn device_seen(shared: &Shared) {
    shared.absence.device.store(shared.now().as_millis(), Ordering::Relaxed);
    look(shared);
}

/// What was written down before a restart.
pub(crate) async fn load(shared: &Shared) {
    let Some(row) = shared.small_state(ROW).await else { return };
    let time = |at: usize| -> Option<u64> { Some(u64::from_be_bytes(row.get(at..at + 8)?.try_into().ok()?)) };
    shared.absence.phone.fetch_max(time(0).unwrap_or(0), Ordering::Relaxed);
    shared.absence.device.fetch_max(time(8).unwrap_or(0), Ordering::Relaxed);
    look(shared);
}

/// The number is gone, or a new one is there.
pub(crate) fn forget(shared: &Shared) {
    shared.absence.phone.store(0, Ordering::Relaxed);
    shared.absence.device.store(0, Ordering::Relaxed);
    look(shared);
}

/// Looks at the dates every hour for as long as the client lives.
pub(crate) async fn watch(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(shared) = shared.upgrade().filter(|shared| !shared.is_stopped()) else { return };
        if shared.is_logged_in() {
            device_seen(&shared);
        }
        look(&shared);
        save(&shared).await;
    }
}

async fn save(shared: &Shared) {
    if shared.device().registration.is_none() {
        return;
    }
    let mut row = Vec::with_capacity(16);
    for time in [&shared.absence.phone, &shared.absence.device] {
        row.extend_from_slice(&time.load(Ordering::Relaxed).to_be_bytes());
    }
    let mut changes = Changes::new();
    changes.put(NumberState, &ROW.into(), &Bytes::from(row));
    // Whoever needs the lease next says that it is gone.
    let _ = shared.vault.lock().await.commit(shared, changes).await;
}

/// Tells health and calendar.
fn look(shared: &Shared) {
    let device = shared.device();
    let Some(registration) = &device.registration else {
        return shared.report(|board| {
            for (place, kind) in
                [(Place::Phone, DeadlineKind::PhoneMustAppear), (Place::Idle, DeadlineKind::DeviceMustAppear)]
            {
                board.clear(place);
                board.deadline(kind, None);
            }
        });
    };
    let seen = |at: &AtomicU64| UnixTime::from_millis(at.load(Ordering::Relaxed)).max(registration.linked_at);
    let (phone, idle) = (seen(&shared.absence.phone), seen(&shared.absence.device));
    let now = shared.now();
    shared.report(|board| {
        for (place, kind, cause, last_seen, limit, warning) in [
            (Place::Phone, DeadlineKind::PhoneMustAppear, Cause::PhoneAway, phone, PHONE, PHONE_WARNING),
            (Place::Idle, DeadlineKind::DeviceMustAppear, Cause::DeviceIdle, idle, DEVICE, DEVICE_WARNING),
        ] {
            let ends = last_seen.after(limit);
            board.deadline(kind, Some(ends));
            if now.after(warning) < ends {
                board.clear(place);
                continue;
            }
            let mut condition = Condition::new(Status::PhoneAway { last_seen }, cause, now);
            condition.deadline = Some(ends);
            board.raise(place, condition);
        }
    });
}
