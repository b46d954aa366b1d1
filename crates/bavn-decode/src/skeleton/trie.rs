//! Which known skeleton does this record have?
//!
//! A radix tree over literal stretches and slots: one pass over the record compares it with all
//! known skeletons at once, so the number of known shapes costs nothing.

use super::shape::Slot;
use super::slot::Class;
use smallvec::SmallVec;

/// Index of a skeleton.
pub(super) type LeafId = u32;
type NodeId = u32;

#[derive(Debug, Default)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// The literal bytes of all nodes.
    pool: Vec<u8>,
}

#[derive(Debug, Default)]
struct Node {
    /// Where in the pool the node's literal stands.
    start: u32,
    length: u32,
    /// Tried in this order before the branches.
    slots: SmallVec<[(Class, NodeId); 1]>,
    /// By the first byte of the child's literal.
    branches: SmallVec<[(u8, NodeId); 2]>,
    leaf: Option<LeafId>,
}

impl Trie {
    /// The skeleton of `text`, and whether a slot holds escapes. Where the slots end is appended to
    /// `ends`.
    pub(super) fn find(&self, text: &str, ends: &mut Vec<u32>) -> Option<(LeafId, bool)> {
        let bytes = text.as_bytes();
        let (mut at, mut escaped) = (0, false);
        let mut node = self.nodes.first()?;
        loop {
            let literal = self.literal(node);
            if !bytes.get(at..)?.starts_with(literal) {
                return None;
            }
            at += literal.len();
            let fits = node
                .slots
                .iter()
                .find_map(|&(class, child)| class.end(text, at).map(|end| (end, child)));
            let next = if let Some((end, child)) = fits {
                ends.push(end.at as u32);
                at = end.at;
                escaped |= end.escaped;
                child
            } else {
                match bytes.get(at) {
                    None => return node.leaf.map(|leaf| (leaf, escaped)),
                    Some(byte) => node.branches.iter().find(|(first, _)| first == byte)?.1,
                }
            };
            node = self.nodes.get(next as usize)?;
        }
    }

    /// Adds a skeleton. False if an equal one is known or the tree is full.
    pub(super) fn insert(&mut self, text: &str, slots: &[Slot], leaf: LeafId) -> bool {
        if self.nodes.len() + 2 * slots.len() + 2 > NODES_MAX
            || self.pool.len() + text.len() > POOL_BYTES_MAX
        {
            return false;
        }
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let bytes = text.as_bytes();
        let mut node = 0;
        let mut at = 0;
        for slot in slots {
            let literal = bytes.get(at..slot.range.start).unwrap_or_default();
            node = self.descend(node, literal);
            node = self.through_slot(node, slot.class);
            at = slot.range.end;
        }
        node = self.descend(node, bytes.get(at..).unwrap_or_default());
        match self.nodes.get_mut(node) {
            Some(last) if last.leaf.is_none() => {
                last.leaf = Some(leaf);
                true
            }
            _ => false,
        }
    }

    fn literal(&self, node: &Node) -> &[u8] {
        let start = node.start as usize;
        self.pool.get(start..start + node.length as usize).unwrap_or_default()
    }

    /// Follows `literal` from the end of `node`'s own literal on, making what is missing. Returns
    /// the node at whose end all of it has been read.
    fn descend(&mut self, node: usize, literal: &[u8]) -> usize {
        let mut node = node;
        let mut rest = literal;
        while let Some(&first) = rest.first() {
            let child = self.nodes.get(node).and_then(|node| {
                node.branches.iter().find(|&&(byte, _)| byte == first).map(|&(_, child)| child)
            });
            let Some(child) = child else {
                let start = self.pool.len() as u32;
                self.pool.extend_from_slice(rest);
                let made = self.push(Node { start, length: rest.len() as u32, ..Node::default() });
                if let Some(node) = self.nodes.get_mut(node) {
                    node.branches.push((first, made as NodeId));
                }
                return made;
            };
            node = child as usize;
            let held = self.nodes.get(node).map_or(&[][..], |node| self.literal(node));
            let common = held.iter().zip(rest).take_while(|(one, other)| one == other).count();
            if common < held.len() {
                self.split(node, common);
            }
            rest = rest.get(common..).unwrap_or_default();
        }
        node
    }

    fn through_slot(&mut self, node: usize, class: Class) -> usize {
        let known = self.nodes.get(node).and_then(|node| {
            node.slots.iter().find(|&&(held, _)| held == class).map(|&(_, child)| child)
        });
        if let Some(child) = known {
            return child as usize;
        }
        let made = self.push(Node::default());
        if let Some(node) = self.nodes.get_mut(node) {
            node.slots.push((class, made as NodeId));
        }
        made
    }

    /// Moves all after the first `length` bytes of a node's literal into a child.
    fn split(&mut self, node: usize, length: usize) {
        let length = length as u32;
        let next_byte =
            self.nodes.get(node).and_then(|node| self.literal(node).get(length as usize).copied());
        let (Some(held), Some(byte)) = (self.nodes.get_mut(node), next_byte) else { return };
        let tail = Node {
            start: held.start + length,
            length: held.length - length,
            slots: std::mem::take(&mut held.slots),
            branches: std::mem::take(&mut held.branches),
            leaf: held.leaf.take(),
        };
        held.length = length;
        let child = self.push(tail) as NodeId;
        if let Some(held) = self.nodes.get_mut(node) {
            held.branches.push((byte, child));
        }
    }

    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}

const NODES_MAX: usize = 1 << 16;
const POOL_BYTES_MAX: usize = 4 << 20;
