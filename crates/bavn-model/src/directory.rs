//! The one place that knows names: spelling to dense id and back.

use crate::names::Digest;
use crate::{
    Access, ClientId, Flag, HostId, IdentityId, Interner, Network, PatientId, PurposeSet, Record,
    ResourceId, RoleId, SessionId, SourceId, UnitId,
};

/// Names of people whose spellings differ between sources: by reference, by `system|value`, or bare.
///
/// A spelling that the context does not know is matched on its bare value, but only where that
/// value means one person and its system (if any) is one that the context never uses: two systems
/// may well number different people alike.
#[derive(Clone, Debug)]
pub struct PersonNames<Id> {
    full: Interner<Id>,
    /// Bare values (`prac-7`, `9144897`) of declared spellings.
    bare: BareValues<Id>,
    /// Bare values that came without any spelling of their own, and whom each means.
    loose: Interner<SideIndex>,
    loose_means: Vec<Option<Id>>,
    loose_again: Vec<(usize, Id)>,
    systems: Interner<SideIndex>,
    /// Pairs that one spelling (by its index) showed to be one person while context was read;
    /// settled before the first event.
    same: Vec<(u32, Id, Id)>,
}

/// Which person the bare value of a spelling means, where that is one person. Holds no text and no
/// person: the values are the ends of declared spellings, which know whom they mean.
#[derive(Clone, Debug)]
struct BareValues<Id> {
    /// Declared spellings by the digest of their value, sorted; all but the newest.
    sorted: Vec<(Digest, u32)>,
    /// Declared since the last settling: a region's millions are sorted once.
    new: Vec<u32>,
    /// Ids that stand for nobody.
    nobody: Vec<Id>,
}

impl<Id: From<u32> + Into<usize> + Copy + PartialEq> BareValues<Id> {
    const fn empty() -> Self {
        Self { sorted: Vec::new(), new: Vec::new(), nobody: Vec::new() }
    }

    /// The people whom the value means: none, one, or two of several.
    fn find(&self, full: &Interner<Id>, value: &str) -> (Option<Id>, Option<Id>) {
        let digest = full.digest(value);
        let start = self.sorted.partition_point(|(held, _)| *held < digest);
        let alike = self.sorted.iter().skip(start).take_while(|(held, _)| *held == digest);
        let spellings = alike.map(|(_, spelling)| spelling).chain(&self.new);
        let mut first = None;
        for &spelling in spellings.filter(|held| bare_value(full.spelling(**held)) == value) {
            let id = full.id_at(spelling);
            match first {
                None => first = Some(id),
                Some(held) if held != id => return (first, Some(id)),
                Some(_) => {}
            }
        }
        (first, None)
    }

    fn settle(&mut self, full: &Interner<Id>) {
        let new = std::mem::take(&mut self.new);
        let digest = |spelling: u32| full.digest(bare_value(full.spelling(spelling)));
        self.sorted.reserve_exact(new.len());
        self.sorted.extend(new.into_iter().map(|spelling| (digest(spelling), spelling)));
        self.sorted.sort_unstable();
    }
}

/// Index into a side table of [`PersonNames`].
#[derive(Clone, Copy, Debug)]
struct SideIndex(u32);

impl From<u32> for SideIndex {
    fn from(index: u32) -> Self {
        Self(index)
    }
}

impl From<SideIndex> for usize {
    fn from(index: SideIndex) -> usize {
        index.0 as usize
    }
}

