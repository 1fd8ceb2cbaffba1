//! The disk: its files, its power switch, its faults. `vfs.rs` asks it before every operation.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rand::{Rng, RngExt};
use rusqlite::ffi;

use crate::faults::{Failure, Fault, Lasting, Operation};
use crate::image::{Cut, Fate, Image, Loss};
use crate::vfs;

/// A disk under a name, registered with SQLite for the rest of the process. Clones are the same disk.
#[derive(Clone)]
pub struct Disk(pub(crate) &'static Inner);

pub(crate) struct Inner {
    name: String,
    pub(crate) syncs: Syncs,
    state: Mutex<State>,
}

/// What a sync does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Syncs {
    /// Nothing outside: the disk only remembers what would be durable.
    Simulated,
    /// The real thing, and not faster than this.
    Real(Duration),
}

/// What may be opened for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writable {
    /// All files.
    Everything,
    /// The folder, but not the database file in it.
    AllButTheDatabase,
    /// No file: a disk that was mounted read-only.
    Nothing,
}

/// Operations so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; Operation::ALL.len()]);

impl Counts {
    /// How often an operation was asked for.
    pub const fn of(&self, operation: Operation) -> u64 {
        self.0[operation as usize]
    }
}

/// What a power cut took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Changes that were not synced and are there all the same.
    pub kept: u64,
    /// Changes of which a part is there.
    pub torn: u64,
    /// Changes that are gone.
    pub lost: u64,
    /// Files that have again the name, or the absence, of before.
    pub names: u64,
}

pub(crate) struct State {
    /// Handles of a generation before a power cut are dead.
    generation: u64,
    power: Power,
    /// Counts changes, to order them.
    moment: u64,
    images: Vec<Stored>,
    /// Which image a name means: durable first, then as it changed. Only the last counts while the power is on.
    names: BTreeMap<PathBuf, Vec<(u64, Option<usize>)>>,
    fault: Option<Fault>,
    struck: u64,
    capacity: Option<usize>,
    writable: Writable,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Stored {
    image: Image,
    length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    On,
    /// Goes off with the operation (of this kind, or any that changes something) that finds 0.
    After(Option<Operation>, u64),
    Off,
}

/// What is to become of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    Fails(Failure),
    /// The power goes off in the middle of it.
    Cut,
    /// The power is off.
    Off,
}

/// A file as an open handle knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opened {
    pub(crate) generation: u64,
    pub(crate) image: Option<usize>,
}

impl Disk {
    /// A disk that loses at a power cut what was not synced. Nothing is really synced.
    pub fn simulated(name: impl Into<String>) -> Self {
        Self::register(name.into(), Syncs::Simulated)
    }

    /// The real disk with syncs that take at least `latency`.
    pub fn slow(name: impl Into<String>, latency: Duration) -> Self {
        Self::register(name.into(), Syncs::Real(latency))
    }

    fn register(name: String, syncs: Syncs) -> Self {
        let state = Mutex::new(State::new(0));
        let inner: &'static Inner = Box::leak(Box::new(Inner { name, syncs, state }));
        vfs::register(inner, &inner.name);
        Self(inner)
    }

    /// The name of the VFS.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The power goes off in the middle of the next operation of this kind after `nth` others; `None` for any that
    /// changes something (writes, syncs, truncations, removals).
    pub fn cut_at(&self, operation: Option<Operation>, nth: u64) {
        self.0.state.lock().power = Power::After(operation, nth);
    }

    /// The power goes off.
    pub fn cut(&self) {
        self.0.state.lock().power = Power::Off;
    }

    /// Whether the power is off: every operation fails.
    pub fn is_off(&self) -> bool {
        self.0.state.lock().power == Power::Off
    }

    /// The power is on again: the files are what was durable and what of the rest `loss` left. Handles from before stay
    /// dead; close them first, since their locks live on.
    ///
    /// # Errors
    /// What the system says when the files are written.
    pub fn restart(&self, loss: Loss, rng: &mut impl Rng) -> io::Result<Lost> {
        let mut state = self.0.state.lock();
        state.restart(loss, rng)
    }

