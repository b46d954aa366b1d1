//! Who and what the numbers of the store mean.
//!
//! A number stands for one spelling, not for one person: who is whom may come out later, and
//! segments stay as they are. Links say which spellings mean one; they are resolved when asked.
//! Each commit adds one sealed file with what is new.

use crate::error::{Result, StoreError};
use crate::keys::KeyRing;
use crate::sealed::{Sealed, SealedWriter};
use crate::varint::{Input, put, put_bytes};
use bavn_model::Interner;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Of what a name is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Of {
    Identity,
    Patient,
    Client,
    Host,
    Source,
    /// An input: a path, as it was given.
    File,
}

impl Of {
    pub(crate) const ALL: [Self; 6] =
        [Self::Identity, Self::Patient, Self::Client, Self::Host, Self::Source, Self::File];
}

/// Number of a spelling among those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameId(pub(crate) u32);

impl From<u32> for NameId {
    fn from(index: u32) -> Self {
        Self(index)
    }
}

impl From<NameId> for usize {
    fn from(id: NameId) -> usize {
        id.0 as usize
    }
}

/// The names of one kind.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: Interner<NameId>,
    text_bytes: usize,
    links: BTreeSet<(u32, u32)>,
    /// What earlier commits have written.
    kept: usize,
    new_links: Vec<(u32, u32)>,
}

impl Names {
    pub(crate) fn intern(&mut self, name: &str) -> Result<u32> {
        self.intern_as_is(&as_kept(name))
    }

    fn intern_as_is(&mut self, name: &str) -> Result<u32> {
        if let Some(known) = self.known.find_again(name) {
            return Ok(known.0);
        }
        self.text_bytes += name.len();
        if self.text_bytes > TEXT_BYTES_MAX {
            return Err(StoreError::TooMany { what: "bytes of names", max: TEXT_BYTES_MAX as u64 });
        }
        Ok(self.known.intern(name).0)
    }

    /// The numbers of those that are there; faster than one by one.
    pub(crate) fn find_all(&self, names: &[&str]) -> Vec<Option<u32>> {
        let found = self.known.find_all(names).into_iter().zip(names);
        found.map(|(id, name)| id.filter(|_| !name.starts_with(FORGOTTEN)).map(|id| id.0)).collect()
    }

    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.known.find(name).map(|id| id.0)
    }

    pub(crate) fn name(&self, id: u32) -> &str {
        let name = self.known.name(NameId(id));
        if name.starts_with(FORGOTTEN) { "(no longer known)" } else { name }
    }

    /// The name, if there is one of this number.
    pub(crate) fn known(&self, id: u32) -> Option<&str> {
        (id < self.len()).then(|| self.name(id))
    }

    /// Whether there was a name of this number, which is no longer known.
    pub(crate) fn is_forgotten(&self, id: u32) -> bool {
        id < self.len() && self.known.name(NameId(id)).starts_with(FORGOTTEN)
    }

    pub(crate) fn len(&self) -> u32 {
        self.known.len() as u32
    }

    /// Says that two spellings mean one. True if that is news.
    pub(crate) fn link(&mut self, a: u32, b: u32) -> bool {
        let pair = (a.min(b), a.max(b));
        let is_new = a != b && self.links.insert(pair);
        if is_new {
            self.new_links.push(pair);
        }
        is_new
    }

    /// Who is whom, by all links so far.
    pub(crate) fn same(&self) -> Same {
        Same::of(&self.links)
    }

    /// Every spelling that holds `bare` as its bare value, or is it.
    pub(crate) fn find_bare(&self, bare: &str) -> Vec<u32> {
        let is_it = |name: &str| {
            name.strip_suffix(bare)
                .is_some_and(|head| head.is_empty() || head.ends_with('|') || head.ends_with('/'))
        };
        self.known.spellings().filter(|(name, _)| is_it(name)).map(|(_, id)| id.0).collect()
    }

    fn is_news(&self) -> bool {
        self.kept < self.known.len() || !self.new_links.is_empty()
    }
}

/// A name as the dictionary has it: none that came in is taken for one that was forgotten.
pub(crate) fn as_kept(name: &str) -> Cow<'_, str> {
    if name.starts_with(FORGOTTEN) { format!(" {name}").into() } else { name.into() }
}

/// Which numbers mean one person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Same {
    /// Every number that means the same as a lower one, with the lowest; sorted.
    led: Vec<(u32, u32)>,
    /// The same, the lowest first; sorted.
    members: Vec<(u32, u32)>,
}

