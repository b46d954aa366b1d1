//! Every folder `tests/data/context_*`: its files, in whatever order and blocks, must say what
//! `expected.txt` says.

use bavn_decode::context::{ContextLoader, Loaded};
use bavn_decode::fuzz::{fuzz_context, fuzz_mapping};
use bavn_decode::mapping::{Mapping, MappingError, Mappings, SHIPPED};
use bavn_model::{IdentityId, PatientId, TieKind, Timestamp, UnitId};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn folders() -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let entries = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("context_"))
        .collect();
    folders.sort();
    folders
}

fn files(folder: &Path) -> (Vec<(String, Vec<u8>)>, Mappings) {
    let mut mappings = Mappings::shipped();
    let mut files = Vec::new();
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match path.extension().and_then(|kind| kind.to_str()) {
            Some("toml") => {
                let text = std::fs::read_to_string(&path).unwrap();
                mappings.add(Mapping::parse(&text).unwrap());
            }
            Some("md" | "txt") => {}
            _ => files.push((name, std::fs::read(&path).unwrap())),
        }
    }
    (files, mappings)
}

/// A stand-in for a keyed digest.
fn token_of(text: &str) -> String {
    let sum = text.bytes().fold(17_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    format!("{sum:016x}{sum:016x}")
}

fn load(files: &[(String, Vec<u8>)], mappings: &Mappings, block: usize) -> Loaded {
    let mut loader = ContextLoader::new(Arc::new(mappings.clone()));
    for (name, bytes) in files {
        loader.begin(name).unwrap();
        for part in bytes.chunks(block) {
            loader.push(part).unwrap();
        }
        loader.end().unwrap();
    }
    let member = token_of("urn:oid:2.16.578.1.12.4.1.4.1|00000000101").to_uppercase();
    let list = format!("token\n\"{member}\"\n{}\n", token_of("nobody"));
    loader.tokens("armed forces", list.as_bytes());
    loader.finish(Some(&token_of)).unwrap()
}

/// All that was read, in words that do not depend on the order of the files.
struct Shown<'l> {
    loaded: &'l Loaded,
    identities: BTreeMap<IdentityId, String>,
    patients: BTreeMap<PatientId, String>,
}

impl<'l> Shown<'l> {
    fn new(loaded: &'l Loaded) -> Self {
        let mut identities: BTreeMap<IdentityId, String> = BTreeMap::new();
        for (name, id) in loaded.directory.identities.spellings() {
            let held = identities.entry(id).or_insert_with(|| name.to_owned());
            if !held.starts_with("Practitioner/") || name < held.as_str() {
                name.clone_into(held);
            }
        }
        let mut patients: BTreeMap<PatientId, String> = BTreeMap::new();
        for (name, id) in loaded.directory.patients.spellings() {
            let held = patients.entry(id).or_insert_with(|| name.to_owned());
            if name < held.as_str() {
                name.clone_into(held);
            }
        }
        Self { loaded, identities, patients }
    }

    fn identity(&self, id: IdentityId) -> &str {
        &self.identities[&id]
    }

    fn patient(&self, id: PatientId) -> &str {
        &self.patients[&id]
    }

    fn unit(&self, id: UnitId) -> &str {
        self.loaded.context.unit(id).map_or("?", |unit| &unit.name)
    }

    fn render(&self) -> String {
        let mut lines = Vec::new();
        self.people(&mut lines);
        self.ties(&mut lines);
        for group in self.loaded.context.groups() {
            let mut members: Vec<_> = group.members.iter().map(|&id| self.patient(id)).collect();
            members.sort_unstable();
            lines.push(format!("group {}: {}", group.name, members.join(", ")));
        }
        lines.sort();
        let mut text = lines.join("\n");
        let mut problems: Vec<_> =
            self.loaded.problems.iter().map(|problem| format!("\nproblem {problem}")).collect();
        problems.sort();
        text.push_str(&problems.concat());
        for line in self.loaded.completeness.lines() {
            write!(text, "\n{line}").unwrap();
        }
        text.push('\n');
        text
    }

    fn people(&self, lines: &mut Vec<String>) {
        let context = &self.loaded.context;
        for (&id, name) in &self.identities {
            let facts = context.staff(id);
            let mut line = format!("staff {name}");
            let mut also: Vec<_> = self.loaded.directory.identities.spellings().collect();
            also.retain(|(other, held)| *held == id && other != name);
            also.sort_unstable();
            let also: Vec<_> = also.iter().map(|(name, _)| *name).collect();
            write!(line, " [{}]", also.join(" ")).unwrap();
            if let Some(own) = facts.patient {
                write!(line, " is {}", self.patient(own)).unwrap();
            }
            if facts.system {
                line.push_str(" system");
            }
            if facts.active == Some(false) {
                line.push_str(" inactive");
            }
            for held in context.assignments(id) {
                let role = held.role.map_or("?", |role| context.role_name(role));
                let unit = held.unit.map_or("?", |unit| self.unit(unit));
                write!(line, "; {role} at {unit} {}", span(held.from, held.to)).unwrap();
            }
            lines.push(line);
        }
        for (&id, name) in &self.patients {
            let facts = context.patient(id);
            let mut line = format!("patient {name}");
            let mates = self.patients.keys().filter(|&&other| {
                other != id
                    && facts.household.is_some()
                    && context.patient(other).household == facts.household
            });
            let mates = mates.map(|&id| self.patient(id));
            let staff = self.identities.keys().filter(|&&other| {
                facts.household.is_some() && context.staff(other).household == facts.household
            });
            let mut mates: Vec<_> = mates.chain(staff.map(|&id| self.identity(id))).collect();
            mates.sort_unstable();
            if !mates.is_empty() {
                write!(line, " lives with {}", mates.join(" ")).unwrap();
            }
            if facts.restricted {
                line.push_str(" restricted");
            }
            if let Some(day) = facts.born {
                write!(line, " born {}", Timestamp::start_of_day(day)).unwrap();
            }
            if let Some(day) = facts.died {
                write!(line, " died {}", Timestamp::start_of_day(day)).unwrap();
            } else if facts.dead {
                line.push_str(" dead");
            }
            let kin = self.patients.keys().filter(|&&other| context.are_kin(id, other));
            for other in kin {
                write!(line, " kin of {}", self.patient(*other)).unwrap();
            }
            lines.push(line);
        }
    }

