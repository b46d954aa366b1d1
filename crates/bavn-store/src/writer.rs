//! The one commit point.
//!
//! Rows go into files that nobody names yet. A commit writes the index and the new names, makes all
//! of it durable, and then puts a new manifest in the place of the old one: before that instant the
//! store is as it was, after it everything is there. What a crash leaves unnamed is swept away when
//! the store is next opened for writing.

mod compact;
mod passed;
mod remake;
mod retain;
mod shred;
mod take;

pub use compact::Compacted;
pub use remake::Renamed;
pub use retain::Expired;
pub use shred::{Shredded, Tombstone};

use crate::again;
use crate::asked::{self, Left};
use crate::error::{Result, StoreError, io};
use crate::files;
use crate::format::{FORMAT, FORMAT_FILE, format_line, make_folders, upgrade};
use crate::frame::Frame;
use crate::heard::Own;
use crate::in_force::InForce;
use crate::index::{self, By, Touches};
use crate::keys::{Chance, Kek, KeyRing, RING, STORE_KEY, random};
use crate::known::{Known, Past};
use crate::manifest::{Heard, Judgements, Manifest, Named, Progress, Segment, names_of, state_of};
use crate::names::{DICTIONARY, Dictionary, Of};
use crate::promise::Spoke;
use crate::proof::{Entry, Hash, Ledger, Log};
use crate::row::{Evidence, NONCE_BYTES, Row};
use crate::said::{self, Said};
use crate::sealed::SealedWriter;
use crate::segment::SegmentWriter;
use crate::state;
use crate::step::{Step, pass};
use crate::verdict::{self, Judged, Pending};
use bavn_model::{Record, Timestamp};
use passed::Passed;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A store held for writing.
pub struct Writer {
    store: PathBuf,
    /// Held for as long as this lives.
    _lock: File,
    kek: Kek,
    ring: KeyRing,
    chance: Box<Chance>,
    manifest: Manifest,
    ledger: Ledger,
    dictionary: Dictionary,
    known: Known,
    building: Option<Building>,
    nonces: Vec<[u8; NONCE_BYTES]>,
    added: u64,
    /// Of those, by day.
    added_on: BTreeMap<i32, u64>,
    /// Of both, those that commits in force hold.
    kept: (u64, BTreeMap<i32, u64>),
    /// Entries of the log when the store was opened.
    opened_at: u64,
    /// Something failed, and the commit in force has not been read again since.
    is_behind: bool,
    /// For a person of the caller's (by kind and number), the first spelling of the store's.
    persons: HashMap<(Of, u32), u32>,
    linked: HashMap<Of, u32>,
    pending: Pending,
    passed: Passed,
    own: Vec<Own>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("store", &self.store).finish_non_exhaustive()
    }
}

/// What became of a frame's look-ups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub new: u64,
    /// Already in the store.
    pub known: u64,
    /// Older than look-ups are kept.
    pub expired: u64,
}

/// A segment being written.
#[derive(Debug)]
struct Building {
    number: u64,
    key: u32,
    names: [String; 2],
    files: SegmentWriter,
    touches: Touches,
    /// What the log's entries of the rows hold.
    hidden: Vec<Hash>,
    rows: u64,
    original_bytes: u64,
    from: i64,
    to: i64,
    heard: BTreeMap<(u32, i32), Heard>,
    inputs: BTreeMap<u32, Progress>,
    spoke: Spoke,
    /// By source that numbers its records: time and number.
    numbers: BTreeMap<u32, Vec<(i64, u64)>>,
}

impl Writer {
    /// Opens a store for writing, and makes it if the folder is empty or not there.
    pub fn open(store: &Path, controller: &str, kek: Kek, mut chance: Box<Chance>) -> Result<Self> {
        let is_new = make_folders(store)?;
        let lock = files::lock(store)?;
        let ring_path = store.join(RING);
        if is_new {
            let ring = KeyRing::make(controller, &kek, &mut *chance)?;
            ring.save(&ring_path)?;
            Manifest::new().write(store, &ring, &mut *chance)?;
            Manifest::rename(store)?;
            Ledger::open(store, &ring, &Manifest::new())?;
            files::replace(&store.join(FORMAT_FILE), format_line(FORMAT).as_bytes())?;
        }
        upgrade(store)?;
        let InForce { ring, manifest, ledger, dictionary } = InForce::read(store, &kek)?;
        let opened_at = manifest.log.size;
        let mut pending = Pending::default();
        pending.begin_again(manifest.commit);
        Ok(Self {
            store: store.to_owned(),
            _lock: lock,
            kek,
            ring,
            chance,
            manifest,
            ledger,
            dictionary,
            known: Known::default(),
            building: None,
            nonces: Vec::new(),
            added: 0,
            added_on: BTreeMap::new(),
            kept: (0, BTreeMap::new()),
            opened_at,
            is_behind: false,
            persons: HashMap::new(),
            linked: HashMap::new(),
            pending,
            passed: Passed::nobody(),
            own: Vec::new(),
        })
    }

