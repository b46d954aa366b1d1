//! Purposes of use in plain words, for who does not know the codes.

/// A code in English and bokmål; none for a code that is not known.
pub(super) fn in_words(code: &str) -> Option<[&'static str; 2]> {
    let row = PURPOSES.iter().find(|(codes, _)| codes.split(' ').any(|known| known == code))?;
    Some(row.1)
}

/// All of HL7 v3 `PurposeOfUse` as FHIR R4 has it (a value set of `ActReason`), and the Swiss and
/// Norwegian codes that sources write.
const PURPOSES: [(&str, [&str; 2]); 52] = [
    ("TREAT HTREAT NORM", ["treatment", "behandling"]),
    ("POLBESOK", ["outpatient visit", "poliklinisk besøk"]),
    ("CAREMGT COC", ["coordination of care", "samordning av behandlingen"]),
    ("CLINTRL", ["treatment in a clinical trial", "behandling i en klinisk studie"]),
    ("ETREAT EMER EMERGENCY", ["emergency treatment", "øyeblikkelig hjelp"]),
    ("BTG", ["emergency access past a restriction", "nødåpning forbi en sperring"]),
    ("ERTREAT", ["treatment in the emergency department", "behandling i akuttmottak"]),
    ("POPHLTH", ["care for a group of people", "helsehjelp til en gruppe mennesker"]),
    ("HOPERAT", ["running the hospital", "drift av sykehuset"]),
    ("HMARKT", ["marketing", "markedsføring"]),
    ("DONAT", ["donation of organs or tissue", "donasjon av organer eller vev"]),
    ("FRAUD", ["looking for fraud", "kontroll av svindel"]),
    ("GOV", ["a task of the authorities", "oppgave for myndighetene"]),
    ("HACCRED", ["accreditation", "godkjenning av virksomheten"]),
    ("HCOMPL", ["checking that rules are kept", "kontroll av at regler følges"]),
    ("HDECD", ["after a death", "oppfølging etter dødsfall"]),
    ("HDIRECT", ["the list of patients", "pasientoversikten"]),
    ("HDM", ["management of care", "styring av helsehjelpen"]),
    ("HLEGAL", ["legal work", "juridisk arbeid"]),
    ("HOUTCOMS", ["measuring results of treatment", "måling av behandlingsresultater"]),
    ("HPRGRP", ["reporting", "rapportering"]),
    ("HQUALIMP", ["quality work", "kvalitetsarbeid"]),
    ("HSYSADMIN SYSADMIN", ["running the systems", "drift av systemene"]),
    ("LABELING", ["marking of information", "merking av opplysninger"]),
    ("METAMGT", ["care of descriptive data", "vedlikehold av beskrivende data"]),
    ("MEMADMIN", ["administration of members", "medlemsadministrasjon"]),
    ("MILCDM", ["military command", "militær ledelse"]),
    ("PATADMIN", ["administration of patients", "pasientadministrasjon"]),
    ("PATSFTY", ["patient safety", "pasientsikkerhet"]),
    ("PERFMSR", ["measuring the hospital's work", "måling av sykehusets arbeid"]),
    ("RECORDMGT", ["keeping of records", "forvaltning av journaler"]),
    ("SYSDEV", ["development of systems", "utvikling av systemer"]),
    ("HTEST", ["test of systems", "test av systemer"]),
    ("TRAIN", ["teaching", "undervisning"]),
    ("AUTO", ["automatic transfer", "automatisk overføring"]),
    ("SUPPORT", ["technical support", "teknisk støtte"]),
    ("HPAYMT REMITADV", ["payment", "betaling"]),
    ("CLMATTCH", ["a claim for payment", "krav om oppgjør"]),
    ("COVAUTH COVERAGE ELIGDTRM ELIGVER", ["whether costs are covered", "om utgiftene dekkes"]),
    ("ENROLLM", ["enrolment in a scheme", "opptak i en ordning"]),
    ("MILDCRG", ["discharge from the armed forces", "utskriving fra forsvaret"]),
    ("HRESCH RESEARCH BIORCH TRANSRCH", ["research", "forskning"]),
    (
        "CLINTRCH CLINTRCHNPC CLINTRCHPC",
        ["research in a clinical trial", "forskning i klinisk studie"],
    ),
    ("PRECLINTRCH", ["research before a clinical trial", "forskning før klinisk studie"]),
    ("DSRCH", ["research on a disease", "forskning på en sykdom"]),
    ("POARCH", ["research on ancestry", "forskning på slekt og opphav"]),
    ("PATRQT", ["at the patient's request", "etter ønske fra pasienten"]),
    ("FAMRQT", ["at the family's request", "etter ønske fra familien"]),
    ("PWATRNY SUPNWK", ["for the patient's representatives", "for dem som bistår pasienten"]),
    ("PUBHLTH", ["public health", "folkehelse"]),
    ("DISASTER", ["disaster", "katastrofe"]),
    ("THREAT", ["a threat to somebody", "trussel mot noen"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_stands_once_and_has_plain_words() {
        let codes = || PURPOSES.iter().flat_map(|(codes, _)| codes.split(' '));
        assert_eq!(codes().collect::<BTreeSet<_>>().len(), codes().count());
        for [english, bokmaal] in PURPOSES.map(|(_, words)| words) {
            assert!(!english.is_empty() && !bokmaal.is_empty());
            assert!(!english.chars().any(char::is_uppercase), "{english}");
        }
        assert_eq!(in_words("TREAT"), Some(["treatment", "behandling"]));
        assert_eq!(in_words("TREAT HTREAT"), None);
        assert_eq!(in_words("X-17"), None);
    }
}
