//! Who else opens this patient these days?
//!
//! A patient whom many open at once is in the middle of something (admitted in an accident, shown
//! at a board, in the news); being one more of his readers says little about a reader. Whether so
//! many should have is asked of the patient, by `curious_readers`.

use bavn_model::{IdentityId, PatientId};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// The last few readers of every patient opened in the last days.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Company {
    #[serde(with = "crate::sorted")]
    patients: HashMap<PatientId, Readers, foldhash::fast::FixedState>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Readers {
    last_day: i32,
    held: u8,
    first: [IdentityId; CROWD],
}

impl Company {
    /// Notes a reader; true if the patient already had a crowd of other readers.
    pub(crate) fn note(&mut self, patient: PatientId, identity: IdentityId, day: i32) -> bool {
        let readers = self.patients.entry(patient).or_insert(Readers {
            last_day: day,
            held: 0,
            first: [identity; CROWD],
        });
        if day - readers.last_day > FORGOTTEN_DAYS {
            readers.held = 0;
        }
        readers.last_day = day;
        let held = usize::from(readers.held);
        let known = readers.first.iter().take(held).any(|&reader| reader == identity);
        if let Some(slot) = readers.first.get_mut(held).filter(|_| !known) {
            *slot = identity;
            readers.held += 1;
        }
        held - usize::from(known) >= CROWD - 1
    }

    pub(crate) fn close_day(&mut self, day: i32) {
        self.patients.retain(|_, readers| day - readers.last_day <= FORGOTTEN_DAYS);
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.patients.capacity() * size_of::<(PatientId, Readers)>()
    }
}

/// Readers beside oneself that make a crowd, and one.
const CROWD: usize = 5;
const FORGOTTEN_DAYS: i32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_reader_is_one_of_a_crowd_and_a_rereader_is_not() {
        let mut company = Company::default();
        let patient = PatientId(1);
        for reader in 0..4 {
            assert!(!company.note(patient, IdentityId(reader), 10), "{reader}");
            assert!(!company.note(patient, IdentityId(reader), 10), "{reader} again");
        }
        assert!(company.note(patient, IdentityId(4), 10));
        assert!(company.note(patient, IdentityId(0), 11));
        assert!(!company.note(patient, IdentityId(9), 20));
    }

    #[test]
    fn patients_are_forgotten() {
        let mut company = Company::default();
        company.note(PatientId(1), IdentityId(0), 10);
        company.close_day(13);
        assert_eq!(company.patients.len(), 0);
    }
}
