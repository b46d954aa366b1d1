//! Leaving, and taking another role in a demonstration.

use crate::access::Role;
use crate::answer::{Here, Sent};
use crate::reply::{Answer, go};

pub(crate) fn leave(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    here.doors.leave(sent.cookie);
    go("/")
}

pub(crate) fn role(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let role = Role::read(sent.form.field("role"));
    let cookie = role.and_then(|role| here.doors.change_role(role, here.now));
    match cookie {
        Some(cookie) => Answer { cookie: Some(cookie), ..go("/") },
        None => here.refused("another role"),
    }
}
