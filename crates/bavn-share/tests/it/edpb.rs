//! The 18 cases of EDPB guidelines 01/2021: what the recorded risk makes due, and by when.

use bavn_share::{
    Breach, Duty, Factors, Instant, Language, Notice, RiskLevel, RiskRules, clocks, duty,
    notice_text, shipped,
};
use std::path::Path;

#[test]
fn every_case_leads_to_the_duties_of_the_guidelines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/edpb");
    let now = Instant::parse("2026-03-05T08:00:00+01:00").unwrap();
    let regimes = shipped().unwrap();
    let regime = |id: &str| regimes.iter().find(|regime| regime.id == id).unwrap();
    let mut cases = 0;
    for folder in std::fs::read_dir(root).unwrap() {
        let folder = folder.unwrap().path();
        let breach = Breach::parse(&std::fs::read(folder.join("breach.json")).unwrap()).unwrap();
        let mut decided = vec!["document"];
        for (id, word) in [("gdpr-33", "authority"), ("gdpr-34", "persons")] {
            if duty(&breach, regime(id)) == Duty::Owed {
                decided.push(word);
            }
        }
        let expected = std::fs::read_to_string(folder.join("decision.txt")).unwrap();
        assert_eq!(decided, expected.lines().collect::<Vec<_>>(), "{}", folder.display());

        let due = clocks(&breach, &regimes, now);
        let authority = due.iter().find(|due| due.regime == "gdpr-33").unwrap();
        assert_eq!(authority.by, Instant::parse("2026-03-06T08:00:00+01:00").ok());
        let notice =
            Notice::fill(&breach, regime("gdpr-33"), "initial", Language::En, None, now).unwrap();
        assert_eq!(
            notice.missing,
            ["Controller", "Data protection officer or other contact point"]
        );
        assert!(notice_text(&notice).contains(breach.what_happened.as_deref().unwrap()));
        cases += 1;
    }
    assert_eq!(cases, 18);
}

/// That they agree proves only that the rules contradict none: they were written with them at hand.
#[test]
fn the_factors_of_every_case_suggest_the_level_that_was_judged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/edpb");
    let rules = RiskRules::shipped().unwrap();
    let mut cases = 0;
    for folder in std::fs::read_dir(root).unwrap() {
        let folder = folder.unwrap().path();
        let breach = Breach::parse(&std::fs::read(folder.join("breach.json")).unwrap()).unwrap();
        let factors = std::fs::read(folder.join("factors.json")).unwrap();
        let factors: Factors = serde_json::from_slice(&factors).unwrap();
        let suggestion = rules.suggest(&factors, Language::En).unwrap().unwrap();
        assert_eq!(Some(suggestion.level), breach.risk.unwrap().level, "{}", folder.display());
        assert_eq!(suggestion.factors.len(), 5);
        cases += 1;
    }
    assert_eq!(cases, 18);
}

#[test]
fn a_level_is_suggested_only_when_every_answer_it_turns_on_is_given() {
    let rules = RiskRules::shipped().unwrap();
    let suggest = |pairs: &[(&str, &str)]| {
        let factors: Factors =
            pairs.iter().map(|(id, answer)| ((*id).to_owned(), (*answer).to_owned())).collect();
        rules.suggest(&factors, Language::Nb).map(|found| found.map(|found| found.level))
    };
    assert_eq!(suggest(&[]).unwrap(), None);
    assert_eq!(
        suggest(&[("data", "health"), ("recipient", "malicious")]).unwrap(),
        Some(RiskLevel::High)
    );
    assert_eq!(suggest(&[("data", "contact"), ("recipient", "malicious")]).unwrap(), None);
    assert!(suggest(&[("data", "gossip")]).is_err() && suggest(&[("weather", "bad")]).is_err());
    let text = include_str!("../../../../rules/risk/1.toml");
    assert!(RiskRules::parse(&text.replace("\"trusted\"]", "\"nobody-else\"]")).is_err());
}
