//! What the store holds as of its last commit. Recovery knows nothing else.

use crate::counted::Counted;
use crate::error::{Result, StoreError, named};
use crate::format::FORMAT;
use crate::history::History;
use crate::index::By;
use crate::keys::{Chance, KeyRing, STORE_KEY, to_hex};
use crate::proof::{Hash, sha256};
use crate::retention::{Held, Policy, Retirement};
use crate::said::Statement;
use crate::sealed::{Sealed, SealedWriter};
use crate::step::{Step, pass};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

/// Everything that a commit names. A file that it does not name does not exist.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// As in the file of this name, which has no seal of its own.
    pub(crate) format: u32,
    /// How many commits there have been.
    pub(crate) commit: u64,
    /// Microseconds since the epoch, by the clock of the machine that wrote.
    pub(crate) committed_at: i64,
    pub(crate) rows: u64,
    pub(crate) segments: Vec<Segment>,
    pub(crate) dictionaries: Vec<Named>,
    /// The source whose look-ups are this program's own: when it spoke last says nothing of others.
    pub(crate) own_source: Option<u32>,
    /// What was learned from the look-ups up to some commit, if whoever writes keeps that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Named>,
    /// By input (a number of the dictionary): how far it has been read.
    pub(crate) inputs: BTreeMap<u32, Progress>,
    /// One for each commit, in order, of those that `history` does not hold.
    pub(crate) commits: Vec<Committed>,
    /// Silences of sources that stand in the log.
    pub(crate) silences: Vec<LoggedSilence>,
    /// What explains the visits, a file a commit that had news of it; the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) verdicts: Vec<Judgements>,
    /// The commits before those of `commits`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) history: Vec<History>,
    /// The highest number that a segment has had, once segments have been replaced.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) highest_segment: u64,
    /// Files that were replaced, and stay a while for whoever reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) leaving: Vec<Leaving>,
    /// How long is what kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retention: Option<Policy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) holds: Vec<Held>,
    /// What has gone, in the order of the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) retired: Vec<Retirement>,
    /// What sources said in segments of which nothing is left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) heard_before: Vec<Heard>,
    /// What else stands in the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) statements: Vec<Statement>,
    /// By source, in seconds: how often it has promised to say something.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) promises: BTreeMap<u32, i64>,
    /// By source that numbers its records: which have come.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) counted: BTreeMap<u32, Counted>,
    /// Last, and not part of what the log's own entry of this commit says.
    pub(crate) log: Logged,
}

/// One commit, as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Committed {
    /// Microseconds since the epoch, by the clock of the machine that wrote.
    pub(crate) at: i64,
    /// Entries of the log after it; the last of them is its own.
    pub(crate) size: u64,
}

/// A silence of a source that stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoggedSilence {
    pub(crate) source: u32,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) ended: bool,
    pub(crate) nonce: String,
    pub(crate) entry: u64,
}

/// The log as of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logged {
    /// Entries.
    pub(crate) size: u64,
    pub(crate) checkpoint: String,
    /// The checkpoint of the commit before, which may still be the published one after a crash.
    pub(crate) before: String,
}

/// How far an input has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Look-ups of this input that the store holds.
    pub look_ups: u64,
    /// Where the last of them begins in the uncompressed input.
    pub byte_offset: u64,
}

/// One segment and its index.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    /// Under whose key it lies: year times 100 plus month.
    pub(crate) key: u32,
    /// Which commit wrote it.
    pub(crate) commit: u64,
    /// Place of its first look-up in the log; the others follow.
    pub(crate) first_entry: u64,
    pub(crate) rows: u64,
    /// Of the first and the last look-up, in microseconds since the epoch.
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) original_bytes: u64,
    pub(crate) columns: Named,
    pub(crate) evidence: Named,
    pub(crate) index: Vec<Named>,
    /// Who spoke on which day.
    pub(crate) heard: Vec<Heard>,
    /// Where its look-ups stand in the log, if not one after another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) places: Option<Named>,
}

/// A file that a later commit replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaving {
    /// Below the store's folder.
    pub(crate) name: String,
    /// When it was replaced, in microseconds since the epoch.
    pub(crate) at: i64,
}

/// The verdicts that one commit brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Judgements {
    pub(crate) commit: u64,
    /// When the first and the last of the visits began, in microseconds since the epoch.
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// By what was known at this instant the last of them was judged.
    pub(crate) judged_until: i64,
    pub(crate) file: Named,
}