    /// Does something to the store. If it fails, what this holds is again what the commit in force
    /// says, and nothing of what came after it.
    fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.is_behind {
            self.go_back()?;
        }
        work(self).inspect_err(|_| {
            self.is_behind = true;
            // The first error tells more; if this fails too, the next attempt begins with it.
            self.go_back().unwrap_or_default();
        })
    }

    fn go_back(&mut self) -> Result<()> {
        self.building = None;
        let before = self.manifest.commit;
        let InForce { ring, manifest, ledger, dictionary } = InForce::read(&self.store, &self.kek)?;
        if manifest.commit > before {
            // It failed behind the commit point.
            self.kept = (self.added, self.added_on.clone());
        }
        (self.added, self.added_on) = self.kept.clone();
        (self.ring, self.manifest, self.ledger) = (ring, manifest, ledger);
        self.dictionary = dictionary;
        self.known = Known::default();
        self.persons.clear();
        self.linked.clear();
        self.pending.go_back(self.manifest.commit);
        self.is_behind = false;
        Ok(())
    }

    /// Whose store it is.
    pub fn controller(&self) -> &str {
        self.ring.controller()
    }

    /// Look-ups of the last commit.
    pub fn rows(&self) -> u64 {
        self.manifest.rows
    }

    /// Look-ups that were new, of all taken since the store was opened and not lost to an error.
    pub fn added(&self) -> u64 {
        self.added
    }

    /// Of those, how many happened before this day.
    pub fn added_before(&self, day: i32) -> u64 {
        self.added_on.range(..day).map(|(_, added)| added).sum()
    }

    /// Of the latest look-up that a source sent, as of the last commit.
    pub fn last_day(&self) -> Option<i32> {
        self.manifest.last_heard().map(|at| Timestamp::from_micros(at).day())
    }

    /// How far an input has been read, as of the last commit.
    pub fn progress(&self, input: &str) -> Option<Progress> {
        let file = self.dictionary.of(Of::File).find(input)?;
        self.manifest.inputs.get(&file).copied()
    }

    /// Takes the look-ups of a frame that the store does not hold yet. `now` is the machine's
    /// clock. They are safe after the next [`Self::commit`]; a full segment commits by itself.
    ///
    /// After an error, here or in a commit, everything taken since the last commit is to be taken
    /// again; what is in force already is known then.
    pub fn take(&mut self, frame: &Frame, now: Timestamp) -> Result<Taken> {
        self.attempt(|writer| {
            let taken = writer.take_all(frame, now)?;
            writer.added += taken.new;
            if writer.building.as_ref().is_some_and(|building| building.rows >= SEGMENT_ROWS) {
                writer.commit_all(now)?;
            }
            Ok(taken)
        })
    }

    /// A caller who numbers people anew begins again: what he said of who is whom, and verdicts that
    /// are not committed yet, are forgotten; what is committed stays.
    pub fn begin_again(&mut self) {
        self.persons.clear();
        self.linked.clear();
        self.pending.begin_again(self.manifest.commit);
    }

    /// Takes what visits were found to be explained by; each goes into the first commit that knows
    /// its reader and patient by [`Self::link`].
    pub fn judge(&mut self, judged: impl IntoIterator<Item = Judged>) {
        self.pending.add(judged);
    }

    /// Verdicts that no commit has taken yet.
    pub fn judged(&self) -> usize {
        self.pending.len()
    }

    /// Says who is whom: `person` gives one number for all spellings of one identity or patient, as
    /// far as the caller knows. Asked once for each spelling.
    pub fn link(&mut self, mut person: impl FnMut(Person, &str) -> Option<u32>) {
        for (kind, of) in [(Person::Identity, Of::Identity), (Person::Patient, Of::Patient)] {
            let names = self.dictionary.of_mut(of);
            let asked = self.linked.entry(of).or_default();
            for id in *asked..names.len() {
                let Some(number) = person(kind, names.name(id)) else { continue };
                let first = *self.persons.entry((of, number)).or_insert(id);
                names.link(first, id);
            }
            *asked = names.len();
        }
    }

    /// Makes everything taken so far durable, at once, and what others asked meanwhile. Does
    /// nothing if there is nothing new.
    pub fn commit(&mut self, now: Timestamp) -> Result<()> {
        self.attempt(|writer| writer.commit_all(now))
    }

    /// As [`Self::commit`], with what was learned from look-ups that were all taken by now; it stands
    /// in the place of what was learned before.
    pub fn commit_with_state(&mut self, now: Timestamp, state: &[u8]) -> Result<()> {
        self.attempt(|writer| writer.commit_learned(now, Some(state)))
    }

    /// Whether the store still has this name of anybody or anything.
    pub fn knows(&self, name: &str) -> bool {
        Of::ALL.iter().any(|&of| self.dictionary.of(of).find(name).is_some())
    }

    /// What was learned, as of the last commit that had such.
    pub fn state(&self) -> Result<Option<Vec<u8>>> {
        let Some(file) = &self.manifest.state else { return Ok(None) };
        state::read(&self.store, file, &self.ring).map(Some)
    }

    /// Calls `each` with every look-up of these days and later ones that a source sent and that was
    /// there when the store was opened: to be judged by whoever has not seen it. In the order in which
    /// they came.
    pub fn each_since(&self, day: i32, each: impl FnMut(&Record<'_>)) -> Result<()> {
        let segments = &self.manifest.segments;
        let past = Past { store: &self.store, ring: &self.ring, segments };
        again::each_since(&past, &self.dictionary, (day, self.opened_at), each)
    }

    /// What users of this program had looked up, as the last commit took it in; given once.
    pub fn take_own(&mut self) -> Vec<Own> {
        std::mem::take(&mut self.own)
    }

    fn commit_all(&mut self, now: Timestamp) -> Result<()> {
        self.commit_learned(now, None)
    }

    fn commit_learned(&mut self, now: Timestamp, state: Option<&[u8]>) -> Result<()> {
        let left = asked::left(&self.store, &self.ring)?;
        for (_, frame) in &left.asked {
            self.take_all(frame, now)?;
        }
        self.commit_taken(&left, now, state)?;
        self.own = left.asked.iter().flat_map(|(_, frame)| frame.look_ups_of_own()).collect();
        for path in left.paths() {
            pass(Step::RemoveAsked)?;
            std::fs::remove_file(path).map_err(io(path, "removed"))?;
        }
        self.compact_if_due(now)
    }

    fn commit_taken(&mut self, left: &Left, now: Timestamp, state: Option<&[u8]>) -> Result<()> {
        let mut building = self.building.take();
        let number = |of, number| self.persons.get(&(of, number)).copied();
        let people = |judged: &Judged| {
            Some((number(Of::Identity, judged.identity)?, number(Of::Patient, judged.patient)?))
        };
        let verdicts = self.pending.ready(people, &self.manifest, &self.store, &self.ring)?;
        let is_news = verdicts.is_some() || state.is_some() || self.dictionary.is_news();
        if building.is_none() && !is_news && left.said.is_empty() {
            self.pending.settle();
            return Ok(());
        }
        let mut manifest = self.next_manifest(now);
        let mut log = self.ledger.log();
        self.say_left(left, &mut manifest, &mut log)?;
        self.say_found(building.as_mut(), now, &mut manifest, &mut log)?;
        manifest.own_source = self.dictionary.of(Of::Source).find(OWN_SOURCE);
        if let Some(building) = building {
            self.end_segment(building, &mut manifest, &mut log)?;
        }
        if let Some(ready) = verdicts {
            pass(Step::WriteVerdicts)?;
            let key = self.key_of(now)?;
            let name = format!("verdicts/{:08}.verdicts", manifest.commit);
            let file = self.sealed(&name, verdict::SEALED_AS, key)?;
            verdict::write(file, &ready.words, &ready.entries)?;
            let (first, last, judged_until) = ready.span()?;
            let (commit, file) = (manifest.commit, Named::of(&self.store, name)?);
            manifest.verdicts.push(Judgements { commit, first, last, judged_until, file });
        }
        if self.dictionary.is_news() {
            pass(Step::WriteNames)?;
            let name = names_of(manifest.commit);
            let file = self.sealed(&name, DICTIONARY, STORE_KEY)?;
            self.dictionary.write_news(file)?;
            manifest.dictionaries.push(Named::of(&self.store, name)?);
        }
        let older = state.and_then(|_| manifest.state.take());
        if let Some(state) = state {
            let name = state_of(manifest.commit);
            state::write(self.sealed(&name, state::STATE, STORE_KEY)?, state)?;
            manifest.state = Some(Named::of(&self.store, name)?);
        }
        self.put_in_force(manifest, log)?;
        self.pending.settle();
        if let Some(older) = older {
            let path = self.store.join(older.name);
            std::fs::remove_file(&path).map_err(io(&path, "removed"))?;
        }
        self.dictionary.keep();
        self.known.shrink();
        Ok(())
    }

    /// When the last commit was, if that is later than now: the machine's clock was set back, or once
    /// set forward.
    pub fn ahead_of_clock(&self, now: Timestamp) -> Option<Timestamp> {
        let ahead = self.manifest.committed_at - now.micros();
        (ahead > CLOCK_JITTER_MICROS).then(|| Timestamp::from_micros(self.manifest.committed_at))
    }

    /// What others left for the log, each once.
    fn say_left(&mut self, left: &Left, manifest: &mut Manifest, log: &mut Log) -> Result<()> {
        for (path, said) in &left.said {
            let name = path.file_stem().and_then(|name| name.to_str());
            if manifest.statements.iter().any(|said| said.left_as.as_deref() == name) {
                continue;
            }
            if let Said::Promised { source, every_secs } = said {
                let source = self.dictionary.of_mut(Of::Source).intern(source)?;
                match every_secs {
                    0 => manifest.promises.remove(&source),
                    &every => manifest.promises.insert(source, every),
                };
            }
            said::put(said, name, manifest, log, &mut *self.chance)?;
        }
        Ok(())
    }

    /// What the new look-ups show of their sources, and the time of the clock.
    fn say_found(
        &mut self,
        building: Option<&mut Building>,
        now: Timestamp,
        manifest: &mut Manifest,
        log: &mut Log,
    ) -> Result<()> {
        let mut found = Vec::new();
        if let Some(last_commit) = self.ahead_of_clock(now) {
            let (clock, last_commit) = (now.micros(), last_commit.micros());
            found.push(Said::ClockBack { clock, last_commit });
        }
        let sources = self.dictionary.of(Of::Source);
        let name = |source| sources.known(source).unwrap_or_default().to_owned();
        if let Some(building) = building {
            let spoke = std::mem::take(&mut building.spoke);
            let latest = building.heard.values().map(|heard| heard.last).max();
            found.extend(self.manifest.missed(spoke, latest, name));
            for (source, came) in std::mem::take(&mut building.numbers) {
                let counted = manifest.counted.entry(source).or_default();
                found.extend(counted.take(&name(source), came));
            }
        }
        for said in found {
            said::put(&said, None, manifest, log, &mut *self.chance)?;
        }
        Ok(())
    }

    /// Time does not go back in the log, whatever the clock does.
    fn next_manifest(&self, now: Timestamp) -> Manifest {
        let committed_at = now.micros().max(self.manifest.committed_at);
        let commit = self.manifest.commit + 1;
        let mut manifest =
            Manifest { format: FORMAT, commit, committed_at, ..self.manifest.clone() };
        manifest.leaving.retain(|file| committed_at - file.at < LEAVING_MICROS);
        manifest
    }

    /// All is written: the log is closed, everything made durable, and one rename puts it in force.
    fn put_in_force(&mut self, mut manifest: Manifest, mut log: Log) -> Result<()> {
        pass(Step::CloseLog)?;
        self.ledger.close(&mut log, &mut manifest, &self.dictionary, &mut *self.chance)?;
        pass(Step::MakeDurable)?;
        files::sync_all(&self.store)?;
        pass(Step::WriteManifest)?;
        manifest.write(&self.store, &self.ring, &mut *self.chance)?;
        pass(Step::Rename)?;
        Manifest::rename(&self.store)?;
        let before = std::mem::replace(&mut self.manifest, manifest);
        self.kept = (self.added, self.added_on.clone());
        pass(Step::Publish)?;
        self.ledger.in_force(log, &self.manifest)?;
        self.sweep_left(&before)
    }

    /// The number of the month's key, made if it is the first time.
    fn key_of(&mut self, now: Timestamp) -> Result<u32> {
        let key = month(now);
        if self.ring.ensure(key, &self.kek, &mut *self.chance)? {
            pass(Step::SaveKeys)?;
            self.ring.save(&self.store.join(RING))?;
        }
        Ok(key)
    }

    fn begin_segment(&mut self, now: Timestamp) -> Result<Building> {
        let key = self.key_of(now)?;
        pass(Step::BeginSegment)?;
        self.begin_numbered(self.manifest.next_segment(), key)
    }

    fn begin_numbered(&self, number: u64, key: u32) -> Result<Building> {
        let names = ["rows", "evidence"].map(|part| format!("segments/{number:08}.{part}.parquet"));
        let [rows, evidence] = &names;
        let (rows, evidence) = (self.store.join(rows), self.store.join(evidence));
        let missing = StoreError::Library { doing: "making a key" };
        let files =
            SegmentWriter::create(&rows, &evidence, number, self.ring.key(key).ok_or(missing)?)?;
        Ok(Building {
            number,
            key,
            names,
            files,
            touches: Touches::default(),
            hidden: Vec::new(),
            rows: 0,
            original_bytes: 0,
            from: i64::MAX,
            to: i64::MIN,
            heard: BTreeMap::new(),
            inputs: BTreeMap::new(),
            spoke: Spoke::new(),
            numbers: BTreeMap::new(),
        })
    }

    fn end_segment(
        &mut self,
        building: Building,
        manifest: &mut Manifest,
        log: &mut Log,
    ) -> Result<()> {
        let first_entry = log.size();
        let (number, key, commit) = (building.number, building.key, manifest.commit);
        let (files, hidden, touches) = (building.files, building.hidden, building.touches);
        // Side by side, since each writes files of its own.
        let index = std::thread::scope(|threads| {
            pass(Step::FinishSegment)?;
            let finished = threads.spawn(|| files.finish());
            pass(Step::AppendToLog)?;
            let logged = threads.spawn(|| {
                let mut entries = hidden.into_iter().map(|hidden| Entry::LookUp(hidden).bytes());
                entries.try_for_each(|entry| log.append(&entry))
            });
            let index = self.write_index(number, key, commit, &touches);
            let stopped = |_| StoreError::Library { doing: "writing a segment" };
            finished.join().map_err(stopped)??;
            logged.join().map_err(stopped)??;
            index
        })?;
        let [columns, evidence] = building.names;
        for (input, read) in building.inputs {
            let progress = manifest.inputs.entry(input).or_default();
            progress.look_ups += read.look_ups;
            progress.byte_offset = progress.byte_offset.max(read.byte_offset);
        }
        manifest.rows += building.rows;
        manifest.segments.push(Segment {
            number,
            key,
            commit: manifest.commit,
            first_entry,
            rows: building.rows,
            from: building.from,
            to: building.to,
            original_bytes: building.original_bytes,
            columns: Named::of(&self.store, columns)?,
            evidence: Named::of(&self.store, evidence)?,
            index,
            heard: building.heard.into_values().collect(),
            places: None,
        });
        Ok(())
    }

    fn write_index(
        &mut self,
        segment: u64,
        key: u32,
        commit: u64,
        touches: &Touches,
    ) -> Result<Vec<Named>> {
        let mut written = Vec::new();
        for by in By::ALL {
            pass(Step::WriteIndex)?;
            let name = format!("index/{segment:08}-{commit:08}.{}", by.word());
            index::write(self.sealed(&name, by.sealed_as(), key)?, touches, by)?;
            written.push(Named::of(&self.store, name)?);
        }
        Ok(written)
    }

    /// Makes the whole index anew from the segments. Returns how many rows were read.
    pub fn rebuild_index(&mut self, now: Timestamp) -> Result<u64> {
        self.attempt(|writer| writer.index_rows(now, |_| true))
    }

    fn index_rows(&mut self, now: Timestamp, is_told: fn(&Row<'_>) -> bool) -> Result<u64> {
        self.commit_all(now)?;
        let mut manifest = self.next_manifest(now);
        let mut rows = 0;
        self.passed.begin(manifest.rows);
        for segment in &mut manifest.segments {
            let mut touches = Touches::default();
            let reader = crate::known::open(&self.store, &self.ring, segment, false)?;
            reader.each(|_, row| {
                if is_told(row) {
                    touches.push(&row.look_up());
                }
                Ok(())
            })?;
            rows += reader.len();
            self.passed.add(reader.len());
            let (number, key) = (segment.number, segment.key);
            segment.index = self.write_index(number, key, manifest.commit, &touches)?;
        }
        let log = self.ledger.log();
        self.put_in_force(manifest, log)?;
        self.manifest.sweep(&self.store)?;
        Ok(rows)
    }

    fn sealed(&mut self, name: &str, what: &'static [u8], key: u32) -> Result<SealedWriter> {
        let missing = StoreError::Library { doing: "making a key" };
        let bytes = self.ring.key(key).ok_or(missing)?;
        SealedWriter::create(&self.store.join(name), what, key, bytes, &mut *self.chance)
    }
}

impl Building {
    fn push(&mut self, row: &Row<'_>, evidence: &Evidence<'_>, hidden: Hash) -> Result<()> {
        self.hidden.push(hidden);
        self.touches.push(&row.look_up());
        self.rows += 1;
        self.original_bytes +=
            evidence.original.as_ref().map_or(0, |original| original.len() as u64);
        self.from = self.from.min(row.at);
        self.to = self.to.max(row.at);
        let (source, day) = (row.source, row.day());
        let heard = self.heard.entry((source, day)).or_insert(Heard {
            source,
            day,
            look_ups: 0,
            first: row.at,
            last: row.at,
        });
        heard.look_ups += 1;
        heard.first = heard.first.min(row.at);
        heard.last = heard.last.max(row.at);
        let progress = self.inputs.entry(evidence.file).or_default();
        progress.look_ups += 1;
        progress.byte_offset = progress.byte_offset.max(evidence.byte_offset);
        self.files.push(row, evidence)
    }
}

/// What look-ups of this program itself name as their source.
pub const OWN_SOURCE: &str = "bavn";

/// The two kinds of names that mean people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    Identity,
    Patient,
}

