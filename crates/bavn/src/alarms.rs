//! Where alarms go, each once, whatever stopped the run before.

use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write};
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
            None => File::create(path).map(|file| (file, 0, HashMap::new())),
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

/// Opens the file behind its last whole line, and reads what was written after `from`. A file that is
/// shorter has been put away and begun anew; then all of it counts.
fn go_on(path: &Path, from: u64) -> std::io::Result<(File, u64, HashMap<String, u32>)> {
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
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
        // Put away and begun anew.
        std::fs::write(&path, "d\n").unwrap();
        alarms(&path, Some(kept), &["d", "f"]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "d\nf\n");
    }
}
