//! Validation of a NumaPool's bookkeeping: the header, the records, and each book as that of a
//! FixedPool. O(units).

use super::layout::{MAX_NODES, NODE_BYTES, Shape, node, word};
use super::raw::RawNumaPool;
use crate::pools::fixed;
use crate::region::attach::RegionKind;
use crate::region::header::HEADER_WORDS;
use crate::{Error, Result};

/// Checks the contents of a pool.
///
/// # Safety
/// As for [`RawNumaPool::attach`].
pub unsafe fn validate(base: *mut u8, len: usize) -> Result<()> {
    // SAFETY: as for `attach`, guaranteed by the caller.
    check(&unsafe { RawNumaPool::attach(base, len) }?)
}

/// Checks the contents of a pool.
pub fn check(pool: &RawNumaPool) -> Result<()> {
    let RawNumaPool { memory, shape, .. } = pool;
    let (header, _) = Shape::read(*memory)?;
    header.check_reserved()?;
    if (word::END..HEADER_WORDS).any(|index| header.word(index) != 0) {
        return Err(Error::corrupt("an unused word of the header is not zero"));
    }
    if header.word(word::TURN) as usize >= shape.nodes {
        return Err(Error::corrupt("the pool's next node is out of range"));
    }
    for at in 0..shape.nodes {
        record(pool, at)?;
        // The FixedPool of the book and its section must have the sizes that the pool's header
        // implies.
        let (_, stated) = fixed::layout::Shape::read(shape.memory_of(*memory, at)?)?;
        if !stated.same(shape.alone()) {
            return Err(Error::corrupt("the book of a node contradicts the pool's sizes"));
        }
        fixed::validate::check(&pool.books[at])?;
    }
    Ok(())
}

/// Checks the record of a node: its number is unique, its order contains each section once, and
/// unused bytes are zero.
fn record(pool: &RawNumaPool, at: usize) -> Result<()> {
    let (id, nodes) = (pool.id(at), pool.shape.nodes);
    if id as usize >= crate::region::numa::MAX_NODES || (0..at).any(|other| pool.id(other) == id) {
        return Err(Error::corrupt("a node's number is out of range, or not unique"));
    }
    let mut seen = [false; MAX_NODES];
    for place in 0..nodes {
        let section = pool.ordered(at, place)?;
        if std::mem::replace(&mut seen[section], true) || (place == 0 && section != at) {
            return Err(Error::corrupt("the order of a node's sections is not a permutation"));
        }
    }
    let unused = (4..node::HITS).chain(node::END..node::ORDER).chain(node::ORDER + nodes..NODE_BYTES);
    for byte in unused {
        // SAFETY: the byte is within the node's record.
        if unsafe { pool.memory.load_u8(Shape::record(at) + byte) } != 0 {
            return Err(Error::corrupt("an unused byte of a node's record is not zero"));
        }
    }
    Ok(())
}
