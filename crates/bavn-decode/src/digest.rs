//! Do two ways of decoding say the same?

use bavn_model::{Flag, Record};
use std::hash::{BuildHasher, Hasher};

/// A digest over every field of a record, the same wherever this version of bavn runs. Two records differ in a field
/// if their digests differ.
pub fn digest(record: &Record<'_>) -> u64 {
    let Record {
        id,
        at,
        who,
        who_also,
        on_behalf_of,
        application,
        patients,
        resource,
        action,
        kind,
        found_by,
        purpose,
        reason,
        outcome,
        source,
        address,
        session,
        query,
        sequence,
        origin,
        flags,
    } = record;
    let mut fields = Fields(foldhash::quality::FixedState::default().build_hasher());
    fields.number(id.0 as u64);
    fields.number((id.0 >> 64) as u64);
    fields.number(at.micros() as u64);
    fields.texts(who.as_deref());
    fields.texts(who_also.iter().map(|text| &**text));
    fields.texts(on_behalf_of.as_deref());
    fields.texts(application.as_deref());
    fields.number(patients.len() as u64);
    for patient in patients {
        fields.texts([&*patient.name]);
        fields.texts(patient.also.iter().map(|text| &**text));
    }
    fields.texts(resource.as_deref());
    fields.number(action.map_or(0, |action| action as u64 + 1));
    fields.number(*kind as u64);
    fields.number(found_by.map_or(0, |found_by| found_by as u64 + 1));
    fields.texts(purpose.iter().map(|text| &**text));
    for text in [reason, source, address, session, query] {
        fields.texts(text.as_deref());
    }
    fields.number(*outcome as u64);
    fields.number(sequence.map_or(0, |number| number.wrapping_add(1)));
    fields.number(u64::from(origin.file));
    fields.number(origin.line);
    fields.number(origin.entry.map_or(0, |entry| u64::from(entry) + 1));
    fields.number(origin.byte_offset);
    let bits = Flag::ALL.iter().fold(0, |bits, &flag| bits << 1 | u64::from(flags.has(flag)));
    fields.number(bits);
    fields.0.finish()
}

struct Fields(foldhash::quality::FoldHasher<'static>);

impl Fields {
    fn number(&mut self, number: u64) {
        self.0.write_u64(number);
    }

    /// Each text with its length, then a mark that ends the list.
    fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        for text in texts {
            self.number(text.len() as u64);
            self.0.write(text.as_bytes());
        }
        self.number(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bavn_model::Origin;

    #[test]
    fn any_field_changes_the_digest() {
        let line = br#"{"resourceType":"AuditEvent","recorded":"2020-01-01T00:00:00Z"}"#;
        let read = || crate::fhir::read_json(line, Origin::default()).unwrap();
        let base = digest(&read());
        assert_eq!(digest(&read()), base);
        let mut other = read();
        other.who = Some("a".into());
        let with_who = digest(&other);
        other.who = None;
        other.who_also = vec!["a".into()];
        let with_also = digest(&other);
        other.who_also.clear();
        other.flags.insert(Flag::NoZone);
        let with_flag = digest(&other);
        assert!(base != with_who && with_who != with_also && with_flag != base);
    }
}
