//! Finding, creating and checking the file of a map.

use super::attachment::SharedFile;
use super::{OpenOptions, disk};
use crate::mmap::file::{Mode, publish, temporary_name};
use crate::mmap::mapping::{Access, Window};
use crate::region::memory::{HEADER_BYTES, Memory};
use crate::sharedmap::layout::{FLAG_FILE, Geometry, Schema, control};
use crate::sharedmap::words::Words;
use crate::sharedmap::{Map, Options};
use crate::{Error, ErrorKind, Result};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How often opening starts again when the file is created or removed meanwhile.
const ATTEMPTS: usize = 16;

/// The file of a map, open and checked, but not mapped yet.
#[derive(Debug)]
pub struct MapFile {
    file: File,
    path: PathBuf,
    geometry: Geometry,
    mode: Mode,
    repair: bool,
    created: bool,
}

impl MapFile {
    /// Opens the file at `path`, which symbolic links may lead to, or creates it.
    ///
    /// `Io` if it does not exist and is not to be created, or is not a regular file; `Corrupt` if
    /// it is not a map, or not all of one; `Version` for another structure or version; `Type` for
    /// keys or values of another type; `Range` for another bound; `Full` if the disk is full.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<MapFile> {
        for _ in 0..ATTEMPTS {
            let error = match open(path, options.mode) {
                Ok(file) => {
                    return MapFile::check(file, path, options).map_err(|error| disk::named(path, &error));
                }
                Err(error) => error,
            };
            let Some(create) = options.create.filter(|_| error.kind() == io::ErrorKind::NotFound) else {
                return Err(failed("open", path, &error));
            };
            if fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink()) {
                let path = path.display();
                return Err(Error::new(
                    ErrorKind::Io,
                    format!("cannot create {path}: it is a symbolic link to a file that does not exist"),
                ));
            }
            if let Some(made) = MapFile::create(path, create, options)? {
                return Ok(made);
            }
        }
        let path = path.display();
        Err(Error::new(ErrorKind::Io, format!("cannot open {path}: it is created and removed continually")))
    }

    /// Creates the file under another name, and gives it its name when it is complete. `None` if
    /// there is a file of this name by then.
    fn create(path: &Path, mut create: Options, options: &OpenOptions) -> Result<Option<MapFile>> {
        create.schema.flags |= FLAG_FILE;
        let length = Map::region_size(&create)?;
        let temporary = temporary_name(path)?;
        let file = File::options().read(true).write(true).create_new(true).open(&temporary);
        let file = file.map_err(|error| failed("create", path, &error))?;
        let result =
            fill(&file, length, &create).map_err(|error| disk::named(path, &error)).and_then(|geometry| {
                match publish(&temporary, path) {
                    Ok(()) => Ok(Some(geometry)),
                    Err(_) if fs::symlink_metadata(path).is_ok() => Ok(None),
                    Err(error) => Err(error),
                }
            });
        fs::remove_file(&temporary).ok();
        let Some(geometry) = result? else { return Ok(None) };
        Ok(Some(MapFile {
            file,
            path: path.to_path_buf(),
            geometry,
            mode: options.mode,
            repair: options.repair,
            created: true,
        }))
    }

    fn check(file: File, path: &Path, options: &OpenOptions) -> Result<MapFile> {
        disk::check_kind(&file, path)?;
        let length = file.metadata()?.len();
        if length < HEADER_BYTES as u64 {
            return Err(Error::corrupt(format!("{length} bytes are too few for a map")));
        }
        let window = window_of(&file, length)?;
        // SAFETY: the window is dropped after the last use of the memory.
        let memory = unsafe { Memory::new(window.base(), window.len()) }?;
        let (geometry, _) = Geometry::read(memory)?;
        if geometry.length() != length {
            let expected = geometry.length();
            return Err(Error::corrupt(format!("the file has {length} bytes instead of {expected}")));
        }
        let Schema { key, value, .. } = geometry.schema;
        if !geometry.schema.has_checksums() {
            return Err(Error::unsupported("the map has no checksums, so it cannot be used as a file"));
        }
        if let Some(wanted) = options.key.filter(|&wanted| wanted != key) {
            return Err(Error::wrong_type(format!("the keys are of type {key:?}, not {wanted:?}")));
        }
        if let Some(wanted) = options.value.filter(|&wanted| wanted != value) {
            return Err(Error::wrong_type(format!("the values are of type {value:?}, not {wanted:?}")));
        }
        if let Some(wanted) = options.max_bytes.filter(|&wanted| wanted != geometry.max_bytes) {
            let bound = geometry.max_bytes;
            return Err(Error::range(format!("the bound of the map is {bound} bytes, not {wanted}")));
        }
        let path = path.to_path_buf();
        let (mode, repair) = (options.mode, options.repair);
        Ok(MapFile { file, path, geometry, mode, repair, created: false })
    }

    /// The number of bytes that are mapped.
    #[must_use]
    pub fn length(&self) -> usize {
        self.geometry.length() as usize
    }

    /// The types and sizes.
    #[must_use]
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    fn access(&self) -> Access {
        // Another thread can store through a JavaScript buffer, which must not fault. A page that
        // is stored to shows no changes afterward; this library stores nothing there.
        if self.mode == Mode::Write { Access::Write } else { Access::Private }
    }

    /// Maps the file into new address space.
    pub fn map(self) -> Result<Arc<SharedFile>> {
        let window = Window::with_reservation(0, self.access(), self.length())?;
        self.finish(window)
    }

    /// Maps the file at `base`, replacing whatever is mapped there. `capacity` bytes, whole pages,
    /// belong to the file from then on, and must have room for one more page than the file has
    /// ([`Window::within`]). The pages stay when the file is closed.
    ///
    /// # Safety
    /// The owner of the `capacity` bytes of address space at `base` gives them up, frees them by
    /// unmapping all of them, and does so only after the last attachment was closed.
    pub unsafe fn map_at(self, base: *mut u8, capacity: usize) -> Result<Arc<SharedFile>> {
        // SAFETY: the caller guarantees the same.
        let window = unsafe { Window::within(base, capacity, 0, self.access()) }?;
        self.finish(window)
    }

    fn finish(self, mut window: Window) -> Result<Arc<SharedFile>> {
        window.grow(&self.file, self.length()).map_err(|error| disk::named(&self.path, &error))?;
        let MapFile { file, path, geometry, mode, repair, created } = self;
        SharedFile::new(window, file, path, geometry, mode, repair, created)
    }
}

