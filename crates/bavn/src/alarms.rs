//! Where alarms go, each once, whatever stopped the run before.

use crate::commands::keep;
use crate::error::{CommandError, CommandResult, Kind};
use crate::forgotten::Forgotten;
use anyhow::Context as _;
use bavn_model::Timestamp;
use bavn_store::{Chance, Journal, Kek, List};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The file of alarms, or standard output.
pub(crate) struct Alarms {
    out: Out,
    /// Whole lines written, in bytes.
    bytes: u64,
    /// Lines that stand there although no state knows of them: a run was stopped between. They are
    /// not written again.
    told: HashMap<String, u32>,
}

enum Out {
    Stdout(std::io::Stdout),
    File(BufWriter<File>),
}

impl Alarms {
    /// `from`: where the run that is gone on from had come to; none when all is judged anew.
    pub(crate) fn open(path: &str, from: Option<u64>) -> CommandResult<Self> {
        if path == "-" {
            let out = Out::Stdout(std::io::stdout());
            return Ok(Self { out, bytes: from.unwrap_or(0), told: HashMap::new() });
        }
        let opened = match from {
            None => named(File::options().write(true).truncate(true))
                .open(path)
                .map(|file| (file, 0, HashMap::new())),
            Some(from) => go_on(Path::new(path), from),
        };
        let (file, bytes, told) = opened
            .with_context(|| format!("`{path}` cannot be written"))
            .map_err(|error| CommandError::new(Kind::Usage, error))?;
        Ok(Self { out: Out::File(BufWriter::new(file)), bytes, told })
    }

    pub(crate) fn write(&mut self, line: &str) -> CommandResult {
        if let Some(left) = self.told.get_mut(line).filter(|left| **left > 0) {
            *left -= 1;
            return Ok(());
        }
        let out: &mut dyn Write = match &mut self.out {
            Out::Stdout(out) => out,
            Out::File(out) => out,
        };
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")?;
        self.bytes += line.len() as u64 + 1;
        Ok(())
    }

    /// Makes all of it durable; where it ends now.
    pub(crate) fn sync(&mut self) -> CommandResult<u64> {
        match &mut self.out {
            Out::Stdout(out) => out.flush()?,
            Out::File(out) => {
                out.flush()?;
                // A pipe or a terminal cannot be synced, and need not be.
                if out.get_ref().metadata()?.is_file() {
                    out.get_ref().sync_data()?;
                }
            }
        }
        Ok(self.bytes)
    }
}

/// A file that names people is its owner's alone; one that is there stays as somebody made it.
fn named(options: &mut OpenOptions) -> &mut OpenOptions {
    options.create(true).mode(0o600)
}

