//! SQLite's C interface of a disk: asks [`State`](crate::disk::State) before each operation and passes it on to the
//! default VFS. All unsafe code of the crate is here. What it relies on is what SQLite promises of a VFS: pointers are valid
//! during the call, a file's memory has `szOsFile` bytes and belongs to its VFS from `xOpen` to `xClose`.

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use crate::disk::{Inner, Opened, Syncs, Verdict, code};
use crate::faults::{Failure, Operation};

/// Our file; the default VFS's own follows in the same memory.
#[repr(C)]
struct Handle {
    base: sqlite3_file,
    disk: &'static Inner,
    opened: Opened,
    /// The first sync makes names durable as well, as the default VFS does for journals and logs.
    syncs_names: AtomicBool,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // 2: with shared memory, without mapped files, so that every write passes here.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Registers a disk as a VFS, for ever.
pub(crate) fn register(disk: &'static Inner, name: &str) {
    let name = CString::new(name).unwrap_or_default();
    // SAFETY: the default VFS exists on every system that the bundled SQLite is built for, and is never freed. It is
    // copied, the copy leaked, so it lives as long as SQLite may ask for it.
    let registered = unsafe {
        assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
        assert!(ffi::sqlite3_vfs_find(name.as_ptr()).is_null(), "there is a VFS of this name");
        let lower = ffi::sqlite3_vfs_find(ptr::null());
        assert!(!lower.is_null());
        let size = size_of::<Handle>() + usize::try_from((*lower).szOsFile).unwrap_or(0);
        let vfs = sqlite3_vfs {
            iVersion: 2,
            szOsFile: c_int::try_from(size).unwrap_or(c_int::MAX),
            zName: name.into_raw(),
            pNext: ptr::null_mut(),
            pAppData: ptr::from_ref(disk).cast_mut().cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            ..*lower
        };
        ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0)
    };
    assert_eq!(registered, ffi::SQLITE_OK);
}

/// The VFS below.
fn lower() -> *mut sqlite3_vfs {
    // SAFETY: asks for the default VFS; ours is never registered as the default.
    unsafe { ffi::sqlite3_vfs_find(ptr::null()) }
}

/// The file below.
///
/// # Safety
/// `file` is one of ours.
unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: the memory of a file has `szOsFile` bytes: our handle, then the file below.
    unsafe { file.cast::<Handle>().add(1).cast() }
}