/// What one source said on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Heard {
    pub(crate) source: u32,
    pub(crate) day: i32,
    pub(crate) look_ups: u64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// A file as it was committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// Below the store's folder.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Segment {
    pub(crate) fn index(&self, by: By) -> Option<&Named> {
        self.index.get(by as usize)
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &Named> {
        [&self.columns, &self.evidence].into_iter().chain(&self.index).chain(&self.places)
    }

    /// Whether a look-up of these days can be in it.
    pub(crate) fn has_days(&self, (first, last): (i32, i32)) -> bool {
        self.heard.iter().any(|heard| (first..=last).contains(&heard.day))
    }
}

impl Named {
    /// Takes the measure of a file that has just been written.
    pub(crate) fn of(store: &Path, name: String) -> Result<Self> {
        let (bytes, sha256) = measure(&store.join(&name))?;
        Ok(Self { name, bytes, sha256 })
    }

    /// Whether the file is still what was committed.
    pub(crate) fn check(&self, store: &Path) -> Result<()> {
        let path = store.join(&self.name);
        let (bytes, sha256) = measure(&path)?;
        if bytes != self.bytes {
            return Err(StoreError::damaged(&path, "it is not as long as it was"));
        }
        if sha256 != self.sha256 {
            return Err(StoreError::damaged(&path, "its digest is another"));
        }
        Ok(())
    }
}

fn measure(path: &Path) -> Result<(u64, String)> {
    let mut file = std::fs::File::open(path).map_err(named(path))?;
    let mut digest = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(named(path))?;
        if read == 0 {
            return Ok((bytes, to_hex(digest.finish().as_ref())));
        }
        bytes += read as u64;
        digest.update(buffer.get(..read).unwrap_or_default());
    }
}

impl Manifest {
    /// Of a store that holds nothing yet.
    pub(crate) fn new() -> Self {
        Self { format: FORMAT, ..Self::default() }
    }

    /// The manifest in force, and its digest.
    pub(crate) fn read(store: &Path, ring: &KeyRing) -> Result<(Self, Hash)> {
        let path = store.join(MANIFEST);
        let text = Self::text(&path, ring)?;
        let no_manifest = || StoreError::damaged(&path, "it is no manifest");
        let manifest = serde_json::from_slice(&text).map_err(|_| no_manifest())?;
        Ok((manifest, sha256(&[&text])))
    }

    /// The digest of the manifest in force.
    pub(crate) fn digest_in_force(store: &Path, ring: &KeyRing) -> Result<Hash> {
        Ok(sha256(&[&Self::text(&store.join(MANIFEST), ring)?]))
    }

    fn text(path: &Path, ring: &KeyRing) -> Result<Vec<u8>> {
        let file = Sealed::open(path, SEALED_AS, ring)?;
        let mut text = Vec::new();
        for number in 0..file.blocks() {
            text.extend_from_slice(&file.block(number)?);
        }
        Ok(text)
    }

    /// Writes the manifest beside the one in force, durably; [`Self::rename`] puts it in force.
    pub(crate) fn write(&self, store: &Path, ring: &KeyRing, chance: &mut Chance) -> Result<()> {
        let path = store.join(MANIFEST_NEW);
        let failed = StoreError::Library { doing: "writing the manifest" };
        let Ok(text) = serde_json::to_vec(self) else { return Err(failed) };
        let Some(key) = ring.key(STORE_KEY) else { return Err(failed) };
        let mut file = SealedWriter::create(&path, SEALED_AS, STORE_KEY, key, chance)?;
        for block in text.chunks(BLOCK_BYTES) {
            file.block(block)?;
        }
        file.finish(&[])
    }

    /// Digest of everything but the part on the log, which the log's entry of this commit holds.
    pub(crate) fn digest(&self) -> Result<Hash> {
        let body = Self { log: Logged::default(), ..self.clone() };
        let failed = |_| StoreError::Library { doing: "writing the manifest" };
        Ok(sha256(&[&serde_json::to_vec(&body).map_err(failed)?]))
    }

