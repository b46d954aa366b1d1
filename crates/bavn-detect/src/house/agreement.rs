//! Does the employees' side agree, whichever way it said so?

use super::fold::House;
use crate::cases::Book;
use serde::Serialize;

/// That the employees' side agrees: until it does, nobody is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Who agreed for the employees.
    pub by: String,
    /// The day on the paper, `2026-11-01`.
    pub date: String,
    /// Of the assessment, if its text was at hand.
    pub sha256: Option<String>,
}

/// The agreement in force. It is given on paper and written down among the acts on cases, or given on
/// the page of settings: the last word counts, wherever it was said.
pub fn agreement(book: &Book, house: &House) -> Option<Agreement> {
    let on_paper = book.last_word();
    let on_page = house.last_word();
    let is_paper_last = match (&on_paper, &on_page) {
        (Some((paper, _)), Some((page, _))) => paper > page,
        (paper, _) => paper.is_some(),
    };
    if is_paper_last {
        let held = on_paper?.1?;
        return Some(Agreement { by: held.by, date: held.on, sha256: Some(held.sha256) });
    }
    let held = on_page?.1?;
    Some(Agreement { by: held.by.clone(), date: held.date.clone(), sha256: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{CaseNumber, Deed};
    use crate::house::{Change, HouseDeed};
    use bavn_model::Timestamp;

    #[test]
    fn the_last_word_counts_wherever_it_was_said() {
        let at = |day: i64| Timestamp::from_secs(1_700_000_000).plus_secs(day * 86_400);
        let (mut book, mut house) = (Book::new("north"), House::default());
        assert_eq!(agreement(&book, &house), None);
        let on_paper = |book: &mut Book, house: &House, day, deed| {
            let in_force = agreement(book, house);
            let acts = book.propose_sign_off(at(day), "kari", deed, in_force.as_ref())?;
            for act in acts {
                book.push(act);
            }
            Ok::<_, crate::cases::Refusal>(())
        };
        let signed = |on: &str| Deed::SignedOff {
            by: "Siri, union".to_owned(),
            on: on.to_owned(),
            sha256: "c".repeat(64),
        };
        let withdrawn = || Deed::SignOffWithdrawn { why: "it changed".to_owned() };
        let on_page = |house: &mut House, day, by: &str, role: &str, deed| {
            let act = house.propose(at(day), by, role, deed).unwrap();
            house.push(act);
        };
        on_paper(&mut book, &house, 0, signed("2023-11-14")).unwrap();
        assert_eq!(agreement(&book, &house).unwrap().by, "Siri, union");
        let reason = "it changed".to_owned();
        on_page(&mut house, 1, "eva", "representative", HouseDeed::Withdrawn { reason });
        assert_eq!(agreement(&book, &house), None, "the page withdraws what is on paper");
        assert!(on_paper(&mut book, &house, 1, withdrawn()).is_err(), "nothing to withdraw");
        let change = Change::SignOff { date: "2023-11-15".to_owned() };
        let proposed = HouseDeed::Proposed { change, reason: "met".to_owned() };
        on_page(&mut house, 2, "kari", "privacy-officer", proposed);
        let confirmed = HouseDeed::Confirmed { proposal: 1 };
        on_page(&mut house, 2, "eva", "representative", confirmed);
        assert_eq!(agreement(&book, &house).unwrap().by, "eva");
        on_paper(&mut book, &house, 3, withdrawn()).unwrap();
        assert_eq!(agreement(&book, &house), None, "paper withdraws what the page says");
        assert!(on_paper(&mut book, &house, 3, signed("2023-11-20")).is_err(), "still to come");
        assert!(book.case(CaseNumber(1)).is_none(), "it makes no case");
    }
}