impl<Id: From<u32> + Into<usize> + Copy + PartialEq + Ord> PersonNames<Id> {
    pub fn new() -> Self {
        Self {
            full: Interner::new(),
            bare: BareValues::empty(),
            loose: Interner::new(),
            loose_means: Vec::new(),
            loose_again: Vec::new(),
            systems: Interner::new(),
            same: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.full.len()
    }

    pub fn is_empty(&self) -> bool {
        self.full.is_empty()
    }

    pub fn name(&self, id: Id) -> &str {
        self.full.name(id)
    }

    /// The person whom `spelling` means, if any spelling so far says so.
    pub fn find(&self, spelling: &str) -> Option<Id> {
        self.full.find(spelling).or_else(|| self.find_bare(spelling))
    }

    /// The person whom exactly this spelling means.
    pub fn find_exact(&self, spelling: &str) -> Option<Id> {
        self.full.find(spelling)
    }

    /// Every spelling so far, and the person whom it means.
    pub fn spellings(&self) -> impl Iterator<Item = (&str, Id)> {
        self.full.spellings()
    }

    /// Declares a person under a name whose bare value names nobody, such as the id of one of
    /// several functions that a person has.
    pub fn declare_exact(&mut self, name: &str) -> Id {
        self.full.intern(name)
    }

    /// As [`Self::declare_also`], for a spelling whose bare value names nobody.
    pub fn declare_exact_also(&mut self, spelling: &str, id: Id) {
        if let Some(other) = self.full.alias(spelling, id) {
            self.push_same(spelling, other, id);
        }
    }

    /// Declares a bare value that comes without its system: by itself it never shows two people to
    /// be one.
    pub fn declare_bare_only(&mut self, value: &str, id: Id) {
        let index: usize = self.loose.intern(value).into();
        match self.loose_means.get(index) {
            None => self.loose_means.push(Some(id)),
            Some(means) if *means == Some(id) => {}
            Some(_) => self.loose_again.push((index, id)),
        }
    }

    /// Declares a person of the context under `name`, with that name's bare value.
    pub fn declare(&mut self, name: &str) -> Id {
        let known = self.full.spelling_count();
        let id = self.full.intern(name);
        if self.full.spelling_count() == known {
            return id;
        }
        self.bare.new.push(known);
        if let Some(system) = system_of(name) {
            self.systems.intern(system);
        }
        id
    }

    /// Declares a further spelling of a person of the context. If it already means another
    /// person, the two are one from [`Self::settle`] on.
    pub fn declare_also(&mut self, spelling: &str, id: Id) {
        let known = self.full.spelling_count();
        if let Some(other) = self.full.alias(spelling, id) {
            self.push_same(spelling, other, id);
        }
        if self.full.spelling_count() == known {
            return;
        }
        self.bare.new.push(known);
        if let Some(system) = system_of(spelling) {
            self.systems.intern(system);
        }
    }

    /// The id for a spelling met in an event; new if nothing known matches it.
    pub fn intern(&mut self, spelling: &str) -> Id {
        if let Some(id) = self.full.find(spelling) {
            return id;
        }
        if let Some(id) = self.find_bare(spelling) {
            self.full.alias(spelling, id);
            return id;
        }
        self.full.intern(spelling)
    }

    /// A record gave two spellings of one person: whichever is known decides.
    pub fn intern_all(&mut self, name: &str, also: &[impl AsRef<str>]) -> Id {
        let id = match self.full.find_again(name) {
            Some(id) => id,
            None => self.intern_unmet(name, also),
        };
        for spelling in also {
            self.full.alias(spelling.as_ref(), id);
        }
        id
    }

    /// The id for a spelling that nobody has borne so far.
    fn intern_unmet(&mut self, name: &str, also: &[impl AsRef<str>]) -> Id {
        let known = self
            .find_bare(name)
            .or_else(|| also.iter().find_map(|spelling| self.find(spelling.as_ref())));
        match known {
            Some(id) => {
                self.full.alias(name, id);
                id
            }
            None => self.intern(name),
        }
    }

    /// Makes people that the context showed to be one share the lowest of their ids. Returns the
    /// id that each old id now is, by index.
    ///
    /// A spelling that more than [`SHARED_MAX`] records bear is no person's (a placeholder, or an
    /// employer's number): it joins nobody and becomes a name of its own.
    pub fn settle(&mut self) -> Vec<Id> {
        let mut same = std::mem::take(&mut self.same);
        same.sort_unstable_by_key(|&(spelling, a, b)| (spelling, a, b));
        let mut leader: Vec<u32> = (0..self.full.len() as u32).collect();
        for pairs in same.chunk_by(|a, b| a.0 == b.0) {
            if pairs.len() < SHARED_MAX {
                join(&mut leader, pairs);
            } else if let Some(&(spelling, ..)) = pairs.first() {
                leader.push(leader.len() as u32);
                self.full.detach(spelling);
                self.bare.nobody.push(self.full.id_at(spelling));
            }
        }
        let settled: Vec<Id> = (0..self.full.len() as u32)
            .map(|id| Id::from(find_leader(&mut leader, Id::from(id))))
            .collect();
        self.full.remap(&settled);
        let now = |id: Id| settled.get(id.into()).copied().unwrap_or(id);
        self.bare.settle(&self.full);
        for means in self.loose_means.iter_mut().flatten() {
            *means = now(*means);
        }
        for (index, id) in std::mem::take(&mut self.loose_again) {
            if let Some(means) = self.loose_means.get_mut(index)
                && *means != Some(now(id))
            {
                *means = None;
            }
        }
        settled
    }

    pub fn bytes_held(&self) -> usize {
        self.full.bytes_held() + self.bare.sorted.capacity() * 8 + self.loose.bytes_held()
    }

    fn find_bare(&self, spelling: &str) -> Option<Id> {
        if system_of(spelling).is_some_and(|system| self.systems.find(system).is_some()) {
            return None;
        }
        let value = bare_value(spelling);
        let loose: Option<usize> = self.loose.find(value).map(Into::into);
        let loose = loose.and_then(|index| self.loose_means.get(index));
        let (held, another) = self.bare.find(&self.full, value);
        if another.is_some() || held.is_some_and(|held| self.bare.nobody.contains(&held)) {
            return None;
        }
        match loose {
            None => held,
            Some(&loose) if held.is_none() => loose,
            Some(&loose) => held.filter(|_| held == loose),
        }
    }

    fn push_same(&mut self, spelling: &str, other: Id, id: Id) {
        if let Some(index) = self.full.spelling_index(spelling) {
            self.same.push((index, other, id));
        }
    }
}

impl<Id: From<u32> + Into<usize> + Copy + PartialEq + Ord> Default for PersonNames<Id> {
    fn default() -> Self {
        Self::new()
    }
}

fn join<Id: Into<usize> + Copy>(leader: &mut [u32], pairs: &[(u32, Id, Id)]) {
    for &(_, a, b) in pairs {
        let (a, b) = (find_leader(leader, a), find_leader(leader, b));
        let (low, high) = (a.min(b), a.max(b));
        if let Some(slot) = leader.get_mut(high as usize) {
            *slot = low;
        }
    }
}

fn find_leader<Id: Into<usize>>(leader: &mut [u32], id: Id) -> u32 {
    let start: usize = id.into();
    let mut at = start as u32;
    while let Some(&above) = leader.get(at as usize) {
        if above == at {
            break;
        }
        at = above;
    }
    if let Some(slot) = leader.get_mut(start) {
        *slot = at;
    }
    at
}

/// Ten hospitals may each hold a record of one person; a number in more records is nobody's.
const SHARED_MAX: usize = 64;

/// `urn:oid:1.2|17` -> `17`, `Patient/17` -> `17`, `17` -> `17`.
fn bare_value(spelling: &str) -> &str {
    match spelling.rsplit_once('|') {
        Some((_, value)) => value,
        None => spelling.rsplit_once('/').map_or(spelling, |(_, id)| id),
    }
}

/// The longest run of digits in an identifier, as a number: `Patient/pat-0017` -> 17.
pub fn number_in(spelling: &str) -> Option<u64> {
    let runs = bare_value(spelling).split(|byte: char| !byte.is_ascii_digit());
    let longest = runs.max_by_key(|run| run.len())?;
    longest.parse().ok()
}

fn system_of(spelling: &str) -> Option<&str> {
    spelling.rsplit_once('|').map(|(system, _)| system)
}

/// All names of one region.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    pub identities: PersonNames<IdentityId>,
    pub patients: PersonNames<PatientId>,
    pub hosts: Interner<HostId>,
    pub clients: Interner<ClientId>,
    pub sources: Interner<SourceId>,
    pub units: Interner<UnitId>,
    pub roles: Interner<RoleId>,
    pub sessions: Interner<SessionId>,
    pub resources: Interner<ResourceId>,
}