    /// Digests of the digests of the files that commits added and that no commit writes anew for
    /// another reason than to replace them: segments and names.
    pub(crate) fn added_digests(&self) -> AddedDigests<'_> {
        let mut added = AddedDigests::default();
        for segment in &self.segments {
            let files = added.0.entry(segment.commit).or_default();
            files.extend([&segment.columns, &segment.evidence].map(|file| file.sha256.as_bytes()));
        }
        for file in &self.dictionaries {
            if let Some(commit) = commit_of_names(&file.name) {
                added.0.entry(commit).or_default().push(file.sha256.as_bytes());
            }
        }
        added
    }

    /// The commit point: before it the store is as it was, after it everything is there.
    pub(crate) fn rename(store: &Path) -> Result<()> {
        let (new, path) = (store.join(MANIFEST_NEW), store.join(MANIFEST));
        std::fs::rename(&new, &path).map_err(crate::error::io(&path, "written"))?;
        pass(Step::MakeRenameDurable)?;
        crate::files::sync_folder(store)
    }

    /// What every source said on every day, whether or not it is still there.
    pub(crate) fn heard(&self) -> impl Iterator<Item = &Heard> {
        self.segments.iter().flat_map(|segment| &segment.heard).chain(&self.heard_before)
    }

    /// When the last look-up was that a source sent, in microseconds since the epoch.
    pub(crate) fn last_heard(&self) -> Option<i64> {
        let others = self.heard().filter(|heard| Some(heard.source) != self.own_source);
        others.map(|heard| heard.last).max()
    }

    /// Every file that exists.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Named> {
        let history = self.history.iter().map(|part| &part.file);
        let retired = self.retired.iter().map(|retirement| &retirement.list);
        let data = self.segments.iter().flat_map(Segment::files).chain(&self.dictionaries);
        let verdicts = self.verdicts.iter().map(|held| &held.file);
        data.chain(history).chain(retired).chain(verdicts).chain(&self.state)
    }

    /// Every file that may lie in the folders of data, by name.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        let leaving = self.leaving.iter().map(|file| file.name.as_str());
        self.files().map(|file| file.name.as_str()).chain(leaving).collect()
    }

    /// The number of the next segment: none is given twice.
    pub(crate) fn next_segment(&self) -> u64 {
        let highest = self.segments.iter().map(|segment| segment.number).max();
        highest.unwrap_or(0).max(self.highest_segment) + 1
    }

    /// Removes what an interrupted commit left of itself and in the folders of data; the log sees to
    /// its own.
    pub(crate) fn sweep(&self, store: &Path) -> Result<()> {
        let begun = store.join(MANIFEST_NEW);
        if begun.exists() {
            std::fs::remove_file(&begun).map_err(crate::error::io(&begun, "removed"))?;
        }
        let known = self.names();
        for folder in FOLDERS {
            let path = store.join(folder);
            // A store of an earlier release may lack one.
            std::fs::create_dir_all(&path).map_err(crate::error::io(&path, "made"))?;
            let doing = || crate::error::io(&path, "read");
            for entry in std::fs::read_dir(&path).map_err(doing())? {
                let entry = entry.map_err(doing())?;
                let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
                if !known.contains(name.as_str()) {
                    let stray = entry.path();
                    std::fs::remove_file(&stray).map_err(crate::error::io(&stray, "removed"))?;
                }
            }
        }
        Ok(())
    }
}

/// Of each commit, the digests of the files that it added.
#[derive(Debug, Default)]
pub(crate) struct AddedDigests<'a>(BTreeMap<u64, Vec<&'a [u8]>>);

impl AddedDigests<'_> {
    pub(crate) fn of(&self, commit: u64) -> Hash {
        sha256(self.0.get(&commit).map_or(&[][..], Vec::as_slice))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The file of the names that a commit added.
pub(crate) fn names_of(commit: u64) -> String {
    format!("names/{commit:08}.names")
}

fn commit_of_names(name: &str) -> Option<u64> {
    name.strip_prefix("names/")?.strip_suffix(".names")?.parse().ok()
}

/// The file of what was learned as of a commit.
pub(crate) fn state_of(commit: u64) -> String {
    format!("state/{commit:08}.state")
}

pub(crate) const MANIFEST: &str = "manifest";
const MANIFEST_NEW: &str = "manifest.new";
pub(crate) const SEALED_AS: &[u8] = b"bavn manifest 1";
/// Folders whose files only the manifest may name.
pub(crate) const FOLDERS: [&str; 5] = ["segments", "index", "names", "verdicts", "state"];
const BLOCK_BYTES: usize = 1 << 20;
