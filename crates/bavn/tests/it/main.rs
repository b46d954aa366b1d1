//! The program as a user meets it: arguments in, lines, words and exit codes out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails here says where"
)]

mod bad_input;
mod cases;
mod console;
mod coverage;
mod decode;
mod demo;
mod dpia;
mod evaluate;
mod explain;
mod faults;
mod life;
mod notices;
mod other_programs;
mod prove;
mod serve;
mod state;
mod store;
mod verdicts;
mod watch;

use std::path::Path;
use std::process::{Command, Output};

/// Runs `bavn` and waits for it.
fn bavn(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bavn")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// One FHIR R4 `AuditEvent` on one line: practitioner `who` reads patient `patient` at `at`.
fn audit_event(id: &str, at: &str, who: &str, patient: &str) -> String {
    format!(
        r#"{{"resourceType":"AuditEvent","id":"{id}","type":{{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest"}},"subtype":[{{"system":"http://hl7.org/fhir/restful-interaction","code":"read"}}],"action":"R","recorded":"{at}","outcome":"0","agent":[{{"who":{{"reference":"Practitioner/{who}"}},"requestor":true,"network":{{"address":"10.0.0.7","type":"2"}}}}],"source":{{"site":"hospital-north","observer":{{"display":"ehr"}}}},"entity":[{{"what":{{"reference":"Patient/{patient}"}},"type":{{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"1"}},"role":{{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"1"}}}}]}}"#
    )
}
