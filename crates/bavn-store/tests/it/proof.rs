//! Proofs of the store's log, held against the canonical bytes and another implementation's check.

use crate::region::{look_ups, open, write};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bavn_store::{Depth, Opening, verify};
use ct_merkle::{InclusionProof, RootHash};
use sha2::digest::Output;
use sha2::{Digest as _, Sha256};

#[test]
fn every_entry_is_proven_and_every_look_up_opens_to_what_was_stored() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(31, 300);
    write(folder.path(), &all, 150);
    let store = open(folder.path());
    let checkpoint = store.agrees_with(&store.last_checkpoint().unwrap()).unwrap().unwrap();
    assert_eq!(checkpoint.size, 302);
    let root = RootHash::<Sha256>::new(Output::<Sha256>::from(checkpoint.root), checkpoint.size);
    let mut opened = 0;
    for index in 0..checkpoint.size {
        let receipt = store.prove(index, Opening::Shown).unwrap();
        let mut lines = receipt.text.lines();
        assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
        let extra = lines.next().unwrap().strip_prefix("extra ").unwrap();
        let extra = STANDARD.decode(extra).unwrap();
        assert_eq!(lines.next(), Some(format!("index {index}").as_str()));
        let hashes: Vec<Output<Sha256>> = lines
            .by_ref()
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let hash: [u8; 32] = STANDARD.decode(line).unwrap().try_into().unwrap();
                hash.into()
            })
            .collect();
        let (entry, opening) = match extra[0] {
            1 => extra.split_at(33),
            _ => extra.split_at(extra.len()),
        };
        let proof = InclusionProof::<Sha256>::from_digests(&hashes);
        root.verify_inclusion(&entry.to_vec(), index, &proof).unwrap();
        if entry[0] == 1 {
            assert_eq!(Sha256::digest(opening).as_slice(), &entry[1..]);
            // Two commits of 150, each with an entry of its own behind it.
            let plain = &all[index as usize - usize::from(index > 150)];
            let holds =
                |text: &str| opening.windows(text.len()).any(|part| part == text.as_bytes());
            assert!(holds(&plain.original) && plain.patients.iter().all(|name| holds(name)));
            assert_eq!(receipt.patients, plain.patients);
            opened += 1;
            let hidden = store.prove(index, Opening::Hidden).unwrap();
            assert!(hidden.patients.is_empty() && hidden.text.len() < 2_048);
        }
    }
    assert_eq!(opened, all.len());
    assert!(store.prove(checkpoint.size, Opening::Hidden).is_err());
    assert_eq!(store.entry_of(all[200].id).unwrap(), Some(201));
    assert_eq!(store.entry_of(7).unwrap(), None);
    let found = verify(folder.path(), &crate::region::kek(), Depth::LookUps, &[]).unwrap();
    assert!(found.is_whole() && found.good_look_ups == 300);
}

#[test]
fn a_checkpoint_of_an_earlier_commit_is_made_again_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(32, 600);
    let mut kept = Vec::new();
    for part in all.chunks(100) {
        write(folder.path(), part, 100);
        kept.push(std::fs::read_to_string(folder.path().join("proof/checkpoint")).unwrap());
    }
    let store = open(folder.path());
    let now = crate::region::now();
    assert_eq!(store.checkpoint_at(now).unwrap(), kept.last().cloned());
    assert_eq!(store.checkpoint_at(now.plus_secs(-1)).unwrap(), None);
    for (older, newer) in kept.iter().zip(&kept[1..]) {
        let text = store.prove_consistency(older, newer).unwrap().unwrap();
        assert!(text.starts_with("bavn/consistency-proof@v1\n") && text.ends_with(newer.as_str()));
        assert!(store.prove_consistency(newer, older).unwrap().is_err());
    }
}

/// A source that says nothing for days is on record in the log itself, once when it has fallen silent
/// and once when it speaks again.
#[test]
fn a_silence_of_a_source_is_an_entry_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = look_ups(33, 1_300);
    let (others, later) = (500, 900);
    for (number, plain) in all.iter_mut().enumerate() {
        // The first falls silent after four days, another goes on for three more, then both speak.
        let days = match number {
            _ if number < others => 0,
            _ if number < later => 3,
            _ => 7,
        };
        plain.at = plain.at.plus_secs(days * 86_400);
        plain.source =
            if (others..later).contains(&number) { "other-source" } else { "first-source" };
    }
    let mut found = Vec::new();
    for part in [&all[..others], &all[others..later], &all[later..]] {
        write(folder.path(), part, part.len());
        let store = open(folder.path());
        found.push(opened_silences(&store));
    }
    assert_eq!((found[0].len(), found[1].len()), (0, 1));
    let (going_on, ended) = (&found[2][0], &found[2][1]);
    assert!(going_on.ends_with("first-source") && ended.ends_with("first-source"), "{found:?}");
    assert_ne!(going_on, ended);
    let whole = verify(folder.path(), &crate::region::kek(), Depth::LookUps, &[]).unwrap();
    assert!(whole.is_whole());
}

/// What the entries of silences open to, as text.
fn opened_silences(store: &bavn_store::Store) -> Vec<String> {
    let entries = 0..store.as_of().entries;
    let shown = entries.map(|index| store.prove(index, Opening::Shown).unwrap().text);
    let extra = shown.filter_map(|text| {
        let extra = text.lines().nth(1)?.strip_prefix("extra ")?.to_owned();
        STANDARD.decode(extra).ok().filter(|extra| extra[0] == 3)
    });
    extra
        .map(|extra| {
            assert_eq!(Sha256::digest(&extra[33..]).as_slice(), &extra[1..33]);
            String::from_utf8_lossy(&extra[49..]).into_owned()
        })
        .collect()
}
