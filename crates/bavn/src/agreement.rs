//! Does the employees' side agree? Of a store, for whoever is about to name somebody.

use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use bavn_detect::house::{Agreement, House, agreement};

pub(crate) fn of(desk: &Desk, house: &HouseDesk) -> CommandResult<Option<Agreement>> {
    desk.look(|book| house.look(|house| agreement(book, house)))?
}

/// Refuses where a service works on the store and the employees' side has not agreed.
pub(crate) fn refuse_names(desk: &Desk, house: &HouseDesk) -> CommandResult {
    if !house.look(House::is_served)? || of(desk, house)?.is_some() {
        return Ok(());
    }
    let error = anyhow::anyhow!("shadow mode: the employees' side has not signed yet");
    Err(CommandError::new(Kind::Refused, error)
        .hint("the first page of the console counts what would have been alarmed, without names")
        .hint("their agreement is given on `/settings`, or kept by `bavn dpia --sign-off`"))
}
