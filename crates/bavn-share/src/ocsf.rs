//! A breach as OCSF 1.5.0 Incident Finding (2005), the version that alarms are written in.

use crate::breach::{Breach, RiskLevel};
use crate::instant::Instant;
use serde_json::{Value, json};

/// One object. Holds counts and words of the record, no recipient and no contact.
/// `finding_uids`: the alarms that the incident rests on; with none, the breach stands for itself.
pub fn incident_finding(breach: &Breach, finding_uids: &[String], now: Instant) -> Value {
    let own = [breach.id.clone()];
    let uids = if finding_uids.is_empty() { &own[..] } else { finding_uids };
    let findings: Vec<Value> =
        uids.iter().map(|uid| json!({"uid": uid, "title": breach.title})).collect();
    let activity = if breach.sent.is_empty() { 1 } else { 2 };
    let (severity_id, severity) = match breach.risk.as_ref().and_then(|risk| risk.level) {
        None => (0, "Unknown"),
        Some(RiskLevel::Unlikely) => (2, "Low"),
        Some(RiskLevel::Risk) => (3, "Medium"),
        Some(RiskLevel::High) => (4, "High"),
    };
    json!({
        "class_uid": 2_005,
        "category_uid": 2,
        "activity_id": activity,
        "type_uid": 200_500 + activity,
        "metadata": {
            "version": "1.5.0",
            "profiles": ["incident"],
            "product": {"name": "bavn", "vendor_name": "bavn", "version": env!("CARGO_PKG_VERSION")},
        },
        "time": now.millis(),
        "start_time": breach.from.map(Instant::millis),
        "end_time": breach.until.map(Instant::millis),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 2,
        "status": "In Progress",
        "is_suspected_breach": true,
        "desc": breach.title,
        "finding_info_list": findings,
        "unmapped": {"bavn": {
            "breach": breach.id,
            "persons": breach.persons,
            "records": breach.records,
            "kinds": breach.kinds,
            "declared": breach.declared.keys().collect::<Vec<_>>(),
            "sent": breach.sent,
        }},
    })
}
