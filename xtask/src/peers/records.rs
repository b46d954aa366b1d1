//! Which records do bavn and its peers read when they are timed?
//!
//! Half a gigabyte of `AuditEvent` NDJSON from one seed: the shapes of `xtask/data/audit_shapes.ndjson`
//! (six dialects, each with options, blanks and escapes as producers differ), shuffled, and now and
//! then a shape that no reader has seen before.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// One shape: text, then a slot, then text again.
struct Shape<'t> {
    pieces: Vec<&'t str>,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

/// Writes records until the file has `bytes_min`. The same arguments give the same bytes.
pub(super) fn write(path: &Path, shapes: &str, bytes_min: u64, seed: u64) -> Result<Written> {
    let shapes: Vec<Shape<'_>> =
        shapes.lines().map(|line| Shape { pieces: line.split('@').collect() }).collect();
    let file =
        File::create(path).with_context(|| format!("`{}` could not be made", path.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut chance = Chance(seed);
    let mut written = Written { records: 0, bytes: 0 };
    let mut line = String::new();
    while written.bytes < bytes_min {
        line.clear();
        let shape = &shapes[chance.below(shapes.len() as u64) as usize];
        let values = Fill::draw(&mut chance, written.records);
        for (at, piece) in shape.pieces.iter().enumerate() {
            // Every second piece is a slot's name: `@PATIENT@` splits into text, name, text.
            if at % 2 == 0 { line.push_str(piece) } else { values.slot(piece, &mut line) }
        }
        if written.records % UNSEEN_EVERY == UNSEEN_EVERY - 1 {
            let unseen = format!("{{\"x-{}\":{{\"y\":[{}]}},", written.records, values.patient);
            line.replace_range(..1, &unseen);
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
        written.records += 1;
        written.bytes += line.len() as u64;
    }
    out.flush()?;
    Ok(written)
}

/// What fills the slots of one record.
struct Fill {
    number: u64,
    patient: u64,
    staff: u64,
    small: [u64; 4],
    uuid: (u64, u64),
    seconds: u64,
    name: &'static str,
}

impl Fill {
    fn draw(chance: &mut Chance, number: u64) -> Self {
        let name = NAMES[chance.below(NAMES.len() as u64) as usize];
        Self {
            number,
            patient: chance.below(2_900_000),
            staff: chance.below(57_000),
            small: [chance.below(4), chance.below(256), chance.below(256), chance.below(9) + 1],
            uuid: (chance.next(), chance.next()),
            seconds: number / 40,
            name,
        }
    }

    fn slot(&self, slot: &str, line: &mut String) {
        let (day, of_day) = (self.seconds / 86_400, self.seconds % 86_400);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        let time = format!("2026-03-{:02}T{hour:02}:{minute:02}:{second:02}", day % 28 + 1);
        let text = match slot {
            "N" => self.number.to_string(),
            "PATIENT" => self.patient.to_string(),
            "STAFF" => self.staff.to_string(),
            "HPR" => (9_000_000 + self.staff).to_string(),
            // Month 81 to 92: Skatteetaten's range for made-up people.
            "FNR" => {
                let (day, month) = (self.patient % 28 + 1, self.patient % 12 + 81);
                format!("{day:02}{month}{:07}", self.patient)
            }
            "B" => self.small[0].to_string(),
            "C" => self.small[1].to_string(),
            "D" => self.small[2].to_string(),
            "H" => self.small[3].to_string(),
            "UUID" => uuid(self.uuid),
            "NAME" => self.name.to_owned(),
            "TIMEZ" => format!("{time}Z"),
            "TIMEMS" => format!("{time}.{:03}Z", self.number % 1_000),
            "TIMELOCAL" => format!("{time}.{:06}+01:00", self.number % 1_000_000),
            "QUERY" => QUERIES[self.number as usize % QUERIES.len()].to_owned(),
            other => format!("@{other}@"),
        };
        line.push_str(&text);
    }
}

fn uuid((high, low): (u64, u64)) -> String {
    let text = format!("{high:016x}{low:016x}");
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

/// `SplitMix64` (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

const UNSEEN_EVERY: u64 = 5_000;

const NAMES: &[&str] = &[
    "Kari Nordmann",
    "Ola Bråten",
    "Åse Sjøvåg",
    "Eva Lind",
    "Per-Arne Moe",
    "Inger \\\"Inga\\\" Li",
];

/// `patient=…` and the like, in base64.
const QUERIES: &[&str] =
    &["cGF0aWVudD0xMjM0", "bmFtZT1ub3JkbWFubg==", "P19pZD1wYXQtNw==", "aWRlbnRpZmllcj14fDk5"];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SHAPES: &str = include_str!("../../data/audit_shapes.ndjson");

    fn written(seed: u64) -> String {
        let path = std::env::temp_dir().join(format!("bavn-records-{}-{seed}", std::process::id()));
        write(&path, SHAPES, 12_000_000, seed).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        text
    }

    #[test]
    fn every_line_is_an_audit_event_and_every_slot_is_filled() {
        let text = written(1);
        assert!(!text.contains('@'), "a slot was left");
        for line in text.lines().take(10_000) {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(record["resourceType"], "AuditEvent");
        }
        assert!(text.contains("{\"x-4999\""));
    }

    #[test]
    fn there_are_thirty_shapes_and_the_seed_decides_the_bytes() {
        assert!(SHAPES.lines().collect::<BTreeSet<_>>().len() >= 30);
        assert_eq!(written(2), written(2));
    }
}
