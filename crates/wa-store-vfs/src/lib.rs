#![cfg(unix)]
//! A disk for tests of the store, as a SQLite VFS over the default one. It remembers what was written and not synced;
//! when the power goes off it loses that: all, nothing, the end, or any sector of it. It also fails on demand, fills up,
//! is read-only, or slow to sync. Test only, never published; beside `wa-crypto` the only place with unsafe code, all of
//! it in `vfs.rs`, where SQLite's C interface wants it.

mod disk;
mod faults;
mod image;
mod vfs;

pub use disk::{Counts, Disk, Lost, Writable};
pub use faults::{Failure, Lasting, Operation};
pub use image::Loss;
