//! Each look-up in the dialect and the spelling of the hospital whose log it is.

use super::{LICENCE, LOGIN, NATIONAL, Names, RECORD_NUMBER, Sink};
use crate::hospital::Spelling;
use crate::region::Cast;
use crate::work::{Lookup, Reader, What};
use bavn_decode::encode::{self, Dialect, Outgoing, Spelled};
use std::io;

/// Writes the look-ups of a day, which are in the order of time.
pub(crate) fn lookups(
    cast: &Cast,
    rows: &[Lookup],
    next_id: &mut u64,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let hospitals = &cast.hospitals;
    let mut texts: Vec<String> = vec![String::new(); hospitals.len() + 1];
    for row in rows {
        // System accounts have a log of their own.
        let service = matches!(row.reader, Reader::Service(_));
        let file = if service { hospitals.len() } else { row.hospital };
        // Some systems send the same record twice.
        let copies = if (*next_id + 1).is_multiple_of(4_999) { 2 } else { 1 };
        for _ in 0..copies {
            lookup(cast, row, *next_id, &mut texts[file]);
        }
        *next_id += 1;
    }
    for (index, text) in texts.iter().enumerate() {
        let Some(hospital) = hospitals.get(index) else {
            sink.write(super::LAST_LOG, text.as_bytes())?;
            continue;
        };
        let ending = if hospital.dialect == Dialect::AtnaSyslog { "syslog" } else { "ndjson" };
        sink.write(&format!("events/{}.{ending}", hospital.name), text.as_bytes())?;
    }
    Ok(())
}

fn lookup(cast: &Cast, row: &Lookup, id: u64, text: &mut String) {
    let hospital = &cast.hospitals[row.hospital];
    let service = matches!(row.reader, Reader::Service(_));
    let (dialect, spelling) = if service {
        (Dialect::FhirR4, Spelling::Reference)
    } else {
        (hospital.dialect, hospital.spelling)
    };
    let reader = spelled_reader(row.reader, spelling);
    let patient = row.patient.map(|patient| spelled_patient(cast, patient, spelling));
    let address = row.address.as_deref().unwrap_or_else(|| match row.reader {
        Reader::Staff(index) => &cast.staff[index].address,
        Reader::Service(_) => "",
    });
    let query = (row.what == What::Search).then(|| format!("Patient?name=x{}", id % 997));
    let (action, interaction) = match row.what {
        What::Read => ('R', "read"),
        What::Search => ('E', "search-type"),
        What::Update => ('U', "update"),
        What::Print => ('R', "print"),
    };
    let outgoing = Outgoing {
        id,
        at: cast.names.at_millis(row.at_millis + hospital.clock_offset * 1_000),
        utc_offset_hours: if service { 0 } else { hospital.utc_offset_hours },
        who: as_spelled(&reader),
        patient: patient.as_ref().map(as_spelled),
        query: query.as_deref(),
        action,
        interaction,
        resource: row.resource,
        purpose: row.purpose,
        denied: row.denied,
        source: if service { "shared-services" } else { &hospital.name },
        application: row.client,
        address,
    };
    encode::encode(dialect, &outgoing, text);
}

enum Name {
    Reference(String),
    Identifier(&'static str, String),
}

fn as_spelled(name: &Name) -> Spelled<'_> {
    match name {
        Name::Reference(reference) => Spelled::Reference(reference),
        Name::Identifier(system, value) => Spelled::Identifier { system, value },
    }
}

fn spelled_reader(reader: Reader, spelling: Spelling) -> Name {
    match (reader, spelling) {
        (Reader::Staff(index), Spelling::LocalNumber) => {
            Name::Identifier(LOGIN, Names::login(index))
        }
        (Reader::Staff(index), Spelling::National) => {
            Name::Identifier(LICENCE, Names::licence(index))
        }
        (reader, _) => Name::Reference(Names::reader(reader)),
    }
}

fn spelled_patient(cast: &Cast, index: usize, spelling: Spelling) -> Name {
    let names = &cast.names;
    match spelling {
        Spelling::Reference => Name::Reference(names.patient(index)),
        Spelling::LocalNumber => Name::Identifier(RECORD_NUMBER, names.record_number(index)),
        Spelling::National => {
            Name::Identifier(NATIONAL, Names::national_number(index, cast.patients[index].age))
        }
    }
}