impl Directory {
    /// Turns a decoded record's names into dense ids. `seq` orders records of equal time.
    pub fn intern(&mut self, record: &Record<'_>, seq: u64) -> Access {
        let mut patients = crate::PatientSet::new();
        for patient in &record.patients {
            let id = self.patients.intern_all(&patient.name, &patient.also);
            if !patients.contains(&id) {
                patients.push(id);
            }
        }
        let purpose = record
            .purpose
            .iter()
            .fold(PurposeSet::default(), |set, code| set.union(PurposeSet::from_code(code)));
        let resource = record.resource.as_deref().map(|reference| {
            self.resources.intern(reference.split_once('/').map_or(reference, |(kind, _)| kind))
        });
        Access {
            id: record.id,
            at: record.at,
            seq,
            identity: record
                .who
                .as_deref()
                .filter(|who| !record.flags.has(Flag::OpaqueIdentity) || is_token(who))
                .map(|who| self.identities.intern_all(who, &record.who_also)),
            patients,
            patient_number: record.patients.first().and_then(|patient| number_in(&patient.name)),
            source: record.source.as_deref().map(|name| self.sources.intern(name)),
            host: record.address.as_deref().map(|name| self.hosts.intern(name)),
            network: record.address.as_deref().and_then(Network::of),
            client: record.application.as_deref().map(|name| self.clients.intern(name)),
            session: record.session.as_deref().map(|name| self.sessions.intern(name)),
            resource,
            action: record.action,
            kind: record.kind,
            found_by: record.found_by,
            purpose,
            outcome: record.outcome,
            flags: record.flags,
        }
    }

