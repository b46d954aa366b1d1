//! What do the words of a value table mean?

use bavn_model::{Action, FoundBy, Kind, Outcome};

/// What a field of a mapping fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    // Of an event.
    At,
    Who,
    OnBehalfOf,
    Application,
    Patients,
    Resource,
    Action,
    Kind,
    FoundBy,
    Purpose,
    Reason,
    Outcome,
    Source,
    Address,
    Session,
    Query,
    Sequence,
    // Conditions: filled, and none of the words for "no".
    BreakGlass,
    OwnAccess,
    SystemIdentity,
    DecisionOnly,
    HandPicked,
    // Of context.
    Person,
    Patient,
    Unit,
    Role,
    From,
    To,
    KnownAt,
    Author,
    Name,
    PartOf,
    FamilyName,
    GivenName,
    Born,
    Died,
    AddressLine,
    PostalCode,
    Household,
    Active,
    Restricted,
    Cancelled,
    Group,
    Token,
    Kin,
}

impl Target {
    pub const EVENT: [Self; 22] = [
        Self::At,
        Self::Who,
        Self::OnBehalfOf,
        Self::Application,
        Self::Patients,
        Self::Resource,
        Self::Action,
        Self::Kind,
        Self::FoundBy,
        Self::Purpose,
        Self::Reason,
        Self::Outcome,
        Self::Source,
        Self::Address,
        Self::Session,
        Self::Query,
        Self::Sequence,
        Self::BreakGlass,
        Self::OwnAccess,
        Self::SystemIdentity,
        Self::DecisionOnly,
        Self::HandPicked,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::At => "at",
            Self::Who => "who",
            Self::OnBehalfOf => "on_behalf_of",
            Self::Application => "application",
            Self::Patients => "patients",
            Self::Resource => "resource",
            Self::Action => "action",
            Self::Kind => "kind",
            Self::FoundBy => "found_by",
            Self::Purpose => "purpose",
            Self::Reason => "reason",
            Self::Outcome => "outcome",
            Self::Source => "source",
            Self::Address => "address",
            Self::Session => "session",
            Self::Query => "query",
            Self::Sequence => "sequence",
            Self::BreakGlass => "break_glass",
            Self::OwnAccess => "own_access",
            Self::SystemIdentity => "system_identity",
            Self::DecisionOnly => "decision_only",
            Self::HandPicked => "hand_picked",
            Self::Person => "person",
            Self::Patient => "patient",
            Self::Unit => "unit",
            Self::Role => "role",
            Self::From => "from",
            Self::To => "to",
            Self::KnownAt => "known_at",
            Self::Author => "author",
            Self::Name => "name",
            Self::PartOf => "part_of",
            Self::FamilyName => "family_name",
            Self::GivenName => "given_name",
            Self::Born => "born",
            Self::Died => "died",
            Self::AddressLine => "address_line",
            Self::PostalCode => "postal_code",
            Self::Household => "household",
            Self::Active => "active",
            Self::Restricted => "restricted",
            Self::Cancelled => "cancelled",
            Self::Group => "group",
            Self::Token => "token",
            Self::Kin => "kin",
        }
    }

    /// Whether a patient can be known by it: shown masked.
    pub const fn is_about_patient(self) -> bool {
        matches!(
            self,
            Self::Patients
                | Self::Patient
                | Self::Query
                | Self::Reason
                | Self::FamilyName
                | Self::GivenName
                | Self::Born
                | Self::Died
                | Self::AddressLine
                | Self::PostalCode
                | Self::Household
                | Self::Token
                | Self::Kin
        )
    }

    pub(crate) const fn is_time(self) -> bool {
        matches!(self, Self::At | Self::From | Self::To | Self::KnownAt | Self::Born | Self::Died)
    }

    pub(crate) const fn is_condition(self) -> bool {
        matches!(
            self,
            Self::BreakGlass
                | Self::OwnAccess
                | Self::SystemIdentity
                | Self::DecisionOnly
                | Self::HandPicked
                | Self::Active
                | Self::Restricted
                | Self::Cancelled
        )
    }

    /// Whether a value table may give this word for it.
    pub(crate) fn takes(self, word: &str) -> bool {
        word.is_empty()
            || match self {
                Self::Action => action(word).is_some(),
                Self::Kind => kind(word).is_some(),
                Self::FoundBy => found_by(word).is_some(),
                Self::Outcome => outcome(word).is_some(),
                _ => true,
            }
    }
}

