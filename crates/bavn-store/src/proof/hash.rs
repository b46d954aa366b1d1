//! Hashing of Merkle trees as in RFC 6962, section 2.1, with SHA-256.

use ring::digest::{Context, SHA256};
use sha2::block_api::compress256;

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
    let mut block = [0; BLOCK_BYTES];
    // The prefix is zero; then the entry, the bit that ends it, and its length in bits at the end.
    let Some(room) = block.get_mut(1..=entry.len()) else { return sha256(&[&[0], entry]) };
    room.copy_from_slice(entry);
    let [.., high, low] = &mut block;
    let bits = (entry.len() as u16 + 1) * 8;
    [*high, *low] = bits.to_be_bytes();
    match block.get_mut(1 + entry.len()) {
        Some(end) if entry.len() <= ONE_BLOCK_MAX => *end = 0x80,
        _ => return sha256(&[&[0], entry]),
    }
    of_blocks(&[block])
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut blocks = [[0; BLOCK_BYTES]; 2];
    let [first, second] = &mut blocks;
    let [prefix, room @ ..] = first;
    *prefix = 1;
    let (room_left, room_right) = room.split_at_mut(32);
    room_left.copy_from_slice(left);
    let [head @ .., last] = right;
    room_right.copy_from_slice(head);
    let [of_right, end, .., high, low] = second;
    (*of_right, *end) = (*last, 0x80);
    [*high, *low] = (65_u16 * 8).to_be_bytes();
    of_blocks(&blocks)
}

/// SHA-256 of what has been padded already: two in three of verifying's hashes are of one or two
/// blocks, for which a hasher that is made and ended takes as long as the hashing.
fn of_blocks(blocks: &[[u8; BLOCK_BYTES]]) -> Hash {
    let mut state = START;
    compress256(&mut state, blocks);
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

const BLOCK_BYTES: usize = 64;
/// Prefix, the bit that ends it and eight bytes of length beside it.
const ONE_BLOCK_MAX: usize = BLOCK_BYTES - 10;
/// FIPS 180-4, section 5.3.3.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The root over neighbouring subtrees of one size, of which the last may be smaller. The root over
/// nothing is the hash of nothing.
pub(crate) fn fold(subtrees: &[Hash]) -> Hash {
    match subtrees {
        [] => sha256(&[]),
        [one] => *one,
        whole if whole.len().is_power_of_two() => {
            let pairs = whole.as_chunks().0.iter();
            let mut level: Vec<Hash> = pairs.map(|[left, right]| node_hash(left, right)).collect();
            while level.len() > 1 {
                // In place: each result lies before what it was made of.
                let half = level.len() / 2;
                for at in 0..half {
                    if let Some(&[left, right]) = level.as_chunks().0.get(at)
                        && let Some(slot) = level.get_mut(at)
                    {
                        *slot = node_hash(&left, &right);
                    }
                }
                level.truncate(half);
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
    fn an_entry_of_any_length_is_hashed_as_the_other_implementation_does() {
        for length in 0..200_usize {
            let entry: Vec<u8> = (0..length).map(|byte| byte as u8 ^ 0x5a).collect();
            assert_eq!(leaf_hash(&entry), sha256(&[&[0], &entry]), "{length}");
        }
        let (left, right) = ([0xa5; 32], [0x3c; 32]);
        assert_eq!(node_hash(&left, &right), sha256(&[&[1], &left, &right]));
    }

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
