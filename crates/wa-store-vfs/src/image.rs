//! What a file is while it is in use, and what is left of it after a power cut. A disk promises nothing about writes that
//! were not synced: any part of them may be there, in any order. What was synced is there.

use rand::{Rng, RngExt};

/// Unit in which a disk writes: a write that the power cut meets is there or not, sector by sector.
pub(crate) const SECTOR: usize = 512;

/// What a power cut takes of the changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Loss {
    /// All of them.
    Everything,
    /// None: as the death of the process alone.
    Nothing,
    /// Those from some moment on; the first of them is torn in the middle of a sector.
    Tail,
    /// Any sector of any write, any truncation, any new or removed name; whatever came before or after.
    Scattered,
}

impl Loss {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Everything, Self::Nothing, Self::Tail, Self::Scattered];
}

/// A change that was not synced.
#[derive(Debug, Clone)]
struct Change {
    /// Place among all changes of the disk.
    moment: u64,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// One file, by whatever name.
#[derive(Debug, Default)]
pub(crate) struct Image {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

/// How the changes of one file came through a power cut.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) kept: u64,
    pub(crate) torn: u64,
    pub(crate) lost: u64,
}

/// The same for all files: what is drawn once for the whole power cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) loss: Loss,
    /// For [`Loss::Tail`]: changes before it survive.
    pub(crate) moment: u64,
    /// For [`Loss::Scattered`]: the chance of a sector to survive.
    pub(crate) survival: f64,
}

impl Image {
    /// A file that was on the disk before.
    pub(crate) const fn durable(bytes: Vec<u8>) -> Self {
        Self { durable: bytes, pending: Vec::new() }
    }

    pub(crate) fn write(&mut self, moment: u64, offset: usize, bytes: &[u8]) {
        self.pending.push(Change { moment, kind: Kind::Write { offset, bytes: bytes.to_vec() } });
    }

    pub(crate) fn truncate(&mut self, moment: u64, length: usize) {
        self.pending.push(Change { moment, kind: Kind::Truncate(length) });
    }

    /// From here on everything written so far survives.
    pub(crate) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, &change.kind);
        }
    }

    /// A sync that failed: the system forgets what it could not write, and a later sync does not bring it back.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    pub(crate) fn moments(&self) -> impl Iterator<Item = u64> {
        self.pending.iter().map(|change| change.moment)
    }

    /// What is left of the file after the power cut.
    pub(crate) fn after(&self, cut: Cut, rng: &mut impl Rng) -> (Vec<u8>, Fate) {
        let mut left = self.durable.clone();
        let mut fate = Fate::default();
        for change in &self.pending {
            let survivor = match cut.loss {
                Loss::Everything => None,
                Loss::Nothing => Some(change.kind.clone()),
                Loss::Tail if change.moment < cut.moment => Some(change.kind.clone()),
                Loss::Tail if change.moment == cut.moment => tear(&change.kind, rng),
                Loss::Tail => None,
                Loss::Scattered => {
                    let (kept, of) = scatter(&mut left, &change.kind, cut.survival, rng);
                    match kept {
                        0 => fate.lost += 1,
                        kept if kept == of => fate.kept += 1,
                        _ => fate.torn += 1,
                    }
                    continue;
                }
            };
            match survivor {
                None => fate.lost += 1,
                Some(kind) => {
                    let torn = cut.loss == Loss::Tail && change.moment == cut.moment;
                    *(if torn { &mut fate.torn } else { &mut fate.kept }) += 1;
                    apply(&mut left, &kind);
                }
            }
        }
        (left, fate)
    }
}

fn apply(file: &mut Vec<u8>, change: &Kind) {
    match change {
        Kind::Write { offset, bytes } => put(file, *offset, bytes),
        Kind::Truncate(length) => file.resize(*length, 0),
    }
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

/// The first part of a write.
fn tear(change: &Kind, rng: &mut impl Rng) -> Option<Kind> {
    match change {
        Kind::Write { offset, bytes } if bytes.len() > 1 => {
            let kept = rng.random_range(1..bytes.len());
            Some(Kind::Write { offset: *offset, bytes: bytes[..kept].to_vec() })
        }
        _ => None,
    }
}

/// Applies any sectors of a change; gives how many of how many.
fn scatter(file: &mut Vec<u8>, change: &Kind, survival: f64, rng: &mut impl Rng) -> (usize, usize) {
    match change {
        Kind::Truncate(length) => {
            let kept = rng.random_bool(survival);
            if kept {
                file.resize(*length, 0);
            }
            (kept.into(), 1)
        }
        Kind::Write { offset, bytes } => {
            let (mut kept, mut of, mut at) = (0, 0, 0);
            while at < bytes.len() {
                // Sectors lie on the disk, not in the write.
                let end = bytes.len().min(at + SECTOR - (offset + at) % SECTOR);
                of += 1;
                if rng.random_bool(survival) {
                    kept += 1;
                    put(file, offset + at, &bytes[at..end]);
                }
                at = end;
            }
            (kept, of)
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn file() -> Image {
        let mut image = Image::durable(b"old".to_vec());
        image.write(0, 0, b"synced");
        image.sync();
        image.write(1, 6, &[b'1'; 2 * SECTOR]);
        image.truncate(2, 3);
        image.write(3, 3, &[b'3'; SECTOR]);
        image
    }

    fn after(loss: Loss, moment: u64, seed: u64) -> Vec<u8> {
        let cut = Cut { loss, moment, survival: 0.5 };
        file().after(cut, &mut StdRng::seed_from_u64(seed)).0
    }

    #[test]
    fn what_was_synced_survives_and_the_rest_as_the_loss_says() {
        assert_eq!(after(Loss::Everything, 0, 0), b"synced");
        assert_eq!(after(Loss::Nothing, 0, 0), [&b"syn"[..], &[b'3'; SECTOR]].concat());
        assert_eq!(after(Loss::Tail, 2, 0), [&b"synced"[..], &[b'1'; 2 * SECTOR]].concat());
        let torn = after(Loss::Tail, 1, 0);
        assert!(torn.starts_with(b"synced1") && torn.len() < 6 + 2 * SECTOR, "{}", torn.len());
    }

    #[test]
    fn scattered_losses_are_of_every_kind_and_only_in_what_was_not_synced() {
        let images: std::collections::BTreeSet<Vec<u8>> =
            (0..200).map(|seed| after(Loss::Scattered, 0, seed)).collect();
        assert!(images.len() > 8, "{} different files", images.len());
        assert!(images.iter().all(|image| image.starts_with(b"syn")));
        assert!(images.contains(&after(Loss::Everything, 0, 0)));
        assert!(images.contains(&after(Loss::Nothing, 0, 0)));
    }

    #[test]
    fn what_a_failed_sync_forgot_is_not_brought_back_by_the_next() {
        let mut image = file();
        image.forget_pending();
        image.sync();
        let cut = Cut { loss: Loss::Nothing, moment: 0, survival: 1.0 };
        assert_eq!(image.after(cut, &mut StdRng::seed_from_u64(0)).0, b"synced");
    }
}