/// A path as SQLite gives it; `None` for a nameless temporary file.
///
/// # Safety
/// `name` is null or a string of C that lives during the call.
unsafe fn path(name: *const c_char) -> Option<PathBuf> {
    // SAFETY: the caller's promise.
    (!name.is_null()).then(|| PathBuf::from(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

/// Calls a method of the file below.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: the file below was opened by the default VFS, which sets its methods; the arguments are SQLite's own.
        unsafe {
            let file = below($file);
            match (*(*file).pMethods).$method {
                Some(method) => method(file $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

/// Our part of a file.
///
/// # Safety
/// `file` is one of ours and open.
unsafe fn handle<'f>(file: *mut sqlite3_file) -> &'f Handle {
    // SAFETY: the caller's promise; `open` has initialised it.
    unsafe { &*file.cast::<Handle>() }
}

fn outcome(verdict: Verdict, operation: Operation) -> Result<(), c_int> {
    match verdict {
        Verdict::Go => Ok(()),
        Verdict::Fails(failure) => Err(code(operation, failure)),
        Verdict::Cut | Verdict::Off => Err(operation.error()),
    }
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: `pAppData` was set by `register`; `file` has room for our handle; without methods SQLite closes nothing.
    let disk: &'static Inner = unsafe {
        (*file).pMethods = ptr::null();
        &*(*vfs).pAppData.cast()
    };
    // SAFETY: SQLite's string.
    let path = unsafe { path(name) };
    let mut state = disk.lock();
    if let Err(code) = outcome(state.ask(None, Operation::Open), Operation::Open) {
        return code;
    }
    let mut wanted = flags;
    if !state.may_write(flags & ffi::SQLITE_OPEN_MAIN_DB != 0) {
        wanted =
            (flags & !(ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE)) | ffi::SQLITE_OPEN_READONLY;
    }
    let remembered = path.as_deref().filter(|_| disk.remembers());
    let before = remembered.filter(|path| !state.knows(path)).and_then(|path| fs::read(path).ok());
    // SAFETY: the file below lies behind our handle and has the size that its VFS asked for; the rest is SQLite's own.
    let opened = unsafe {
        let (lower, below) = (lower(), below(file));
        (*below).pMethods = ptr::null();
        match (*lower).xOpen {
            Some(open) => open(lower, name, below, wanted, out_flags),
            None => ffi::SQLITE_CANTOPEN,
        }
    };
    if opened != ffi::SQLITE_OK {
        // SAFETY: a file below that has methods although it did not open wants to be closed.
        if unsafe { !(*below(file)).pMethods.is_null() } {
            pass!(file, xClose);
        }
        return opened;
    }
    let journal = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    let handle = Handle {
        base: sqlite3_file { pMethods: &raw const METHODS },
        disk,
        opened: state.opened(remembered, before),
        syncs_names: AtomicBool::new(flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journal != 0),
    };
    // SAFETY: room for it, see above; what was there needs no drop.
    unsafe { file.cast::<Handle>().write(handle) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: as in `open`.
    let (disk, path): (&'static Inner, _) = unsafe { (&*(*vfs).pAppData.cast(), path(name)) };
    let mut state = disk.lock();
    let verdict = state.ask(None, Operation::Delete);
    if verdict == Verdict::Cut {
        path.iter().for_each(|path| state.deleted(path));
    }
    if let Err(code) = outcome(verdict, Operation::Delete) {
        return code;
    }
    // SAFETY: SQLite's own arguments.
    let deleted = unsafe {
        let lower = lower();
        match (*lower).xDelete {
            Some(delete) => delete(lower, name, if disk.remembers() { 0 } else { sync_folder }),
            None => ffi::SQLITE_IOERR_DELETE,
        }
    };
    if deleted == ffi::SQLITE_OK && disk.remembers() {
        path.iter().for_each(|path| state.deleted(path));
        if sync_folder != 0 {
            state.synced_names();
        }
    }
    deleted
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: as in `open`.
    let disk: &'static Inner = unsafe { &*(*vfs).pAppData.cast() };
    let (off, writable) = {
        let state = disk.lock();
        (state.is_off(), state.may_write(false))
    };
    if off {
        return ffi::SQLITE_IOERR_ACCESS;
    }
    // SAFETY: SQLite's own arguments; `answer` is valid for a write.
    unsafe {
        let lower = lower();
        let asked = match (*lower).xAccess {
            Some(access) => access(lower, name, flags, answer),
            None => ffi::SQLITE_IOERR_ACCESS,
        };
        if !writable && flags == ffi::SQLITE_ACCESS_READWRITE {
            *answer = 0;
        }
        asked
    }
}

unsafe extern "C" fn full_pathname(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    answer: *mut c_char,
) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let lower = lower();
        (*lower).xFullPathname.map_or(ffi::SQLITE_CANTOPEN, |full| full(lower, name, room, answer))
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    pass!(file, xClose)
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    let verdict = handle.disk.lock().ask(Some(handle.opened.generation), Operation::Read);
    match outcome(verdict, Operation::Read) {
        Ok(()) => pass!(file, xRead, to, length, offset),
        Err(code) => code,
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: an open file of ours; SQLite gives `length` bytes.
    let (handle, bytes) = unsafe {
        (handle(file), std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(length).unwrap_or(0)))
    };
    let Opened { generation, image } = handle.opened;
    let place = usize::try_from(offset).unwrap_or(0);
    // Held while the file below is written: what is remembered has the order of what is done.
    let mut state = handle.disk.lock();
    let verdict = state.ask(Some(generation), Operation::Write);
    let done = match verdict {
        Verdict::Go => state.fits(image, place, bytes.len()),
        Verdict::Fails(Failure::Short) => bytes.len() / 2,
        // Nobody reads it before the restart, which decides what of it has reached the disk.
        Verdict::Cut => {
            state.wrote(image, place, bytes);
            0
        }
        Verdict::Fails(_) | Verdict::Off => 0,
    };
    if done > 0 {
        let written = pass!(file, xWrite, from, c_int::try_from(done).unwrap_or(0), offset);
        if written != ffi::SQLITE_OK {
            return written;
        }
        state.wrote(image, place, &bytes[..done]);
    }
    match outcome(verdict, Operation::Write) {
        Ok(()) if done < bytes.len() => ffi::SQLITE_FULL,
        Ok(()) => ffi::SQLITE_OK,
        Err(code) => code,
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    let Opened { generation, image } = handle.opened;
    let mut state = handle.disk.lock();
    let verdict = state.ask(Some(generation), Operation::Truncate);
    if verdict == Verdict::Cut {
        state.truncated(image, usize::try_from(length).unwrap_or(0));
    }
    if let Err(code) = outcome(verdict, Operation::Truncate) {
        return code;
    }
    let done = pass!(file, xTruncate, length);
    if done == ffi::SQLITE_OK {
        state.truncated(image, usize::try_from(length).unwrap_or(0));
    }
    done
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    let Opened { generation, image } = handle.opened;
    let mut state = handle.disk.lock();
    let verdict = state.ask(Some(generation), Operation::Sync);
    if let Verdict::Fails(_) = verdict {
        state.failed_to_sync(image);
    }
    if let Err(code) = outcome(verdict, Operation::Sync) {
        return code;
    }
    match handle.disk.syncs {
        Syncs::Simulated => {
            state.synced(image);
            if handle.syncs_names.swap(false, Ordering::Relaxed) {
                state.synced_names();
            }
            ffi::SQLITE_OK
        }
        Syncs::Real(latency) => {
            drop(state);
            let begun = Instant::now();
            let done = pass!(file, xSync, flags);
            std::thread::sleep(latency.saturating_sub(begun.elapsed()));
            done
        }
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, answer: *mut sqlite3_int64) -> c_int {
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    let verdict = handle.disk.lock().ask(Some(handle.opened.generation), Operation::Size);
    match outcome(verdict, Operation::Size) {
        Ok(()) => pass!(file, xFileSize, answer),
        Err(code) => code,
    }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, answer: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, answer)
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    pass!(file, xFileControl, op, argument)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    answer: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    let verdict = handle.disk.lock().ask(Some(handle.opened.generation), Operation::Map);
    match outcome(verdict, Operation::Map) {
        Ok(()) => pass!(file, xShmMap, region, size, extend, answer),
        Err(code) => code,
    }
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, many: c_int, flags: c_int) -> c_int {
    pass!(file, xShmLock, offset, many, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: as in `pass`.
    unsafe {
        let file = below(file);
        if let Some(barrier) = (*(*file).pMethods).xShmBarrier {
            barrier(file);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}
