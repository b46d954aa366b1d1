//! Whose notices a demonstration writes: a hospital that cannot be taken for a real one.

use crate::breach::About;
use bavn_share::Contact;

pub(crate) fn hospital() -> About {
    About {
        controller: Some("Bavnvik hospital (invented)".to_owned()),
        controller_number: Some("000 000 000 (invented)".to_owned()),
        contacts: vec![Contact {
            role: "Data protection officer".to_owned(),
            name: "Ada Example (invented)".to_owned(),
            reach: "privacy@bavnvik.example".to_owned(),
        }],
        measures_before: Some(
            "Log-in with two factors, look-ups logged and watched by bavn (invented)".to_owned(),
        ),
        ..About::default()
    }
}
