//! Who is there? A link that works once opens a session; a session is a cookie that no script reads.

use crate::access::{Purpose, Role};
use bavn_detect::cases::CaseNumber;
use bavn_model::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Fills bytes with randomness; the edge knows where it comes from.
pub type Chance = dyn FnMut(&mut [u8]) -> bool + Send;

/// Somebody whom the console knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    pub name: String,
    pub role: Role,
    /// To be sent back with every form.
    pub form_token: String,
}

/// The ways in.
pub struct Doors {
    held: Mutex<Held>,
    /// A demonstration: who comes is let in, and may change roles.
    open: bool,
    proxy: Option<Proxy>,
}

/// A proxy that has checked who it is.
#[derive(Clone)]
pub struct Proxy {
    /// In which it says `name role`.
    pub header: String,
    /// What it says beside, in the header of that name with `-Secret` behind: nobody else who reaches
    /// this port can. None: only the proxy reaches it.
    pub secret: Option<String>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Proxy {
    /// What its header says, if it was the proxy that wrote it.
    fn says(&self, header: impl Fn(&str) -> Option<String>) -> Option<String> {
        let is_it = self.secret.as_ref().is_none_or(|secret| {
            let said = header(&format!("{}-Secret", self.header)).unwrap_or_default();
            is_same(said.as_bytes(), secret.as_bytes())
        });
        header(&self.header).filter(|_| is_it)
    }
}

/// In a time that does not tell how much was right.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

struct Held {
    chance: Box<Chance>,
    links: HashMap<String, (String, Role)>,
    sessions: HashMap<String, Session>,
}

struct Session {
    visitor: Visitor,
    last: Timestamp,
    begun: Timestamp,
    /// By handle, the oldest first.
    handles: Vec<(String, Behind)>,
}

/// What a handle in an address stands for, in one session and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// A patient as typed.
    Patient { typed: String, purpose: Purpose, case: Option<CaseNumber> },
    /// An account of a case.
    Person { account: String, case: CaseNumber },
    /// Values to hunt for.
    List { text: String, case: CaseNumber },
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Doors {
    /// Closed but for links, and for a proxy if there is one.
    pub fn new(chance: Box<Chance>, proxy: Option<Proxy>) -> Self {
        let held = Held { chance, links: HashMap::new(), sessions: HashMap::new() };
        Self { held: Mutex::new(held), open: false, proxy }
    }

    /// For people who are invented.
    pub fn open(chance: Box<Chance>) -> Self {
        Self { open: true, ..Self::new(chance, None) }
    }

    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// The path that lets this person in once; none without randomness.
    pub fn link(&self, name: &str, role: Role) -> Option<String> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let token = held.token()?;
        held.links.insert(token.clone(), (name.to_owned(), role));
        Some(format!("/enter/{token}"))
    }

    /// Spends a link: the cookie of the session that it opens, and as what.
    pub(crate) fn enter(&self, token: &str, now: Timestamp) -> Option<(String, Role)> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, role) = held.links.remove(token)?;
        Some((held.begin(name, role, now)?, role))
    }

    /// Another role, in a demonstration.
    pub(crate) fn change_role(&self, role: Role, now: Timestamp) -> Option<String> {
        if !self.open {
            return None;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.begin(role.word().to_owned(), role, now)
    }

    pub(crate) fn leave(&self, cookie: &str) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.sessions.remove(cookie);
    }

    /// The handle that stands for this in a session; the same as before, if it was asked before.
    pub(crate) fn hold(&self, cookie: &str, behind: Behind) -> Option<String> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let known = held.sessions.get(cookie)?.handles.iter();
        if let Some((handle, _)) = known.clone().find(|(_, known)| *known == behind) {
            return Some(handle.clone());
        }
        let handle: String = held.token()?.chars().take(HANDLE_DIGITS).collect();
        let session = held.sessions.get_mut(cookie)?;
        if session.handles.len() >= HANDLES_MAX {
            session.handles.remove(0);
        }
        session.handles.push((handle.clone(), behind));
        Some(handle)
    }

    pub(crate) fn behind(&self, cookie: &str, handle: &str) -> Option<Behind> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut handles = held.sessions.get(cookie)?.handles.iter();
        handles.find(|(known, _)| known == handle).map(|(_, behind)| behind.clone())
    }

    /// Who sends this cookie, or whom the proxy names; and a new cookie, where one is given out.
    pub(crate) fn visitor(
        &self,
        cookie: Option<&str>,
        header: impl Fn(&str) -> Option<String>,
        now: Timestamp,
    ) -> Option<(Visitor, Option<String>)> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let live = |session: &Session| {
            now.secs_since(session.last) < IDLE_SECS && now.secs_since(session.begun) < LONGEST_SECS
        };
        held.sessions.retain(|_, session| live(session));
        let named = self.proxy.as_ref().map(|proxy| proxy.says(&header).as_deref().and_then(named));
        if let Some(session) = cookie.and_then(|cookie| held.sessions.get_mut(cookie)) {
            let same = named.as_ref().is_none_or(|named| {
                let visitor = &session.visitor;
                named.as_ref().is_some_and(|who| *who == (visitor.name.clone(), visitor.role))
            });
            if same {
                session.last = now;
                return Some((session.visitor.clone(), None));
            }
        }
        let (name, role) = match named {
            Some(named) => named?,
            None if self.open => (Role::PrivacyOfficer.word().to_owned(), Role::PrivacyOfficer),
            None => return None,
        };
        let cookie = held.begin(name, role, now)?;
        let visitor = held.sessions.get(&cookie)?.visitor.clone();
        Some((visitor, Some(cookie)))
    }
}

