//! Leaving, and taking another role in a demonstration.

use crate::access::Role;
use crate::answer::{Here, Sent};
use crate::page;
use crate::reply::{Answer, go};

pub(crate) fn leave(here: &Here<'_>, _: &Sent<'_>) -> Answer {
    here.leave();
    go("/")
}

pub(crate) fn role(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let role = Role::read(sent.form.field("role"));
    let entered = role.and_then(|role| Some((role, here.doors.change_role(role, here.now)?)));
    match entered {
        Some((role, cookie)) => {
            let first = page::first(role, here.shadow, here.language);
            Answer { cookie: Some(cookie), ..go(&here.link(first)) }
        }
        None => here.refused("another role"),
    }
}