pub(crate) fn action(word: &str) -> Option<Action> {
    match word {
        "C" => Some(Action::Create),
        "R" => Some(Action::Read),
        "U" => Some(Action::Update),
        "D" => Some(Action::Delete),
        "E" => Some(Action::Execute),
        _ => None,
    }
}

pub(crate) fn kind(word: &str) -> Option<Kind> {
    match word {
        "read" => Some(Kind::Read),
        "search" => Some(Kind::Search),
        "create" => Some(Kind::Create),
        "update" => Some(Kind::Update),
        "delete" => Some(Kind::Delete),
        "export" => Some(Kind::Export),
        "print" => Some(Kind::Print),
        "login" => Some(Kind::Login),
        "decision" => Some(Kind::Decision),
        "other" => Some(Kind::Other),
        _ => None,
    }
}

pub(crate) fn found_by(word: &str) -> Option<FoundBy> {
    match word {
        "list" => Some(FoundBy::List),
        "search_by_name" => Some(FoundBy::SearchByName),
        "search_by_id" => Some(FoundBy::SearchById),
        "link" => Some(FoundBy::Link),
        "api_page" => Some(FoundBy::ApiPage),
        _ => None,
    }
}

pub(crate) fn outcome(word: &str) -> Option<Outcome> {
    match word {
        "success" => Some(Outcome::Success),
        "minor-failure" => Some(Outcome::MinorFailure),
        "serious-failure" => Some(Outcome::SeriousFailure),
        "major-failure" => Some(Outcome::MajorFailure),
        "unknown" => Some(Outcome::Unknown),
        _ => None,
    }
}

/// What an action amounts to where the source says nothing finer.
pub(crate) const fn kind_of(action: Action) -> Kind {
    match action {
        Action::Create => Kind::Create,
        Action::Read => Kind::Read,
        Action::Update => Kind::Update,
        Action::Delete => Kind::Delete,
        Action::Execute => Kind::Other,
    }
}

/// The action behind a kind, where the source states only the kind.
pub(crate) const fn action_of(kind: Kind) -> Option<Action> {
    match kind {
        Kind::Read | Kind::Export | Kind::Print => Some(Action::Read),
        Kind::Create => Some(Action::Create),
        Kind::Update => Some(Action::Update),
        Kind::Delete => Some(Action::Delete),
        Kind::Search | Kind::Login | Kind::Decision => Some(Action::Execute),
        Kind::Other => None,
    }
}

/// Whether a condition's cell says yes.
pub(crate) fn says_yes(text: &str) -> bool {
    const NO: [&str; 8] = ["0", "no", "n", "false", "f", "none", "nei", "off"];
    !text.is_empty() && !NO.iter().any(|no| text.eq_ignore_ascii_case(no))
}

/// Whether `text` fits a pattern in which `*` stands for any text. Case of ASCII is ignored.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = strip_prefix(text, parts.next().unwrap_or("")) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    let mut rest = rest;
    for part in parts {
        let found = (0..=rest.len())
            .filter_map(|start| rest.get(start..))
            .find_map(|tail| strip_prefix(tail, part));
        match found {
            Some(tail) => rest = tail,
            None => return false,
        }
    }
    rest.len()
        .checked_sub(last.len())
        .and_then(|start| rest.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(last))
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit() {
        for (pattern, text, expected) in [
            ("*-select", "patient-record-SELECT", true),
            ("*-select", "select", false),
            ("login*", "login-failed", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("exact", "Exact", true),
            ("exact", "exactly", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("å*", "åpen", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