impl Same {
    fn of(links: &BTreeSet<(u32, u32)>) -> Self {
        let mut above: HashMap<u32, u32> = HashMap::new();
        let top = |above: &HashMap<u32, u32>, mut id: u32| {
            while let Some(&higher) = above.get(&id) {
                id = higher;
            }
            id
        };
        for &(a, b) in links {
            let (a, b) = (top(&above, a), top(&above, b));
            if a != b {
                above.insert(a.max(b), a.min(b));
            }
        }
        let mut led: Vec<(u32, u32)> = above.keys().map(|&id| (id, top(&above, id))).collect();
        led.sort_unstable();
        let mut members: Vec<(u32, u32)> = led.iter().map(|&(id, leader)| (leader, id)).collect();
        members.sort_unstable();
        Self { led, members }
    }

    /// The lowest number that means the same.
    pub(crate) fn leader(&self, id: u32) -> u32 {
        let found = self.led.binary_search_by_key(&id, |&(led, _)| led).ok();
        found.and_then(|place| self.led.get(place)).map_or(id, |&(_, leader)| leader)
    }

    /// Every number that means the same as another one.
    pub(crate) fn linked(&self) -> impl Iterator<Item = u32> {
        let all: BTreeSet<u32> = self.led.iter().flat_map(|&(a, b)| [a, b]).collect();
        all.into_iter()
    }

    /// Every number that means the same as a lower one, with the lowest.
    pub(crate) fn led(&self) -> impl Iterator<Item = (u32, u32)> {
        self.led.iter().copied()
    }

    /// Every number that means the same as one of `ids`, sorted.
    pub(crate) fn all_of(&self, ids: &[u32]) -> Vec<u32> {
        let leaders: BTreeSet<u32> = ids.iter().map(|&id| self.leader(id)).collect();
        let mut all = BTreeSet::new();
        for leader in leaders {
            all.insert(leader);
            let first = self.members.partition_point(|&(of, _)| of < leader);
            let members = self.members.iter().skip(first).take_while(|&&(of, _)| of == leader);
            all.extend(members.map(|&(_, id)| id));
        }
        all.into_iter().collect()
    }
}

/// Every number that means what was typed: a name as it stands in the source, or a bare value that
/// only one bears.
pub(crate) fn meant(
    names: &Names,
    same: &Same,
    what: &'static str,
    typed: &str,
) -> Result<Vec<u32>> {
    if let Some(id) = names.find(typed) {
        return Ok(same.all_of(&[id]));
    }
    let found = names.find_bare(typed);
    let people: BTreeSet<u32> = found.iter().map(|&id| same.leader(id)).collect();
    let name = typed.to_owned();
    match people.len() {
        0 => Err(StoreError::Unknown { what, name }),
        1 => Ok(same.all_of(&found)),
        count => {
            let some: Vec<&str> = people.iter().take(3).map(|&id| names.name(id)).collect();
            Err(StoreError::Ambiguous { what, name, count, some: some.join(", ") })
        }
    }
}

/// All names of a store.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    kinds: [Names; Of::ALL.len()],
}

impl Dictionary {
    #[expect(clippy::indexing_slicing, reason = "one slot for each kind, by its number")]
    pub(crate) fn of(&self, kind: Of) -> &Names {
        &self.kinds[kind as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "one slot for each kind, by its number")]
    pub(crate) fn of_mut(&mut self, kind: Of) -> &mut Names {
        &mut self.kinds[kind as usize]
    }

    pub(crate) fn is_news(&self) -> bool {
        self.kinds.iter().any(Names::is_news)
    }

    /// Writes what is new since the last call.
    pub(crate) fn write_news(&self, mut file: SealedWriter) -> Result<()> {
        let (mut block, mut head) = (Vec::new(), Vec::new());
        for (kind, names) in (0_u8..).zip(&self.kinds) {
            let new: Vec<u32> = (names.kept as u32..names.len()).collect();
            for chunk in new.chunks(NAMES_A_BLOCK) {
                start(&mut block, kind, NAMES, chunk.len());
                put(&mut block, u64::from(chunk.first().copied().unwrap_or(0)));
                for &id in chunk {
                    put_bytes(&mut block, names.name(id).as_bytes());
                }
                file.block(&block)?;
                head.extend_from_slice(&[kind, NAMES]);
            }
            for chunk in names.new_links.chunks(NAMES_A_BLOCK) {
                start(&mut block, kind, LINKS, chunk.len());
                for &(a, b) in chunk {
                    put(&mut block, u64::from(a));
                    put(&mut block, u64::from(b));
                }
                file.block(&block)?;
                head.extend_from_slice(&[kind, LINKS]);
            }
        }
        file.finish(&head)
    }

    /// What is there now has been committed.
    pub(crate) fn keep(&mut self) {
        for names in &mut self.kinds {
            names.kept = names.known.len();
            names.new_links.clear();
        }
    }