    /// How many spellings there are by now.
    pub fn mark(&self) -> DirectoryMark {
        DirectoryMark([
            self.identities.full.spelling_count(),
            self.patients.full.spelling_count(),
            self.hosts.spelling_count(),
            self.clients.spelling_count(),
            self.sources.spelling_count(),
            self.resources.spelling_count(),
        ])
    }

    /// What was met after the mark, in order. Sessions are left out: nothing that is learned holds
    /// one.
    pub fn later_than(&self, mark: &DirectoryMark) -> LaterNames {
        let [identities, patients, hosts, clients, sources, resources] = mark.0;
        LaterNames([
            later(&self.identities.full, identities),
            later(&self.patients.full, patients),
            later(&self.hosts, hosts),
            later(&self.clients, clients),
            later(&self.sources, sources),
            later(&self.resources, resources),
        ])
    }

    /// Takes in what another run met after it had read the same context, so that every number means
    /// what it meant there. False if the names cannot have come so.
    #[must_use]
    pub fn take_later(&mut self, names: &LaterNames) -> bool {
        let [identities, patients, hosts, clients, sources, resources] = &names.0;
        take(&mut self.identities.full, identities)
            && take(&mut self.patients.full, patients)
            && take(&mut self.hosts, hosts)
            && take(&mut self.clients, clients)
            && take(&mut self.sources, sources)
            && take(&mut self.resources, resources)
    }

    /// Hands out all that decides which number a name gets, for a digest.
    pub fn each_name(&self, mut each: impl FnMut(&str, u32)) {
        people(&self.identities, &mut each);
        people(&self.patients, &mut each);
        all(&self.hosts, &mut each);
        all(&self.clients, &mut each);
        all(&self.sources, &mut each);
        all(&self.units, &mut each);
        all(&self.roles, &mut each);
        all(&self.resources, &mut each);
    }

    pub fn bytes_held(&self) -> usize {
        self.identities.bytes_held()
            + self.patients.bytes_held()
            + self.hosts.bytes_held()
            + self.clients.bytes_held()
            + self.sessions.bytes_held()
    }
}

/// How many spellings of each kind a directory had at some time.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryMark([u32; KINDS_LATER]);

/// Spellings that came after a mark, and the number that each means.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct LaterNames([Vec<(String, u32)>; KINDS_LATER]);

impl LaterNames {
    /// Puts something that names nobody in the place of each identity, patient, host and client that
    /// is not known any more; numbers stay, so that what is held by them stays right.
    pub fn forget(&mut self, is_known: impl Fn(&str) -> bool) {
        let [identities, patients, hosts, clients, _sources, _resources] = &mut self.0;
        for names in [identities, patients, hosts, clients] {
            forget(names, |name| !is_known(name));
        }
    }

    /// The same for every name, of whatever kind, that tells of somebody.
    pub fn forget_what(&mut self, tells: impl Fn(&str) -> bool) {
        self.0.iter_mut().for_each(|names| forget(names, &tells));
    }
}

fn forget(names: &mut [(String, u32)], goes: impl Fn(&str) -> bool) {
    for (place, (name, _)) in names.iter_mut().enumerate() {
        if goes(name) {
            // Control characters stand in no name that a source gives.
            *name = format!("\u{1}forgotten {place}");
        }
    }
}

fn later<Id: From<u32> + Into<usize> + Copy>(
    names: &Interner<Id>,
    from: u32,
) -> Vec<(String, u32)> {
    let later = names.spellings().skip(from as usize);
    later.map(|(name, id)| (name.to_owned(), Into::<usize>::into(id) as u32)).collect()
}

fn take<Id: From<u32> + Into<usize> + Copy>(
    names: &mut Interner<Id>,
    later: &[(String, u32)],
) -> bool {
    later.iter().all(|(name, id)| names.take_later(name, *id))
}

fn all<Id: From<u32> + Into<usize> + Copy>(names: &Interner<Id>, each: &mut impl FnMut(&str, u32)) {
    each("", names.len() as u32);
    for (name, id) in names.spellings() {
        each(name, Into::<usize>::into(id) as u32);
    }
}

