//! A prefix gives a prefix, and the same accesses the same bytes.

use crate::hospital::{ORDINARY, hospital};
use bavn_detect::{Engine, OcsfOptions, Settings, ocsf_line};
use proptest::prelude::*;

const THEFTS: &str = "
read 2024-02-26T01:00:00Z s4 p1200..p1290 every=6
read 2024-02-27T08:00:00Z s16 p1500..p1507 every=1700
read 2024-02-28T14:00:00Z s17 p1400..p1440 every=2
";

/// The lines of a run over the first `accesses` look-ups.
fn lines(accesses: usize) -> Vec<String> {
    let hospital = hospital(&format!("{ORDINARY}{THEFTS}"));
    let mut engine = Engine::new(hospital.context, Settings { budget_per_10k_staff_day: 20.0 });
    let mut findings = Vec::new();
    for access in hospital.accesses.iter().take(accesses) {
        engine.observe(access, &mut findings);
    }
    findings
        .iter()
        .map(|finding| {
            ocsf_line(finding, &hospital.directory, engine.context(), OcsfOptions::default())
        })
        .collect()
}

#[test]
fn the_same_accesses_give_the_same_bytes() {
    let first = lines(usize::MAX);
    assert!(!first.is_empty());
    assert_eq!(first, lines(usize::MAX));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn a_prefix_gives_a_prefix(share in 0.3_f64..1.0) {
        let whole = lines(usize::MAX);
        let all = hospital(&format!("{ORDINARY}{THEFTS}")).accesses.len();
        let part = lines((all as f64 * share) as usize);
        prop_assert!(part.len() <= whole.len());
        prop_assert_eq!(&part[..], &whole[..part.len()]);
    }
}
