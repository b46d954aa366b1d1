//! Who reads this JSON record: FHIR, an audit message kept as JSON, or a mapping?

use crate::fhir;
use crate::frame::{Block, reject};
use crate::mapping::{Base, Mappings};
use crate::tree::{self, Value};
use crate::{Decoded, atna, frame_json};
use bavn_model::{Origin, Record, RejectReason};
use std::sync::Arc;

/// Reads JSON records of one input.
#[derive(Debug)]
pub(crate) struct Records {
    mappings: Arc<Mappings>,
    /// By which mappings are chosen.
    file_name: String,
}

impl Records {
    pub(crate) fn new(mappings: Arc<Mappings>, file_name: String) -> Self {
        Self { mappings, file_name }
    }

    /// Reads one line: a record, or a list or Bundle of records.
    pub(crate) fn line<'a>(&mut self, bytes: &'a [u8], origin: Origin, out: &mut Decoded<'a>) {
        frame_json::document(&mut Block::new(bytes, origin, true), self, out, 0);
    }

    /// Reads one value that is no list and no Bundle.
    pub(crate) fn value<'a>(&mut self, bytes: &'a [u8], origin: Origin, out: &mut Decoded<'a>) {
        match self.record(bytes, origin) {
            Ok(record) => out.records.push(record),
            Err(reason) => out.rejects.push(reject(origin, bytes, reason)),
        }
    }

    fn record<'a>(&self, bytes: &'a [u8], origin: Origin) -> Result<Record<'a>, RejectReason> {
        let value = tree::parse(bytes)?;
        if !matches!(value, Value::Object(_)) {
            return Err(RejectReason::WrongType { field: "record", expected: "an object" });
        }
        let kind = value.get("resourceType").str();
        if kind == Some("AuditEvent") {
            let mut record = fhir::read_json(bytes, origin)?;
            if let Some(mapping) = self.mappings.find_over(Base::Fhir, &self.file_name, &value) {
                mapping.add_to(&value, &mut record);
            }
            return Ok(record);
        }
        if let Some(mapping) = self.mappings.find_for_json(&self.file_name, &value) {
            return mapping.read_json(&value, bytes, origin);
        }
        if atna::is_message(&value) {
            return atna::read(&value, bytes, origin);
        }
        Err(if kind.is_some() { RejectReason::OtherResource } else { RejectReason::NoMapping })
    }
}
