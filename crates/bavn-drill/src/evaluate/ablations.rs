//! What is each part worth? The same regions, watched without it.

use super::lots::Lot;
use super::outcome::RegionOutcome;
use std::fmt::Write as _;

/// The regions of one ablation, in the order of the plan.
#[derive(Clone, Debug)]
pub struct Ablation {
    /// `explanations`, a detector, or nothing at all.
    pub without: Option<String>,
    pub outcomes: Vec<RegionOutcome>,
}

/// What came of the regions together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    kinds: usize,
    named: usize,
    lost: usize,
    /// On regions with thieves, and on clean ones.
    false_alarms: usize,
    clean_false_alarms: usize,
}

impl Ablation {
    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for outcome in &self.outcomes {
            sums.kinds += outcome.kinds().0;
            sums.named += outcome.thieves.iter().filter(|thief| thief.found()).count();
            sums.lost += outcome.thieves.iter().map(|thief| thief.lost).sum::<usize>();
            if outcome.is(Lot::Clean) {
                sums.clean_false_alarms += outcome.false_alarms.len();
            } else {
                sums.false_alarms += outcome.false_alarms.len();
            }
        }
        sums
    }

    fn name(&self) -> String {
        self.without.as_ref().map_or_else(|| "(all)".to_owned(), |name| format!("without {name}"))
    }
}

/// Each ablation against the whole, as Markdown.
pub fn ablation_table(ablations: &[Ablation]) -> String {
    let mut text = String::from("\n## What each part is worth\n\n");
    let Some(whole) = ablations.iter().find(|held| held.without.is_none()) else { return text };
    let regions = whole.outcomes.len();
    let clean = whole.outcomes.iter().filter(|outcome| outcome.is(Lot::Clean)).count();
    let kinds: usize = whole.outcomes.iter().map(|outcome| outcome.kinds().1).sum();
    let thieves: usize = whole.outcomes.iter().map(|outcome| outcome.thieves.len()).sum();
    let _ = writeln!(
        text,
        "{regions} regions, {clean} of them clean, with {kinds} kinds of theft by {thieves} \
         identities; in brackets, what the part brings.\n"
    );
    text.push_str(
        "| | kinds | identities named | patients lost | false alarms | false alarms, clean regions |\n\
         |---|---|---|---|---|---|\n",
    );
    let all = whole.sums();
    for ablation in ablations {
        let sums = ablation.sums();
        let cell = |with: usize, without: usize| {
            let brings = with as i64 - without as i64;
            if ablation.without.is_none() || brings == 0 {
                format!("{without}")
            } else {
                format!("{without} ({brings:+})")
            }
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            ablation.name(),
            cell(all.kinds, sums.kinds),
            cell(all.named, sums.named),
            cell(all.lost, sums.lost),
            cell(all.false_alarms, sums.false_alarms),
            cell(all.clean_false_alarms, sums.clean_false_alarms),
        );
    }
    text
}

/// The same for a spreadsheet.
pub fn ablation_csv(ablations: &[Ablation]) -> String {
    let mut text = String::from(
        "without,kinds,identities_named,patients_lost,false_alarms,false_alarms_clean\n",
    );
    for ablation in ablations {
        let Sums { kinds, named, lost, false_alarms, clean_false_alarms } = ablation.sums();
        let name = ablation.without.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{name},{kinds},{named},{lost},{false_alarms},{clean_false_alarms}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{RegionPlan, Watched};
    use crate::region::Settings;
    use crate::score::{Alarm, time};
    use crate::truth::Truth;

    fn outcome(named: bool, lot: Lot) -> RegionOutcome {
        let truth: Truth = serde_json::from_str(
            r#"{"seed":1,"days":10,"staff":100,"patients":50,"events":9,"truth":[
            {"kind":"attack","name":"slow","who":["Practitioner/7"],"start":"2024-01-02T08:00:00Z",
             "reads":[["Practitioner/7","Patient/1","2024-01-02T08:00:00Z"]]}]}"#,
        )
        .unwrap();
        let who = if named { "7" } else { "8" };
        let alarm = Alarm {
            uid: "a".to_owned(),
            at: time("2024-01-02T09:00:00Z").unwrap(),
            is_alert: true,
            names: vec![who.to_owned()],
            ..Alarm::default()
        };
        let watched = Watched { alarms: vec![alarm], ..Watched::default() };
        RegionOutcome::new(RegionPlan { lot, settings: Settings::default() }, truth, watched)
    }

    #[test]
    fn a_part_brings_what_is_missing_without_it() {
        let ablation = |without: Option<&str>, named| Ablation {
            without: without.map(str::to_owned),
            outcomes: vec![outcome(named, Lot::Untidy), outcome(false, Lot::Clean)],
        };
        let ablations = [ablation(None, true), ablation(Some("burst"), false)];
        let table = ablation_table(&ablations);
        assert!(table.contains("| (all) | 1 | 1 | 2 | 0 | 1 |"), "{table}");
        assert!(table.contains("| without burst | 0 (+1) | 0 (+1) | 2 | 1 (-1) | 1 |"), "{table}");
        assert!(ablation_csv(&ablations).contains("burst,0,0,2,1,1"));
    }
}
