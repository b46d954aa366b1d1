//! Words that sources and programs write, as people say them.

use super::Language;

/// A post, a unit, or a list of patients.
pub fn post(language: Language, name: &str) -> &str {
    known(language, name, &POSTS)
}

/// What was done to a record.
pub fn kind(language: Language, word: &str) -> &str {
    known(language, word, &KINDS)
}

/// A word of a table of words with their English and bokmål. What is not known stays as its source
/// has it.
pub fn known<'w>(language: Language, word: &'w str, table: &[[&'static str; 3]]) -> &'w str {
    let row = table.iter().find(|[known, ..]| *known == word);
    row.map_or(word, |[_, english, bokmaal]| match language {
        Language::English => english,
        Language::Bokmaal => bokmaal,
    })
}

/// As `bavn decode` writes them.
const KINDS: [[&str; 3]; 10] = [
    ["read", "read", "lest"],
    ["search", "searched", "søkt"],
    ["create", "created", "opprettet"],
    ["update", "changed", "endret"],
    ["delete", "deleted", "slettet"],
    ["export", "exported", "eksportert"],
    ["print", "printed", "skrevet ut"],
    ["login", "logged in", "logget inn"],
    ["decision", "access decided", "tilgang avgjort"],
    ["other", "other", "annet"],
];
/// Those of a simulated region, as it writes them, in English and bokmål.
const POSTS: [[&str; 3]; 23] = [
    ["nurse", "nurse", "sykepleier"],
    ["doctor", "doctor", "lege"],
    ["healthcare-assistant", "healthcare assistant", "helsefagarbeider"],
    ["technician", "technician", "tekniker"],
    ["secretary", "secretary", "helsesekretær"],
    ["coder", "coder", "koder"],
    ["emergency", "emergency", "akuttmottak"],
    ["medicine", "medicine", "medisin"],
    ["surgery", "surgery", "kirurgi"],
    ["orthopaedics", "orthopaedics", "ortopedi"],
    ["oncology", "oncology", "kreftavdeling"],
    ["psychiatry", "psychiatry", "psykiatri"],
    ["maternity", "maternity", "fødeavdeling"],
    ["outpatient", "outpatient clinic", "poliklinikk"],
    ["radiology", "radiology", "radiologi"],
    ["laboratory", "laboratory", "laboratorium"],
    ["coding", "coding office", "kodekontor"],
    ["anaesthesia", "anaesthesia", "anestesi"],
    ["infection-control", "infection control", "smittevern"],
    ["palliative", "palliative care", "lindrende behandling"],
    ["referral-office", "referral office", "henvisningskontor"],
    ["physiotherapy", "physiotherapy", "fysioterapi"],
    ["armed forces personnel", "armed forces personnel", "forsvarspersonell"],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_not_known_stays() {
        assert_eq!(post(Language::English, "infection-control"), "infection control");
        assert_eq!(post(Language::Bokmaal, "secretary"), "helsesekretær");
        for language in [Language::English, Language::Bokmaal] {
            assert_eq!(post(language, "Sengepost 4"), "Sengepost 4");
            assert_eq!(kind(language, "teleport"), "teleport");
        }
    }
}