    /// A new disk without files, in working order. Handles from before are dead.
    pub fn replace(&self) {
        self.0.state.lock().replace();
    }

    /// The next operation of this kind (or any) after `nth` others fails.
    pub fn fail(&self, operation: Option<Operation>, nth: u64, failure: Failure, lasting: Lasting) {
        let fault = Fault { operation, left: nth, failure, lasting, struck: false };
        self.0.state.lock().fault = Some(fault);
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.0.state.lock().fault = None;
    }

    /// How many operations have failed on demand so far.
    pub fn struck(&self) -> u64 {
        self.0.state.lock().struck
    }

    /// Room for the files in bytes; a write past it ends in the middle. `None`: no limit.
    pub fn capacity(&self, bytes: Option<usize>) {
        self.0.state.lock().capacity = bytes;
    }

    /// Bytes in all files.
    pub fn used(&self) -> usize {
        self.0.state.lock().used()
    }

    /// What may be opened for writing from now on.
    pub fn allow(&self, writable: Writable) {
        self.0.state.lock().writable = writable;
    }

    /// Operations so far.
    pub fn counts(&self) -> Counts {
        self.0.state.lock().counts
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Disk").field(&self.0.name).finish()
    }
}

impl Inner {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Whether changes have to be remembered.
    pub(crate) const fn remembers(&self) -> bool {
        matches!(self.syncs, Syncs::Simulated)
    }
}

impl State {
    const fn new(generation: u64) -> Self {
        Self {
            generation,
            power: Power::On,
            moment: 0,
            images: Vec::new(),
            names: BTreeMap::new(),
            fault: None,
            struck: 0,
            capacity: None,
            writable: Writable::Everything,
            counts: Counts([0; Operation::ALL.len()]),
        }
    }

    fn replace(&mut self) {
        *self = Self { counts: self.counts, struck: self.struck, ..Self::new(self.generation + 1) };
    }

    pub(crate) fn ask(&mut self, generation: Option<u64>, operation: Operation) -> Verdict {
        if generation.is_some_and(|of| of != self.generation) || self.power == Power::Off {
            return Verdict::Off;
        }
        self.counts.0[operation as usize] += 1;
        if let Power::After(kind, left) = &mut self.power
            && kind.map_or(operation.changes(), |kind| kind == operation)
        {
            if *left == 0 {
                self.power = Power::Off;
                return Verdict::Cut;
            }
            *left -= 1;
        }
        match self.fault.as_mut().and_then(|fault| fault.meets(operation)) {
            Some(failure) => {
                self.struck += 1;
                Verdict::Fails(failure)
            }
            None => Verdict::Go,
        }
    }

    pub(crate) const fn is_off(&self) -> bool {
        matches!(self.power, Power::Off)
    }

    /// Whether a file of this kind (main database or beside it) may be written.
    pub(crate) fn may_write(&self, main: bool) -> bool {
        self.writable == Writable::Everything || (self.writable == Writable::AllButTheDatabase && !main)
    }

    /// Learns of a file that was opened. `before`: whether it was there, and then what it held.
    pub(crate) fn opened(&mut self, path: Option<&Path>, before: Option<Vec<u8>>) -> Opened {
        let image = path.map(|path| {
            let known = self.names.get(path).and_then(|history| history.last().copied());
            if let Some((_, Some(image))) = known {
                return image;
            }
            let image = self.images.len();
            let was_there = before.is_some();
            let bytes = before.unwrap_or_default();
            self.images.push(Stored { length: bytes.len(), image: Image::durable(bytes) });
            let moment = self.next_moment();
            let history = self.names.entry(path.to_owned()).or_default();
            if was_there {
                *history = vec![(0, Some(image))];
            } else {
                if history.is_empty() {
                    history.push((0, None));
                }
                history.push((moment, Some(image)));
            }
            image
        });
        Opened { generation: self.generation, image }
    }

    pub(crate) fn knows(&self, path: &Path) -> bool {
        matches!(self.names.get(path).and_then(|history| history.last()), Some((_, Some(_))))
    }