    fn ties(&self, lines: &mut Vec<String>) {
        for tie in self.loaded.context.all_ties() {
            let who = tie.identity.map_or("", |id| self.identity(id));
            let place = tie.unit.map_or("", |unit| self.unit(unit));
            let kind = tie.kind;
            let mut line = format!("tie {} {kind:?} {who} @{place}", self.patient(tie.patient));
            if let Some(author) = tie.author {
                write!(line, " by {}", self.identity(author)).unwrap();
            }
            let known = show(tie.known_at);
            write!(line, " {} known {known}", span(tie.from, tie.to)).unwrap();
            lines.push(line);
        }
    }
}

fn span(from: Timestamp, to: Timestamp) -> String {
    format!("{}..{}", show(from), show(to))
}

fn show(at: Timestamp) -> String {
    match at {
        Timestamp::MIN => "ever".to_owned(),
        Timestamp::MAX => "on".to_owned(),
        at => at.to_string(),
    }
}

#[test]
fn every_folder_says_what_is_expected_in_any_order_and_blocks() {
    let update = std::env::var_os("BAVN_UPDATE_EXPECTED").is_some();
    let folders = folders();
    assert!(folders.len() >= 3);
    for folder in folders {
        assert!(folder.join("about.md").exists());
        let (mut files, mappings) = files(&folder);
        let text = Shown::new(&load(&files, &mappings, 1 << 20)).render();
        let expected = folder.join("expected.txt");
        if update {
            std::fs::write(&expected, &text).unwrap();
        }
        let held = std::fs::read_to_string(&expected).unwrap_or_default();
        assert!(held == text, "{}, read now:\n{text}", folder.display());
        for block in [1, 7, 64] {
            files.rotate_left(1);
            let again = Shown::new(&load(&files, &mappings, block)).render();
            assert!(again == text, "{} in blocks of {block}:\n{again}", folder.display());
        }
        files.reverse();
        let again = Shown::new(&load(&files, &mappings, 1 << 20)).render();
        assert!(again == text, "{} backwards:\n{again}", folder.display());
    }
}

#[test]
fn no_tie_is_known_before_it_could_be() {
    for folder in folders() {
        let (files, mappings) = files(&folder);
        let loaded = load(&files, &mappings, 1 << 20);
        for tie in loaded.context.all_ties() {
            assert!(tie.from <= tie.to);
            // What is planned may be known before it begins; all else begins first.
            let planned = matches!(tie.kind, TieKind::Booking | TieKind::Task);
            let standing = tie.from == Timestamp::MIN;
            assert!(planned || standing || tie.known_at >= tie.from, "{tie:?}");
        }
    }
}

#[test]
fn a_context_mapping_that_names_a_missing_column_is_told() {
    let text = "name = \"x\"\nkind = \"context\"\ntable = \"units\"\n[match]\nfiles = [\"u*\"]\n[fields]\nunit = \"UNIT\"\nname = \"TITLE\"\n";
    let mut mappings = Mappings::default();
    mappings.add(Mapping::parse(text).unwrap());
    let mut loader = ContextLoader::new(Arc::new(mappings));
    let told = loader.file("units.csv", b"UNIT,NAME\n1,a\n").unwrap_err();
    assert!(matches!(told, MappingError::MissingColumn { ref column, .. } if column == "TITLE"));
}

/// Samples with changed bytes and cut ends: an answer, the same in any blocks, and never a panic.
#[test]
fn changed_and_cut_context_is_answered() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below.max(1)
    };
    for folder in folders() {
        let (sample, mappings) = files(&folder);
        for round in 0..60 {
            let mut files = sample.clone();
            for (_, bytes) in &mut files {
                for _ in 0..3 {
                    let place = draw(bytes.len());
                    if let Some(byte) = bytes.get_mut(place) {
                        *byte = draw(256) as u8;
                    }
                }
                bytes.truncate(draw(bytes.len() * 2));
                if round % 4 == 0 {
                    fuzz_context(bytes);
                }
            }
            let mut loader = ContextLoader::new(Arc::new(mappings.clone()));
            for (name, bytes) in &files {
                // A header that was changed may lack a column: that is an answer too.
                let _answer = loader.file(name, bytes);
            }
            let loaded = loader.finish(None).unwrap();
            assert!(loaded.completeness.lines().len() > 10);
        }
    }
}

#[test]
fn changed_mappings_are_answered() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for (_, text) in SHIPPED {
        for _ in 0..200 {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..2 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let place = (seed >> 33) as usize % bytes.len();
                bytes[place] = b"\"[]{}=.,#\n'x0"[(seed >> 20) as usize % 13];
            }
            fuzz_mapping(&bytes);
        }
    }
}