/// Opens the file behind its last whole line, and reads what was written after `from`. A file that is
/// shorter has been put away and begun anew; then all of it counts.
fn go_on(path: &Path, from: u64) -> std::io::Result<(File, u64, HashMap<String, u32>)> {
    let mut file = named(File::options().read(true).append(true)).open(path)?;
    let mut told = HashMap::new();
    if !file.metadata()?.is_file() {
        return Ok((file, from, told));
    }
    let length = file.metadata()?.len();
    let mut whole = if from <= length { from } else { 0 };
    file.seek(SeekFrom::Start(whole))?;
    let mut reader = BufReader::new(&file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 && line.pop() == Some(b'\n') {
        whole += line.len() as u64 + 1;
        *told.entry(String::from_utf8_lossy(&line).into_owned()).or_default() += 1;
        line.clear();
    }
    // Half a line is no alarm: its run was stopped while it wrote, and this one writes it whole.
    file.set_len(whole)?;
    file.seek(SeekFrom::End(0))?;
    Ok((file, whole, told))
}

/// Alarms that wait, sealed in the store, until the employees' side agrees that people are named.
pub(crate) struct Waiting {
    journal: Journal,
    chance: Box<Chance>,
    /// Found since the last sync.
    new: Vec<String>,
    /// As of [`Alarms`]: lines that wait already although no state knows of them.
    told: HashMap<String, u32>,
    /// Nothing waits.
    is_empty: bool,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

impl Waiting {
    pub(crate) fn open(store: &Path, kek: &Kek) -> CommandResult<Self> {
        let mut chance = keep::chance();
        let mut journal = Journal::open(store, List::Alarms, kek, &mut *chance)?;
        let mut told = HashMap::new();
        for line in journal.news()?.into_iter().filter(|line| !line.is_empty()) {
            *told.entry(String::from_utf8_lossy(&line).into_owned()).or_default() += 1;
        }
        let is_empty = told.is_empty();
        Ok(Self { journal, chance, new: Vec::new(), told, is_empty })
    }

    pub(crate) fn write(&mut self, line: &str) {
        match self.told.get_mut(line).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => self.new.push(line.to_owned()),
        }
        self.is_empty = false;
    }

    /// Makes all of it durable.
    pub(crate) fn sync(&mut self) -> CommandResult {
        for line in self.new.drain(..) {
            let entry = Some(line.into_bytes());
            self.journal.add(&mut *self.chance, |_| (entry, ()))?;
        }
        Ok(())
    }

    /// Tells all that waits, in the order in which it was found. A line that a run which was stopped
    /// here has told is not told again.
    pub(crate) fn tell(&mut self, alarms: &mut Alarms) -> CommandResult {
        if self.is_empty {
            return Ok(());
        }
        self.sync()?;
        let mut lines = Vec::new();
        self.change(|line| {
            lines.push(String::from_utf8_lossy(&line).into_owned());
            line
        })?;
        lines.retain(|line| !line.is_empty());
        lines.iter().try_for_each(|line| alarms.write(line))?;
        alarms.sync()?;
        self.change(|_| Vec::new())?;
        // What no state knows of is found again, and stands there now.
        for line in lines {
            *alarms.told.entry(line).or_default() += 1;
        }
        self.told.clear();
        self.is_empty = true;
        Ok(())
    }

    /// Takes the spellings of a patient out of what waits.
    pub(crate) fn forget(&mut self, spellings: &[String]) -> CommandResult {
        let whom = Forgotten::new(spellings);
        self.change(|line| {
            let Ok(mut alarm) = serde_json::from_slice(&line) else { return line };
            if !whom.take_out(&mut alarm) {
                return line;
            }
            alarm.to_string().into_bytes()
        })
    }

    /// Lets go what was found before.
    pub(crate) fn expire(&mut self, before: Timestamp) -> CommandResult {
        self.change(|line| {
            let alarm: Result<serde_json::Value, _> = serde_json::from_slice(&line);
            let at = alarm.ok().and_then(|alarm| alarm.get("time")?.as_i64());
            if at.is_some_and(|at| at < before.millis()) { Vec::new() } else { line }
        })
    }

    fn change(&mut self, change: impl FnMut(Vec<u8>) -> Vec<u8>) -> CommandResult {
        Ok(self.journal.rewrite(&mut *self.chance, change)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarms(path: &Path, from: Option<u64>, lines: &[&str]) -> u64 {
        let mut alarms = Alarms::open(path.to_str().unwrap(), from).unwrap();
        for line in lines {
            alarms.write(line).unwrap();
        }
        alarms.sync().unwrap()
    }

    #[test]
    fn each_alarm_stands_there_once_wherever_a_run_was_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alarms");
        let kept = alarms(&path, None, &["a", "bb"]);
        assert_eq!(kept, 5);
        let lines = ["ccc", "d", "d", "eeee"];
        let whole = "a\nbb\nccc\nd\nd\neeee\n";
        alarms(&path, Some(kept), &lines);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        for cut in kept as usize..=whole.len() {
            std::fs::write(&path, &whole.as_bytes()[..cut]).unwrap();
            assert_eq!(alarms(&path, Some(kept), &lines), whole.len() as u64);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole, "cut at {cut}");
        }
        let mode = std::fs::metadata(&path).unwrap().permissions();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
            0o600,
            "it names people"
        );
        // Put away and begun anew.
        std::fs::write(&path, "d\n").unwrap();
        alarms(&path, Some(kept), &["d", "f"]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "d\nf\n");
    }
}
