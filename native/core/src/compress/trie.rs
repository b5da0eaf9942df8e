//! Finding all phrases that begin at a position, in one walk: a double-array trie (Aoe, "An
//! efficient digital search algorithm by using a double-array structure", 1989).

use super::memory::try_vec;
use crate::Result;

/// A transition. Its slot index is the base of its source node plus the byte. The slot is valid if
/// `from` identifies the source node; a node is identified by the slot index of the transition to
/// it.
#[derive(Clone, Copy, Debug)]
struct Slot {
    from: u32,
    /// The base of the target node in the low 20 bits; above them, the phrase that ends there.
    node: u32,
}

const BASE_BITS: u32 = 20;
/// The value for a node at which no phrase ends.
const NONE: u32 = (1 << (32 - BASE_BITS)) - 1;
const ROOT: u32 = u32::MAX - 1;
const VACANT: Slot = Slot { from: u32::MAX, node: 0 };

/// A position in the trie. It is valid only for the trie that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    slot: u32,
    base: u32,
}

#[derive(Debug)]
pub(crate) struct Trie {
    slots: Vec<Slot>,
    root: u32,
}

impl Trie {
    /// Creates the trie of `phrases`, which must be distinct. Each is identified by its index.
    pub(crate) fn new(phrases: &[&[u8]]) -> Result<Trie> {
        let mut order = try_vec(phrases.len(), 0u16)?;
        order.iter_mut().zip(0..).for_each(|(slot, index)| *slot = index);
        order.sort_unstable_by_key(|&index| phrases[index as usize]);
        let mut trie = Trie { slots: try_vec(1024, VACANT)?, root: 0 };
        // Nodes whose children are not placed yet: the node, its range of sorted phrases, and its
        // depth.
        let mut todo = Vec::new();
        todo.try_reserve(1)?;
        todo.push((ROOT, 0, order.len(), 0));
        let mut free = 0;
        while let Some((node, mut from, to, depth)) = todo.pop() {
            let mut phrase = NONE << BASE_BITS;
            while from < to && phrases[order[from] as usize].len() == depth {
                phrase = u32::from(order[from]) << BASE_BITS;
                from += 1;
            }
            let mut children: Vec<(u8, usize, usize)> = Vec::new();
            for (at, &index) in order.iter().enumerate().take(to).skip(from) {
                let byte = phrases[index as usize][depth];
                match children.last_mut() {
                    Some(last) if last.0 == byte => last.2 = at + 1,
                    _ => {
                        children.try_reserve(1)?;
                        children.push((byte, at, at + 1));
                    }
                }
            }
            let base = trie.find_base(&children, &mut free)?;
            match node {
                ROOT => trie.root = base as u32,
                _ => trie.slots[node as usize].node = phrase | base as u32,
            }
            todo.try_reserve(children.len())?;
            for (byte, from, to) in children {
                let child = base + usize::from(byte);
                trie.slots[child].from = node;
                todo.push((child as u32, from, to, depth + 1));
            }
        }
        Ok(trie)
    }

    /// Finds the first base at which the slots of all children are vacant.
    fn find_base(&mut self, children: &[(u8, usize, usize)], free: &mut usize) -> Result<usize> {
        let mut base = if children.is_empty() { 0 } else { *free };
        while !children.iter().all(|&(byte, ..)| self.slots[base + usize::from(byte)].from == u32::MAX) {
            base += 1;
            if base + 512 > self.slots.len() {
                let len = self.slots.len() * 2;
                if len > 1 << BASE_BITS {
                    return Err(crate::Error::corrupt("the dictionary has too many phrases"));
                }
                let mut slots = try_vec(len, VACANT)?;
                slots[..self.slots.len()].copy_from_slice(&self.slots);
                self.slots = slots;
            }
        }
        // If the slots at the front are nearly all used, searching them again and again would take
        // quadratic time.
        *free = (*free).max(base.saturating_sub(512));
        Ok(base)
    }

    /// Calls `found` with the length and index of each phrase that `text` begins with, shortest
    /// first.
    #[inline(always)]
    pub(crate) fn walk(&self, text: &[u8], found: impl FnMut(usize, usize)) {
        self.walk_on(Node { slot: ROOT, base: self.root }, text, found);
    }

    /// The same, starting at a node. Lengths do not include the bytes that lead to the node.
    #[inline(always)]
    pub(crate) fn walk_on(&self, from: Node, text: &[u8], mut found: impl FnMut(usize, usize)) {
        let Node { slot: mut node, mut base } = from;
        for (depth, &byte) in text.iter().enumerate() {
            let at = base + u32::from(byte);
            // SAFETY: 256 slots exist from any base on.
            let slot = unsafe { *self.slots.get_unchecked(at as usize) };
            if slot.from != node {
                return;
            }
            (node, base) = (at, slot.node & ((1 << BASE_BITS) - 1));
            if slot.node >> BASE_BITS != NONE {
                found(depth + 1, (slot.node >> BASE_BITS) as usize);
            }
        }
    }

    /// The node that `bytes` lead to, if any phrase begins with them.
    pub(crate) fn node(&self, bytes: &[u8]) -> Option<Node> {
        let mut node = Node { slot: ROOT, base: self.root };
        for &byte in bytes {
            let at = node.base + u32::from(byte);
            let slot = self.slots[at as usize];
            if slot.from != node.slot {
                return None;
            }
            node = Node { slot: at, base: slot.node & ((1 << BASE_BITS) - 1) };
        }
        Some(node)
    }

    /// Whether a phrase continues past a node.
    pub(crate) fn has_children(&self, node: Node) -> bool {
        self.slots[node.base as usize..][..256].iter().any(|slot| slot.from == node.slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
            #[test]
    fn finds_the_same_phrases_as_a_linear_search(
                set in proptest::collection::btree_set(proptest::collection::vec(0u8..4, 1..6), 0..60),
                text in proptest::collection::vec(0u8..5, 0..40),
            ) {
                let phrases: Vec<&[u8]> = set.iter().map(Vec::as_slice).collect();
                let trie = Trie::new(&phrases).unwrap();
                for from in 0..=text.len() {
                    let mut found = Vec::new();
                    trie.walk(&text[from..], |len, index| found.push((len, index)));
                    let mut expected: Vec<_> = phrases.iter().enumerate()
                        .filter(|(_, phrase)| text[from..].starts_with(phrase))
                        .map(|(index, phrase)| (phrase.len(), index)).collect();
                    expected.sort_unstable();
                    prop_assert_eq!(found, expected);
                }
            }
        }
}