    /// Reads what one commit added: all links, and the names of the kinds that are `wanted`.
    pub(crate) fn read(&mut self, path: &Path, ring: &KeyRing, wanted: &[Of]) -> Result<()> {
        let file = Sealed::open(path, DICTIONARY, ring)?;
        let (told, _) = file.head().as_chunks::<2>();
        for number in 0..file.blocks() {
            let is_wanted = told.get(number).is_none_or(|&[kind, what]| {
                what == LINKS || wanted.iter().any(|&of| of as u8 == kind)
            });
            if !is_wanted {
                continue;
            }
            let block = file.block(number)?;
            self.read_block(&mut Input(&block))
                .ok_or_else(|| StoreError::damaged(path, "names are cut or out of order"))??;
        }
        self.keep();
        Ok(())
    }

    fn read_block(&mut self, input: &mut Input<'_>) -> Option<Result<()>> {
        let [kind, what] = input.array()?;
        let count = input.number()?;
        let names = self.kinds.get_mut(usize::from(kind))?;
        if what == LINKS {
            for _ in 0..count {
                let (a, b) = (input.number32()?, input.number32()?);
                names.link(a, b);
            }
            return Some(Ok(()));
        }
        let first = input.number32()?;
        for id in (first..).take(count as usize) {
            match names.intern_as_is(input.text()?) {
                Ok(given) if given == id => {}
                Ok(_) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(()))
    }
}

/// Writes one file of names in the place of several that follow each other. Of a name to be forgotten,
/// its number is kept and nothing else.
pub(crate) fn merge(
    paths: &[PathBuf],
    ring: &KeyRing,
    mut out: SealedWriter,
    forget: &dyn Fn(Of, u32) -> bool,
) -> Result<()> {
    let mut head = Vec::new();
    let mut pending: BTreeMap<(u8, u8), Pending> = BTreeMap::new();
    for path in paths {
        let file = Sealed::open(path, DICTIONARY, ring)?;
        let cut = || StoreError::damaged(path, "names are cut or out of order");
        for number in 0..file.blocks() {
            let block = file.block(number)?;
            let mut input = Input(&block);
            let [kind, what] = input.array().ok_or_else(cut)?;
            let of = *Of::ALL.get(usize::from(kind)).ok_or_else(cut)?;
            let count = input.number().ok_or_else(cut)?;
            let first = if what == NAMES { input.number32().ok_or_else(cut)? } else { 0 };
            let part = pending.entry((kind, what)).or_default();
            for id in (first..).take(count as usize) {
                if what == NAMES {
                    let name = input.text().ok_or_else(cut)?;
                    if forget(of, id) {
                        part.name(id, &format!("{FORGOTTEN}{id}"));
                    } else {
                        part.name(id, name);
                    }
                } else {
                    part.link(input.number().zip(input.number()).ok_or_else(cut)?);
                }
                if part.count == NAMES_A_BLOCK {
                    part.write((kind, what), &mut out, &mut head)?;
                }
            }
        }
    }
    for (told, part) in &mut pending {
        part.write(*told, &mut out, &mut head)?;
    }
    out.finish(&head)
}

/// Names or links of one kind on their way into another file.
#[derive(Default)]
struct Pending {
    first: u32,
    count: usize,
    body: Vec<u8>,
}

impl Pending {
    fn name(&mut self, id: u32, name: &str) {
        if self.count == 0 {
            self.first = id;
        }
        self.count += 1;
        put_bytes(&mut self.body, name.as_bytes());
    }

    fn link(&mut self, (a, b): (u64, u64)) {
        self.count += 1;
        put(&mut self.body, a);
        put(&mut self.body, b);
    }

    fn write(
        &mut self,
        (kind, what): (u8, u8),
        out: &mut SealedWriter,
        head: &mut Vec<u8>,
    ) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let mut block = Vec::new();
        start(&mut block, kind, what, self.count);
        if what == NAMES {
            put(&mut block, u64::from(self.first));
        }
        block.append(&mut self.body);
        self.count = 0;
        head.extend_from_slice(&[kind, what]);
        out.block(&block)
    }
}

fn start(block: &mut Vec<u8>, kind: u8, what: u8, count: usize) {
    block.clear();
    block.extend_from_slice(&[kind, what]);
    put(block, count as u64);
}

/// What a dictionary file is sealed as.
pub(crate) const DICTIONARY: &[u8] = b"bavn names 1";
const NAMES: u8 = 0;
const LINKS: u8 = 1;
const NAMES_A_BLOCK: usize = 4_096;
/// Begins what stands in the place of a name that was forgotten, and no name that comes in.
const FORGOTTEN: char = '\0';
/// Places in the text are 32 bits wide.
const TEXT_BYTES_MAX: usize = u32::MAX as usize;