    /// How many bytes of a write fit.
    pub(crate) fn fits(&self, image: Option<usize>, offset: usize, length: usize) -> usize {
        let (Some(capacity), Some(image)) = (self.capacity, image) else { return length };
        let growth = (offset + length).saturating_sub(self.images[image].length);
        let free = capacity.saturating_sub(self.used());
        length.saturating_sub(growth.saturating_sub(free))
    }

    fn used(&self) -> usize {
        let current = self.names.values().filter_map(|history| history.last()?.1);
        current.map(|image| self.images[image].length).sum()
    }

    pub(crate) fn wrote(&mut self, image: Option<usize>, offset: usize, bytes: &[u8]) {
        let Some(image) = image else { return };
        let moment = self.next_moment();
        let stored = &mut self.images[image];
        stored.image.write(moment, offset, bytes);
        stored.length = stored.length.max(offset + bytes.len());
    }

    pub(crate) fn truncated(&mut self, image: Option<usize>, length: usize) {
        let Some(image) = image else { return };
        let moment = self.next_moment();
        self.images[image].image.truncate(moment, length);
        self.images[image].length = length;
    }

    pub(crate) fn synced(&mut self, image: Option<usize>) {
        if let Some(image) = image {
            self.images[image].image.sync();
        }
    }

    pub(crate) fn failed_to_sync(&mut self, image: Option<usize>) {
        if let Some(image) = image {
            self.images[image].image.forget_pending();
        }
    }

    pub(crate) fn deleted(&mut self, path: &Path) {
        let moment = self.next_moment();
        if let Some(history) = self.names.get_mut(path) {
            history.push((moment, None));
        }
    }

    /// A synced folder: all names in it are durable as they are.
    pub(crate) fn synced_names(&mut self) {
        for history in self.names.values_mut() {
            let last = history.pop();
            *history = last.into_iter().collect();
        }
    }

    fn next_moment(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }

    fn restart(&mut self, loss: Loss, rng: &mut impl Rng) -> io::Result<Lost> {
        let mut moments: Vec<u64> = self.images.iter().flat_map(|stored| stored.image.moments()).collect();
        moments
            .extend(self.names.values().flat_map(|history| history[1..].iter().map(|(moment, _)| *moment)));
        moments.sort_unstable();
        let moment = if moments.is_empty() { u64::MAX } else { moments[rng.random_range(0..moments.len())] };
        let survival = [0.1, 0.5, 0.9][rng.random_range(0..3)];
        let cut = Cut { loss, moment, survival };
        let mut lost = Lost::default();
        let mut images = Vec::new();
        for (path, history) in &mut self.names {
            let durable = history.iter().rposition(|(at, _)| *at < moment).unwrap_or(0);
            let survivor = match loss {
                Loss::Everything => 0,
                Loss::Nothing => history.len() - 1,
                Loss::Tail => durable,
                Loss::Scattered => rng.random_range(0..history.len()),
            };
            lost.names += u64::from(survivor + 1 < history.len());
            let (_, image) = history[survivor];
            let Some(image) = image else {
                remove(path)?;
                *history = vec![(0, None)];
                continue;
            };
            let (bytes, Fate { kept, torn, lost: gone }) = self.images[image].image.after(cut, rng);
            lost.kept += kept;
            lost.torn += torn;
            lost.lost += gone;
            fs::write(path, &bytes)?;
            *history = vec![(0, Some(images.len()))];
            images.push(Stored { length: bytes.len(), image: Image::durable(bytes) });
            // The index that connections share lives in memory.
            let mut index = path.clone().into_os_string();
            index.push("-shm");
            remove(Path::new(&index))?;
        }
        self.images = images;
        self.generation += 1;
        self.power = Power::On;
        Ok(lost)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The code that SQLite hears for a failure.
pub(crate) const fn code(operation: Operation, failure: Failure) -> c_int {
    match (operation, failure) {
        (_, Failure::Full) | (Operation::Write, Failure::Short) => ffi::SQLITE_FULL,
        _ => operation.error(),
    }
}