fn people<Id: From<u32> + Into<usize> + Copy>(
    names: &PersonNames<Id>,
    each: &mut impl FnMut(&str, u32),
) {
    all(&names.full, each);
    for (name, index) in names.loose.spellings() {
        let means = names.loose_means.get(usize::from(index)).copied().flatten();
        each(name, means.map_or(u32::MAX, |id| Into::<usize>::into(id) as u32));
    }
    all(&names.systems, each);
    for &id in &names.bare.nobody {
        each("", Into::<usize>::into(id) as u32);
    }
}

/// Identities, patients, hosts, clients, sources, kinds of content: what comes with events.
const KINDS_LATER: usize = 6;

/// Whether an opaque name still tells one reader from another: a token does; a path, an address or
/// a word such as "unknown" would be one very busy reader.
fn is_token(name: &str) -> bool {
    name.len() >= TOKEN_BYTES_MIN
        && name.bytes().any(|byte| byte.is_ascii_digit())
        && !name.contains('/')
}

/// Shorter texts are no session tokens or assertion ids.
const TOKEN_BYTES_MIN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_reader_but_tokens_are() {
        for placeholder in ["unknown", "/app/fhir/Patient/7", "http://a.example/2005/anonymous"] {
            assert!(!is_token(placeholder), "{placeholder}");
        }
        assert!(is_token("urn:uuid:1c7739fb-5099-4db9-a1f9-c928ee059640"));
        assert!(is_token("C187CC480FAC40A0936902D8BC324F5F"));
    }

    #[test]
    fn spellings_of_one_person_meet() {
        let mut staff = PersonNames::<IdentityId>::new();
        let seven = staff.declare("Practitioner/7");
        staff.declare_also("urn:oid:2.16.578.1.12.4.1.4.4|9144897", seven);
        let eight = staff.declare("Practitioner/8");
        // By reference, by licence number, by a bare number, and under a system nobody declared.
        for spelling in [
            "Practitioner/7",
            "urn:oid:2.16.578.1.12.4.1.4.4|9144897",
            "9144897",
            "https://ehr.example/login|9144897",
            "7",
        ] {
            assert_eq!(staff.intern(spelling), seven, "{spelling}");
        }
        // The declared system numbers another person 8, so this is nobody we know.
        let stranger = staff.intern("urn:oid:2.16.578.1.12.4.1.4.4|8");
        assert!(stranger != seven && stranger != eight);
    }

    #[test]
    fn a_value_that_two_people_share_names_neither() {
        let mut staff = PersonNames::<IdentityId>::new();
        let doctor = staff.declare("Practitioner/7");
        let device = staff.declare("Device/7");
        staff.settle();
        let bare = staff.intern("7");
        assert!(bare != doctor && bare != device);
    }

    #[test]
    fn two_records_of_one_person_become_one() {
        let mut patients = PersonNames::<PatientId>::new();
        let old = patients.declare("Patient/old");
        patients.declare_also("nn|17", old);
        let new = patients.declare("Patient/new");
        patients.declare_also("nn|17", new);
        let settled = patients.settle();
        assert_eq!(settled, [old, old]);
        assert_eq!(patients.intern("Patient/new"), old);
        assert_eq!(patients.intern("17"), old);
    }

    #[test]
    fn one_person_is_found_whichever_record_comes_first() {
        for order in [["Patient/a", "Patient/b"], ["Patient/b", "Patient/a"]] {
            let mut patients = PersonNames::<PatientId>::new();
            for name in order {
                let id = patients.declare(name);
                patients.declare_bare_only("17", id);
            }
            let first = patients.declare("Patient/a");
            patients.declare_also("Patient/b", first);
            patients.settle();
            assert_eq!(patients.intern("17"), patients.intern("Patient/b"));
        }
    }

    #[test]
    fn a_placeholder_in_many_records_joins_nobody() {
        let mut patients = PersonNames::<PatientId>::new();
        let declare = |patients: &mut PersonNames<PatientId>, count: usize| {
            for number in 0..count {
                let id = patients.declare(&format!("Patient/{count}-{number}"));
                patients.declare_also(&format!("nn|{count}"), id);
            }
        };
        declare(&mut patients, SHARED_MAX);
        declare(&mut patients, SHARED_MAX + 1);
        let settled = patients.settle();
        assert_eq!(settled.len(), 2 * SHARED_MAX + 2);
        let apart: std::collections::BTreeSet<_> = settled.iter().collect();
        assert_eq!(apart.len(), 1 + SHARED_MAX + 1 + 1);
        let placeholder = patients.find("nn|65");
        assert!(placeholder.is_some() && placeholder != patients.find("Patient/65-0"));
        // By its bare value it means nobody that is known.
        assert_eq!(patients.find("65"), None);
        assert_eq!(patients.find("nn|64"), patients.find("Patient/64-63"));
    }
}
