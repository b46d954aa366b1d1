//! Whose notices a demonstration writes: a hospital that cannot be taken for a real one.

use crate::breach::{About, ReaderMail};
use bavn_share::Contact;
use std::path::PathBuf;

/// Letters and messages go into the outbox and no further.
pub(crate) fn hospital(outbox: PathBuf) -> About {
    About {
        controller: Some("Bavnvik (invented, oppdiktet)".to_owned()),
        controller_number: Some("000 000 000".to_owned()),
        contacts: vec![Contact {
            role: "Personvernombud (DPO)".to_owned(),
            name: "Ada Example".to_owned(),
            reach: "privacy@bavnvik.example".to_owned(),
        }],
        measures_before: Some(
            "Log-in with two factors, look-ups logged and watched by bavn (invented)".to_owned(),
        ),
        reader_message: Some(ReaderMail {
            sender: "Ada Example, Personvernombud (DPO)".to_owned(),
            answer_to: "privacy@bavnvik.example".to_owned(),
            outbox,
        }),
        ..About::default()
    }
}
