//! A region as files: context as FHIR R4 NDJSON, look-ups in each hospital's own dialect.

mod care;
mod lookups;
mod people;

pub(crate) use care::{Clerk, care};
pub(crate) use lookups::lookups;
pub(crate) use people::people;

use crate::hospital::Unit;
use crate::services::SERVICES;
use crate::shape::Identifiers;
use crate::work::Reader;
use bavn_model::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;

/// Takes what is written, chunk after chunk of each file; files grow side by side.
pub trait Sink {
    fn write(&mut self, file: &str, bytes: &[u8]) -> io::Result<()>;

    /// So many days of the region have been lived, of all that are.
    fn lived(&mut self, _days: u64, _of: u64) {}
}

/// Files in memory, for tests and for the demonstration.
#[derive(Debug, Default)]
pub struct Memory {
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Sink for Memory {
    fn write(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.entry(file.to_owned()).or_default().extend_from_slice(bytes);
        Ok(())
    }
}

/// The names under which people stand in context and logs.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) start: Timestamp,
    pub(crate) identifiers: Identifiers,
}

impl Names {
    pub(crate) fn at(&self, secs: i64) -> Timestamp {
        self.start.plus_secs(secs)
    }

    pub(crate) fn at_millis(&self, millis: i64) -> Timestamp {
        Timestamp::from_micros(self.start.micros() + millis * 1_000)
    }

    pub(crate) fn staff(index: usize) -> String {
        format!("Practitioner/hcw-{index}")
    }

    pub(crate) fn reader(reader: Reader) -> String {
        match reader {
            Reader::Staff(index) => Self::staff(index),
            Reader::Service(index) => format!("Device/{}", SERVICES[index]),
        }
    }

    pub(crate) fn patient(&self, index: usize) -> String {
        format!("Patient/{}", self.patient_id(index))
    }

    fn patient_id(&self, index: usize) -> String {
        match self.identifiers {
            Identifiers::Sequential => format!("p{index}"),
            Identifiers::Scattered => format!("{:07}", self.identifiers.number(index)),
        }
    }

    fn licence(index: usize) -> String {
        format!("{}", 9_000_001 + index * 7)
    }

    fn login(index: usize) -> String {
        format!("u{:05}", index * 3 + 11)
    }

    fn record_number(&self, index: usize) -> String {
        format!("{}", 30_000_000 + self.identifiers.number(index) * 11)
    }

    /// A number for a person who does not exist: the month is 80 too high, as in the test range
    /// of Skatteetaten's synthetic register.
    fn national_number(index: usize, age: u8) -> String {
        let year = (100 - u32::from(age) + 20) % 100;
        format!("{:02}{:02}{year:02}{:05}", index % 28 + 1, index / 28 % 12 + 81, index % 99_991)
    }
}

fn organization(unit: &Unit) -> String {
    format!("Organization/{}", unit.id)
}

/// One NDJSON file, written in chunks.
struct NdJson {
    file: String,
    text: String,
}

impl NdJson {
    fn new(kind: &str) -> Self {
        Self { file: format!("context/{kind}.ndjson"), text: String::new() }
    }

    fn add(&mut self, resource: &Value, sink: &mut dyn Sink) -> io::Result<()> {
        self.text.push_str(&resource.to_string());
        self.text.push('\n');
        if self.text.len() > CHUNK_BYTES {
            sink.write(&self.file, self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }

    fn end(self, sink: &mut dyn Sink) -> io::Result<()> {
        sink.write(&self.file, self.text.as_bytes())
    }
}

/// The file that ends each day: every day writes to it, after all others.
pub const LAST_LOG: &str = "events/shared-services.ndjson";
const CHUNK_BYTES: usize = 1 << 20;
const NATIONAL: &str = "urn:oid:2.16.578.1.12.4.1.4.1";
const LICENCE: &str = "urn:oid:2.16.578.1.12.4.1.4.4";
const LOGIN: &str = "https://region.example/login";
const RECORD_NUMBER: &str = "https://region.example/record-number";
