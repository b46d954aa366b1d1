//! Which address is answered by what, for whom, and for which purpose?

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::reply::Answer;
use crate::{
    case_acts, case_page, coverage_page, drill_page, hunt_page, me_page, notice_acts, notice_one,
    notice_page, patient_page, person_page, proof_page, queue_page, reader_page, recipients_page,
    reveal_page, review_page, scope_page, session_acts, settings_page,
};

/// One address, and each page's `.json` and `.csv` twin with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) is_post: bool,
    /// Without its first slash; `*` stands for any one part.
    pub(crate) path: &'static str,
    /// Asked of the table before the answer is.
    pub(crate) right: Right,
    pub(crate) purpose: Purpose,
    pub(crate) answer: fn(&Here<'_>, &Sent<'_>) -> Answer,
}

const fn get(
    path: &'static str,
    right: Right,
    purpose: Purpose,
    answer: fn(&Here<'_>, &Sent<'_>) -> Answer,
) -> Route {
    Route { is_post: false, path, right, purpose, answer }
}

const fn post(
    path: &'static str,
    right: Right,
    purpose: Purpose,
    answer: fn(&Here<'_>, &Sent<'_>) -> Answer,
) -> Route {
    Route { is_post: true, path, right, purpose, answer }
}

/// What is not here is not there.
pub(crate) const ROUTES: &[Route] = &[
    get("", Right::SeeQueue, Purpose::None, queue_page::queue),
    get("queue", Right::SeeQueue, Purpose::None, queue_page::queue),
    get("alarms/*", Right::SeeQueue, Purpose::None, queue_page::alarm),
    get("case/*", Right::SeeCase, Purpose::Case, case_page::answer),
    get("case/*/scope", Right::SeeScope, Purpose::Case, scope_page::answer),
    get("case/*/patients", Right::Reveal, Purpose::Case, reveal_page::answer),
    get("person/*", Right::SeePerson, Purpose::Case, person_page::answer),
    get("hunt", Right::Hunt, Purpose::Case, hunt_page::ask),
    get("hunt/*", Right::Hunt, Purpose::Case, hunt_page::answer),
    get("patient", Right::AskForPatient, Purpose::None, patient_page::ask),
    // For which purpose, what was typed says; the page asks the table again.
    get("patient/*", Right::AskForPatient, Purpose::None, patient_page::answer),
    get("patient/*/report", Right::AskForPatient, Purpose::None, patient_page::report),
    get("coverage", Right::SeeCoverage, Purpose::None, coverage_page::answer),
    get("drill", Right::SeeScore, Purpose::None, drill_page::answer),
    get("proof", Right::SeeProof, Purpose::None, proof_page::answer),
    get("review", Right::Review, Purpose::Review, review_page::answer),
    get("settings", Right::SeeSettings, Purpose::None, settings_page::answer),
    get("case/*/notice", Right::SeeNotices, Purpose::Case, notice_page::answer),
    get("case/*/notice/*", Right::SeeNotices, Purpose::Case, notice_one::one),
    get("case/*/notice/*/paper", Right::SeeNotices, Purpose::Case, notice_one::paper),
    get("case/*/recipients", Right::SeeNotices, Purpose::Case, recipients_page::answer),
    get("me", Right::SeeOneself, Purpose::None, me_page::answer),
    get("me/report", Right::SeeOwnRecord, Purpose::Insight, patient_page::own),
    post("case/*/take", Right::WorkOnCase, Purpose::Case, case_acts::take),
    post("case/*/note", Right::WorkOnCase, Purpose::Case, case_acts::note),
    post("case/*/task", Right::WorkOnCase, Purpose::Case, case_acts::task),
    post("case/*/done", Right::WorkOnCase, Purpose::Case, case_acts::done),
    post("case/*/undo", Right::WorkOnCase, Purpose::Case, case_acts::undo),
    post("case/*/decide", Right::Decide, Purpose::Case, case_acts::decide),
    post("case/*/rule-out", Right::Decide, Purpose::Case, case_acts::rule_out),
    post("case/*/ask", Right::Decide, Purpose::Case, reader_page::asked),
    post("case/*/reply", Right::Decide, Purpose::Case, case_acts::reply),
    post("case/*/patients", Right::Reveal, Purpose::Case, reveal_page::asked),
    post("hunt", Right::Hunt, Purpose::Case, hunt_page::listed),
    post("patient", Right::AskForPatient, Purpose::None, patient_page::typed),
    post("review", Right::Review, Purpose::Review, review_page::rule),
    post("settings", Right::ChangeSettings, Purpose::None, settings_page::propose),
    post("settings/*/confirm", Right::ChangeSettings, Purpose::None, settings_page::confirm),
    post("settings/*/decline", Right::ChangeSettings, Purpose::None, settings_page::decline),
    post("settings/*/sign", Right::SignForEmployees, Purpose::None, settings_page::sign),
    post("settings/*/object", Right::SignForEmployees, Purpose::None, settings_page::decline),
    post("settings/withdraw", Right::SignForEmployees, Purpose::None, settings_page::withdraw),
    post("me", Right::SeeOneself, Purpose::None, me_page::answer_case),
    post("case/*/declare", Right::WorkOnNotices, Purpose::Case, notice_acts::declare),
    post("case/*/answers", Right::WorkOnNotices, Purpose::Case, notice_acts::answers),
    post("case/*/prepare", Right::WorkOnNotices, Purpose::Case, notice_acts::prepare),
    post("case/*/sign", Right::WorkOnNotices, Purpose::Case, notice_acts::sign),
    post("case/*/want-list", Right::WorkOnNotices, Purpose::Case, notice_acts::want_list),
    post("case/*/release-list", Right::WorkOnNotices, Purpose::Case, notice_acts::release_list),
    post("role", Right::SeeOneself, Purpose::None, session_acts::role),
    post("leave", Right::SeeOneself, Purpose::None, session_acts::leave),
];

/// The route of a path without its ending, and the parts that stand for a `*`.
pub(crate) fn find(is_post: bool, stem: &str) -> Option<(&'static Route, Vec<&str>)> {
    let parts: Vec<&str> = stem.strip_prefix('/')?.split('/').collect();
    ROUTES.iter().filter(|route| route.is_post == is_post).find_map(|route| {
        let wanted: Vec<&str> = route.path.split('/').collect();
        let fits = |(wanted, part): (&&str, &&str)| *wanted == "*" || wanted == part;
        let same = wanted.len() == parts.len() && wanted.iter().zip(&parts).all(fits);
        let free = wanted.iter().zip(&parts).filter(|(wanted, _)| **wanted == "*");
        same.then(|| (route, free.map(|(_, part)| *part).collect()))
    })
}