impl Held {
    fn begin(&mut self, name: String, role: Role, now: Timestamp) -> Option<String> {
        if self.sessions.len() >= SESSIONS_MAX {
            let oldest = self.sessions.iter().min_by_key(|(_, session)| session.last);
            let oldest = oldest.map(|(cookie, _)| cookie.clone());
            oldest.and_then(|oldest| self.sessions.remove(&oldest));
        }
        let (cookie, form_token) = (self.token()?, self.token()?);
        let visitor = Visitor { name, role, form_token };
        self.sessions.insert(
            cookie.clone(),
            Session { visitor, last: now, begun: now, handles: Vec::new() },
        );
        Some(cookie)
    }

    fn token(&mut self) -> Option<String> {
        let mut bytes = [0; TOKEN_BYTES];
        let drawn = (self.chance)(&mut bytes);
        let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or('0');
        drawn.then(|| bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
    }
}

/// `name role`, as the proxy writes it.
fn named(header: &str) -> Option<(String, Role)> {
    let (name, role) = header.trim().rsplit_once(' ')?;
    let name = name.trim();
    (!name.is_empty()).then_some((name.to_owned(), Role::read(role)?))
}

const TOKEN_BYTES: usize = 32;
const IDLE_SECS: i64 = 1_800;
const LONGEST_SECS: i64 = 10 * 3_600;
const SESSIONS_MAX: usize = 1_000;
/// Accounts of a large case, and a morning's questions.
const HANDLES_MAX: usize = 2_000;
/// Enough that nobody guesses one, and it opens nothing in another session.
const HANDLE_DIGITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> Box<Chance> {
        let mut next = 0_u8;
        Box::new(move |bytes| {
            for byte in bytes {
                *byte = next;
                next = next.wrapping_add(7);
            }
            true
        })
    }

    #[test]
    fn a_link_opens_once_and_a_session_ends() {
        let (doors, now) = (Doors::new(counting(), None), Timestamp::from_secs(1_000));
        let path = doors.link("kari", Role::PrivacyOfficer).unwrap();
        let token = path.strip_prefix("/enter/").unwrap();
        let (cookie, _) = doors.enter(token, now).unwrap();
        assert_eq!(doors.enter(token, now), None, "spent");
        let who = |cookie: &str, at| doors.visitor(Some(cookie), |_| None, at);
        assert_eq!(who(&cookie, now).unwrap().0.name, "kari");
        assert_eq!(who("forged", now), None);
        assert!(who(&cookie, now.plus_secs(1_799)).is_some());
        assert!(who(&cookie, now.plus_secs(1_799 + 1_800)).is_none(), "idle");
        assert!(doors.change_role(Role::IncidentLead, now).is_none());
    }

    #[test]
    fn a_handle_is_of_one_session() {
        let mut next = 0_u64;
        let never_twice: Box<Chance> = Box::new(move |bytes| {
            next += 1;
            bytes[..8].copy_from_slice(&next.to_be_bytes());
            true
        });
        let (doors, now) = (Doors::new(never_twice, None), Timestamp::default());
        let enter = |name: &str| {
            let path = doors.link(name, Role::PrivacyOfficer).unwrap();
            doors.enter(path.strip_prefix("/enter/").unwrap(), now).unwrap().0
        };
        let (kari, ola) = (enter("kari"), enter("ola"));
        let person =
            |at: u32| Behind::Person { account: format!("hcw-{at}"), case: CaseNumber(at) };
        let handle = doors.hold(&kari, person(7)).unwrap();
        assert!(!handle.contains("hcw") && handle.len() == HANDLE_DIGITS);
        assert_eq!(doors.hold(&kari, person(7)).unwrap(), handle, "the same again");
        assert_eq!(doors.behind(&kari, &handle), Some(person(7)));
        assert_eq!(doors.behind(&ola, &handle), None, "another's handle opens nothing");
        for at in 8..8 + HANDLES_MAX as u32 {
            doors.hold(&kari, person(at)).unwrap();
        }
        assert_eq!(doors.behind(&kari, &handle), None, "the oldest goes");
    }

    #[test]
    fn a_proxy_names_its_people_and_nobody_else_is_let_in() {
        let proxy = Proxy { header: "x-user".to_owned(), secret: None };
        let (doors, now) = (Doors::new(counting(), Some(proxy.clone())), Timestamp::default());
        let header = |text: &'static str| move |_: &str| Some(text.to_owned());
        let (visitor, cookie) = doors.visitor(None, header("Kari N soc-analyst"), now).unwrap();
        assert_eq!((visitor.name.as_str(), visitor.role), ("Kari N", Role::SocAnalyst));
        let cookie = cookie.unwrap();
        assert!(
            doors.visitor(Some(&cookie), header("Kari N soc-analyst"), now).unwrap().1.is_none()
        );
        let (other, _) = doors.visitor(Some(&cookie), header("Ola auditor"), now).unwrap();
        assert_eq!(other.name, "Ola", "the proxy's word beats an old cookie");
        assert_eq!(doors.visitor(Some(&cookie), |_| None, now), None);
        assert_eq!(doors.visitor(None, header("Ola king"), now), None);

        // Whoever else reaches the port can write the header, but not the secret.
        let proxy = Proxy { secret: Some("known to two".to_owned()), ..proxy };
        let doors = Doors::new(counting(), Some(proxy));
        let says = |secret: &'static str| {
            move |name: &str| {
                Some(if name == "x-user" { "Kari N soc-analyst" } else { secret }.to_owned())
            }
        };
        assert!(doors.visitor(None, says("known to two"), now).is_some());
        for wrong in ["", "known to tw0", "known to two "] {
            assert_eq!(doors.visitor(None, says(wrong), now), None);
        }
    }
}
