//! Iteration over a SharedMap.

use super::{oh_sharedmap, operate};
use crate::args::check_pointer;
use crate::guard::guard;
use crate::status::oh_status;
use offheap_core::sharedmap::{Cursor, now};
use std::ffi::c_void;

/// Visits some entries. `*cursor` is 0 at the start, and becomes the position to continue at, or 0
/// at the end. The entries are written to `buffer`: for each four words (key head, value head, type
/// of the value in a map of mixed values, 0), the time of expiry as `double`, the key, and with
/// `with_values` the value, both padded with zeros to a multiple of 8 bytes. A head is length × 4 +
/// encoding, or 0 for a type of fixed size, which takes 4 or 8 bytes. Steps are made while `buffer`
/// has room and fewer than `limit` entries were written. `*length` becomes the number of bytes
/// written, and `*count` the number of entries. If one step needs more than `capacity` bytes,
/// nothing is written, `*count` becomes 0, `*cursor` stays, and `*length` becomes the number of
/// bytes needed.
///
/// A key that is present throughout is visited exactly once, whatever others change meanwhile.
///
/// # Safety
/// `map` is an attachment; `buffer` is valid for writing `capacity` bytes; the other pointers are
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_scan(
    map: *const oh_sharedmap,
    cursor: *mut u64,
    with_values: bool,
    limit: usize,
    buffer: *mut c_void,
    capacity: usize,
    length: *mut usize,
    count: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    guard(|| unsafe {
        check_pointer(cursor, "cursor")?;
        check_pointer(length, "length")?;
        check_pointer(count, "count")?;
        let this = operate(map, "oh_sharedmap_scan")?;
        let out = crate::args::slice_mut(buffer.cast::<u8>(), capacity, "buffer")?;
        // The position is 1 more than the core's, so that 0 is free for start and end.
        let mut at = match cursor.read() {
            0 => Some(Cursor::default()),
            word => Some(Cursor { shard: (word >> 33) as u32, position: ((word >> 1) & 0xFFFF_FFFF) as u32 }),
        };
        let now = now();
        let (mut used, mut entries, mut needed) = (0, 0, 0);
        while let Some(position) = at.filter(|_| entries < limit.max(1)) {
            let fits = this.with_buffer(|step| {
                let visited = this.map.scan(position, with_values, now, step)?;
                if step.len() > capacity - used {
                    needed = step.len();
                    return Ok(None);
                }
                out[used..used + step.len()].copy_from_slice(step);
                used += step.len();
                Ok(Some(visited))
            })?;
            let Some(visited) = fits else { break };
            needed = 0;
            entries += visited.count;
            at = visited.next;
        }
        let is_stuck = needed > 0 && used == 0;
        let next = at.map_or(0, |at| u64::from(at.shard) << 33 | u64::from(at.position) << 1 | 1);
        if !is_stuck {
            cursor.write(next);
        }
        length.write(if is_stuck { needed } else { used });
        count.write(entries);
        Ok(())
    })
}
