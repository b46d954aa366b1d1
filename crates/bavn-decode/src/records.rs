//! Who reads this JSON record: FHIR, an audit message kept as JSON, or a mapping?

use crate::frame::{Block, reject};
use crate::mapping::{Base, Mappings};
use crate::tree::{self, Value};
use crate::{Decoded, Skeletons, atna, frame_json};
use bavn_model::{Origin, Record, RejectReason};
use std::sync::Arc;

/// Reads JSON records of one input.
#[derive(Debug)]
pub(crate) struct Records {
    mappings: Arc<Mappings>,
    /// By which mappings are chosen.
    file_name: String,
    skeletons: Skeletons,
    /// Mappings of the user's may look at any value of an `AuditEvent`: then each is parsed.
    must_parse: bool,
}

impl Records {
    pub(crate) fn new(mappings: Arc<Mappings>, file_name: String) -> Self {
        let must_parse = mappings.any_added_over(Base::Fhir, &file_name);
        Self { mappings, file_name, skeletons: Skeletons::new(), must_parse }
    }

    /// What was learnt of shapes.
    pub(crate) fn skeletons(&mut self) -> &mut Skeletons {
        &mut self.skeletons
    }

    /// How many records were read by skeleton.
    pub(crate) const fn recalled(&self) -> u64 {
        self.skeletons.hits_and_misses().0
    }

    /// Reads one line: a record, or a list or Bundle of records.
    pub(crate) fn line<'a>(&mut self, bytes: &'a [u8], origin: Origin, out: &mut Decoded<'a>) {
        if self.recall(bytes, origin, out).is_none() {
            frame_json::document(&mut Block::new(bytes, origin, true), self, out, 0);
        }
    }

    /// Reads the record, if it is an `AuditEvent` of a shape that has been read before.
    fn recall<'a>(&mut self, bytes: &'a [u8], origin: Origin, out: &mut Decoded<'a>) -> Option<()> {
        if self.must_parse {
            return None;
        }
        self.skeletons.recall(bytes, origin, &mut out.records)
    }

    /// Reads one value that is no list and no Bundle.
    pub(crate) fn value<'a>(&mut self, bytes: &'a [u8], origin: Origin, out: &mut Decoded<'a>) {
        if self.recall(bytes, origin, out).is_some() {
            return;
        }
        match self.record(bytes, origin) {
            Ok(record) => out.records.push(record),
            Err(reason) => out.rejects.push(reject(origin, bytes, reason)),
        }
    }

    fn record<'a>(&mut self, bytes: &'a [u8], origin: Origin) -> Result<Record<'a>, RejectReason> {
        let value = tree::parse(bytes)?;
        if !matches!(value, Value::Object(_)) {
            return Err(RejectReason::WrongType { field: "record", expected: "an object" });
        }
        let kind = value.get("resourceType").str();
        if kind == Some("AuditEvent") {
            let over = self.mappings.find_over(Base::Fhir, &self.file_name, &value);
            return self.skeletons.read(&value, bytes, origin, |record| {
                if let Some(mapping) = over {
                    mapping.add_to(&value, record);
                }
            });
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