/// Year times 100 plus month.
fn month(now: Timestamp) -> u32 {
    let text = now.to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
    digits.parse().unwrap_or(STORE_KEY + 1)
}

/// How long a file that was replaced stays for whoever reads it: ten minutes.
const LEAVING_MICROS: i64 = 600_000_000;
/// A clock that is set by the network is set back now and then, by so little.
const CLOCK_JITTER_MICROS: i64 = 1_000_000;
/// Look-ups of one segment: fewer would mean more files to ask, more a longer wait for the commit.
pub(crate) const SEGMENT_ROWS: u64 = 1 << 22;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Depth, verify};
    use bavn_model::{EventId, Flags, Kind, Origin, Outcome, PatientName};

    fn record(number: u32) -> Record<'static> {
        let name = format!("Patient/{}", number % 7).into();
        Record {
            id: EventId(u128::from(number)),
            at: Timestamp::start_of_day(19_000).plus_secs(i64::from(number)),
            who: Some("Practitioner/1".into()),
            who_also: Vec::new(),
            on_behalf_of: None,
            application: None,
            patients: std::iter::once(PatientName { name, also: Vec::new() }).collect(),
            resource: None,
            action: None,
            kind: Kind::Read,
            found_by: None,
            purpose: std::iter::empty().collect(),
            reason: None,
            outcome: Outcome::Success,
            source: None,
            address: None,
            session: None,
            query: None,
            sequence: None,
            origin: Origin::default(),
            flags: Flags::NONE,
        }
    }

    /// By every digest such a store is whole, and the log has the commit: only what the look-ups say
    /// themselves tells.
    #[test]
    fn an_index_that_leaves_a_patient_out_is_found_though_it_was_committed_with_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let kek = || Kek::read(&[7; 32]).unwrap();
        let chance = crate::keys::counted(0);
        let now = Timestamp::start_of_day(20_000);
        let mut writer = Writer::open(folder.path(), "north", kek(), chance).unwrap();
        let mut frame = Frame::default();
        for number in 0..50 {
            frame.push(&record(number), b"as the source wrote it", "input");
        }
        writer.take(&frame, now).unwrap();
        writer.commit(now).unwrap();
        writer.index_rows(now, |row| !row.patients.contains(&3)).unwrap();
        assert!(verify(folder.path(), &kek(), Depth::Bytes, &[]).unwrap().is_whole());
        let found = verify(folder.path(), &kek(), Depth::LookUps, &[]).unwrap();
        assert!(found.faults[0].file.starts_with("index"), "{:?}", found.faults);
        writer.rebuild_index(now).unwrap();
        assert!(verify(folder.path(), &kek(), Depth::LookUps, &[]).unwrap().is_whole());
    }
}
