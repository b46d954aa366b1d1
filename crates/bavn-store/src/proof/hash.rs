//! Hashing of Merkle trees as in RFC 6962, section 2.1, with SHA-256.

use ring::digest::{Context, SHA256, digest};

/// SHA-256 of something.
pub(crate) type Hash = [u8; 32];

pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Of an entry: the prefix keeps it apart from nodes.
pub(crate) fn leaf_hash(entry: &[u8]) -> Hash {
    let mut prefixed = [0; LEAF_BYTES];
    match prefixed.get_mut(1..=entry.len()) {
        Some(room) => {
            room.copy_from_slice(entry);
            at_once(prefixed.get(..=entry.len()).unwrap_or_default())
        }
        None => sha256(&[&[0], entry]),
    }
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut prefixed = [1; 65];
    let [_, both @ ..] = &mut prefixed;
    let (first, second) = both.split_at_mut(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    at_once(&prefixed)
}

/// Of one short stretch of bytes, which takes less than piece by piece.
fn at_once(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// Entries are short; a longer one is hashed in pieces.
const LEAF_BYTES: usize = 96;

/// The root over neighbouring subtrees of one size, of which the last may be smaller. The root over
/// nothing is the hash of nothing.
pub(crate) fn fold(subtrees: &[Hash]) -> Hash {
    match subtrees {
        [] => sha256(&[]),
        [one] => *one,
        whole if whole.len().is_power_of_two() => {
            let above = |level: &[Hash]| -> Vec<Hash> {
                level.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect()
            };
            let mut level = above(whole);
            while level.len() > 1 {
                level = above(&level);
            }
            level.first().copied().unwrap_or_default()
        }
        many => {
            let (left, right) = many.split_at(largest_power_below(many.len() as u64) as usize);
            node_hash(&fold(left), &fold(right))
        }
    }
}

/// The largest power of two below `count`, which is at least 2.
pub(crate) fn largest_power_below(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use sha2::Sha256;

    #[test]
    fn the_root_is_that_of_another_implementation() {
        let mut other: MemoryBackedTree<Sha256, Vec<u8>> = MemoryBackedTree::new();
        let mut leaves = Vec::new();
        assert_eq!(fold(&leaves).as_slice(), other.root().as_bytes().as_slice());
        for number in 0..300_u32 {
            let entry = number.to_be_bytes().to_vec();
            leaves.push(leaf_hash(&entry));
            other.push(entry);
            assert_eq!(fold(&leaves).as_slice(), other.root().as_bytes().as_slice(), "{number}");
        }
    }
}