fn open(path: &Path, mode: Mode) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(mode == Mode::Write);
    // Without these flags, opening a pipe would block, and a terminal could become the controlling
    // terminal.
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

/// The whole file, for reading.
fn window_of(file: &File, length: u64) -> Result<Window> {
    let length = usize::try_from(length).ok().filter(|&length| length <= isize::MAX as usize / 2);
    let length = length.ok_or_else(|| Error::corrupt("the file is larger than any map"))?;
    let mut window = Window::with_reservation(0, Access::Read, length)?;
    window.grow(file, length)?;
    Ok(window)
}

/// Makes a new file an empty map, on the disk.
fn fill(file: &File, length: u64, options: &Options) -> Result<Geometry> {
    disk::extend(file, length)?;
    let geometry = Geometry::plan(options.schema, options.max_bytes, options.shards)?;
    // The tables, and the first page of each shard's index.
    let first = geometry.fixed_bytes() + ((geometry.shards() as u64) << geometry.page_shift);
    disk::allocate(file, 0, first)?;
    let mut window = Window::with_reservation(0, Access::Write, length as usize)?;
    window.grow(file, length as usize)?;
    // SAFETY: the window has this length; the file is new, so it is zeros, and no one else has it.
    unsafe { Map::init(window.base(), window.len(), options) }?;
    // SAFETY: as above.
    let words = unsafe { Words::new(Memory::new(window.base(), window.len())?) };
    words.store_double(control::FILE, disk::identity(file));
    if !disk::is_volatile(file) {
        file.sync_all()?;
    }
    Ok(geometry)
}

#[cold]
fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    let kind = Error::from(io::Error::from(error.kind())).kind();
    Error::new(kind, format!("cannot {what} {}: {error}", path.display()))
}
