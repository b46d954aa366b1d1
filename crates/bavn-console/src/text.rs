//! The pages' own words, in English and bokmål.

/// Which language a page speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    Bokmaal,
}

impl Language {
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Bokmaal => "nb",
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::English => Self::Bokmaal,
            Self::Bokmaal => Self::English,
        }
    }

    /// The first of a browser's languages that the pages speak (RFC 9110, section 12.5.4; weights
    /// are not weighed, since browsers list the best first).
    pub(crate) fn accepted(header: &str) -> Self {
        for part in header.split(',') {
            let tag = part.split([';', '-']).next().unwrap_or_default().trim();
            match tag {
                "nb" | "no" | "nn" => return Self::Bokmaal,
                "en" => return Self::English,
                _ => {}
            }
        }
        Self::English
    }

    pub(crate) const fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::Bokmaal => &BOKMAAL,
        }
    }
}

/// Every word that is not part of an alarm.
#[derive(Debug)]
pub(crate) struct Texts {
    pub(crate) queue: &'static str,
    pub(crate) other_language: &'static str,
    pub(crate) skip: &'static str,
    pub(crate) simulated: &'static str,
    pub(crate) reached: &'static str,
    pub(crate) look_ups: &'static str,
    pub(crate) readers: &'static str,
    pub(crate) patients: &'static str,
    pub(crate) explained: &'static str,
    pub(crate) budget: &'static str,
    pub(crate) quiet: &'static str,
    pub(crate) alarm: &'static str,
    pub(crate) since: &'static str,
    pub(crate) exposed: &'static str,
    pub(crate) risk: &'static str,
    pub(crate) why: &'static str,
    pub(crate) tried: &'static str,
    pub(crate) innocent: &'static str,
    pub(crate) next: &'static str,
    pub(crate) below: &'static str,
    pub(crate) unseen: &'static str,
    pub(crate) unseen_text: &'static str,
    pub(crate) chart: &'static str,
    pub(crate) chart_caption: &'static str,
    pub(crate) hour: &'static str,
    pub(crate) busiest_other: &'static str,
    pub(crate) raised: &'static str,
    pub(crate) expected: &'static str,
    pub(crate) back: &'static str,
    pub(crate) missing: &'static str,
    pub(crate) missing_text: &'static str,
}

static ENGLISH: Texts = Texts {
    queue: "Needs a human now",
    other_language: "Norsk",
    skip: "Skip to the alarms",
    simulated: "A simulated region: nobody here exists.",
    reached: "Watched until",
    look_ups: "look-ups",
    readers: "readers",
    patients: "patients",
    explained: "of visits explained by records",
    budget: "false alarms a day per 10,000 staff are what you allow",
    quiet: "Nothing needs you. Alarms appear here by themselves.",
    alarm: "Alarm",
    since: "Since",
    exposed: "Patients exposed",
    risk: "Risk",
    why: "Why",
    tried: "What was looked for and did not explain it",
    innocent: "The innocent reading that fits best",
    next: "First thing to do",
    below: "What would have kept it quiet",
    unseen: "What cannot be seen from here",
    unseen_text: "Reads below the application (database, backup, disk) leave no look-up; until such a source is connected they are not counted.",
    chart: "Patients opened an hour",
    chart_caption: "Bars: different patients that this reader opened in each hour (UTC). Line: the busiest of all other readers in the same hour.",
    hour: "Hour",
    busiest_other: "Busiest other reader",
    raised: "Alarm raised",
    expected: "innocent findings as strong a day per 10,000 staff",
    back: "All alarms",
    missing: "No such page",
    missing_text: "The address names nothing that bavn knows.",
};

static BOKMAAL: Texts = Texts {
    queue: "Trenger et menneske nå",
    other_language: "English",
    skip: "Hopp til alarmene",
    simulated: "En simulert region: ingen her finnes.",
    reached: "Fulgt til",
    look_ups: "oppslag",
    readers: "lesere",
    patients: "pasienter",
    explained: "av besøkene er forklart av journalførte grunner",
    budget: "falske alarmer per døgn og 10 000 ansatte er det dere tillater",
    quiet: "Ingenting trenger deg. Alarmer kommer hit av seg selv.",
    alarm: "Alarm",
    since: "Siden",
    exposed: "Pasienter eksponert",
    risk: "Risiko",
    why: "Hvorfor",
    tried: "Det som ble undersøkt og ikke forklarte det",
    innocent: "Den uskyldige forklaringen som passer best",
    next: "Gjør først",
    below: "Det som ville holdt den stille",
    unseen: "Det som ikke kan ses herfra",
    unseen_text: "Lesing under applikasjonen (database, sikkerhetskopi, disk) gir ingen oppslag; før en slik kilde er koblet til, telles de ikke.",
    chart: "Pasienter åpnet per time",
    chart_caption: "Søyler: ulike pasienter denne leseren åpnet i hver time (UTC). Strek: den travleste av alle andre lesere i samme time.",
    hour: "Time",
    busiest_other: "Travleste annen leser",
    raised: "Alarmen gikk",
    expected: "uskyldige funn like sterke per døgn og 10 000 ansatte",
    back: "Alle alarmer",
    missing: "Siden finnes ikke",
    missing_text: "Adressen viser ikke til noe bavn kjenner.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_spoken_wins() {
        for (header, expected) in [
            ("nb-NO,nb;q=0.9,en;q=0.8", Language::Bokmaal),
            ("nn", Language::Bokmaal),
            ("de-DE, en-GB;q=0.7, nb;q=0.3", Language::English),
            ("fr", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }
}
