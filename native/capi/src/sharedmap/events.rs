//! Events of a SharedMap.

use super::{oh_sharedmap, operate};
use crate::args::{check_pointer, slice_mut};
use crate::guard::guard;
use crate::status::oh_status;
use offheap_core::Error;
use std::ffi::c_void;

/// Entries that were evicted for want of room.
pub const OH_SHAREDMAP_EVENT_EVICT: u32 = 1;
/// Entries that were removed because they had expired.
pub const OH_SHAREDMAP_EVENT_EXPIRE: u32 = 2;
/// Entries that were deleted.
pub const OH_SHAREDMAP_EVENT_DELETE: u32 = 4;
/// Values that were stored.
pub const OH_SHAREDMAP_EVENT_SET: u32 = 8;

/// Records events of these types (bits `OH_SHAREDMAP_EVENT_…`) from now on, for
/// `oh_sharedmap_poll`; 0: none. Other participants may cause further types to be recorded. While
/// someone subscribes, changes cost about 20 ns more.
///
/// # Safety
/// `map` is an attachment that no other thread uses at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_subscribe(map: *mut oh_sharedmap, events: u32) -> oh_status {
    // SAFETY: the caller guarantees that `map` is an attachment.
    guard(|| unsafe {
        if events > 15 {
            return Err(Error::range(format!("invalid events: {events}")));
        }
        let this = operate(map, "oh_sharedmap_subscribe")?;
        if events == 0 {
            this.map.unsubscribe();
            this.positions.take();
        } else {
            this.positions.replace(Some(this.map.subscribe(events)?));
        }
        Ok(())
    })
}

/// Writes the events since the last call to `buffer`: for each four words (length of the record,
/// type, head of the key, 0), and the key, padded with zeros to a multiple of 8 bytes. `*length`
/// becomes the number of bytes, and `*dropped` the number of events that were overwritten before
/// this call: each shard keeps the last ones only. If there are more bytes than `capacity`, nothing
/// is written, the events remain, and `*length` becomes the number of bytes needed.
///
/// # Safety
/// `map` is an attachment that no other thread uses at the same time; `buffer` is valid for writing
/// `capacity` bytes; the outputs are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_poll(
    map: *mut oh_sharedmap,
    buffer: *mut c_void,
    capacity: usize,
    length: *mut usize,
    dropped: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    guard(|| unsafe {
        check_pointer(length, "length")?;
        check_pointer(dropped, "dropped")?;
        let this = operate(map, "oh_sharedmap_poll")?;
        let out = slice_mut(buffer.cast::<u8>(), capacity, "buffer")?;
        let Some(mut positions) = this.positions.borrow().clone() else {
            length.write(0);
            dropped.write(0);
            return Ok(());
        };
        this.with_buffer(|events| {
            let lost = this.map.poll(&mut positions, events)?;
            if let Some(out) = out.get_mut(..events.len()) {
                out.copy_from_slice(events);
                this.positions.replace(Some(positions));
                dropped.write(lost);
            } else {
                dropped.write(0);
            }
            length.write(events.len());
            Ok(())
        })
    })
}
