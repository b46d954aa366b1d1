//! Ten thousand findings at once, and somebody who watches the queue.

use super::*;
use futures_util::{Stream, StreamExt as _};
use std::collections::BTreeSet;

#[test]
fn ten_thousand_findings_reach_who_watches_and_none_is_lost() {
    let console = Console::new(Role::PrivacyOfficer);
    let (heard, heard_late) = runtime().block_on(async {
        let (mut watching, mut asleep) = (messages(&console).await, messages(&console).await);
        let board = console.board.clone();
        let raising = std::thread::spawn(move || (1..=FINDINGS).for_each(|n| raise(&board, n)));
        let heard = until_last(&mut watching).await;
        raising.join().unwrap();
        (heard, until_last(&mut asleep).await)
    });
    assert!(heard.is_sorted() && heard.last() == Some(&FINDINGS), "{:?}", heard.last());
    assert_eq!(heard_late, [FINDINGS], "who did not listen is owed one message, not ten thousand");

    let page = console.get("/").text;
    let waiting = FINDINGS + 1;
    assert!(page.contains(&format!("data-total=\"{waiting}\"")));
    assert!(page.contains("The first 200 of 10\u{202f}001 are shown"));
    assert_eq!(page.matches("data-row").count(), 200);
    let twin = console.get("/queue.csv").text;
    assert_eq!(twin.lines().count() as u64, waiting + 1);
    let cases: BTreeSet<&str> = twin.lines().filter_map(|line| line.split(',').next()).collect();
    assert!((1..=waiting).all(|case| cases.contains(case.to_string().as_str())));
}

/// Only pages whose view is not put on record are asked for again by themselves.
#[test]
fn a_page_that_is_put_on_record_does_not_load_itself_again() {
    let console = Console::new(Role::PrivacyOfficer);
    for (path, is_live) in [("/", true), ("/case/1", false), ("/case/1/scope", false)] {
        assert_eq!(console.get(path).text.contains("data-news"), is_live, "{path}");
    }
}

/// Numbers of changes, as a browser is told them.
async fn messages(console: &Console) -> impl Stream<Item = u64> + Unpin + use<> {
    let request = Request::builder().uri("/live").body(Body::empty()).unwrap();
    let response = console.router.clone().oneshot(request).await.unwrap();
    let number = |chunk: Result<axum::body::Bytes, axum::Error>| {
        let text = String::from_utf8(chunk.unwrap().to_vec()).unwrap();
        // Now and then a comment keeps the line open.
        std::future::ready(text.trim().strip_prefix("data: ").map(|number| number.parse().unwrap()))
    };
    response.into_body().into_data_stream().filter_map(number)
}

async fn until_last(messages: &mut (impl Stream<Item = u64> + Unpin)) -> Vec<u64> {
    let mut heard = Vec::new();
    while heard.last() != Some(&FINDINGS) {
        heard.push(messages.next().await.unwrap());
    }
    heard
}

/// A finding that is a case of its own.
fn raise(board: &Fixed, number: u64) {
    let raised = bavn_detect::cases::Alarm {
        uid: format!("uid-{number}"),
        identities: std::iter::once(format!("hcw-{number}")).collect(),
        ..alarm()
    };
    let case = CaseNumber(u32::try_from(number + 1).unwrap());
    let deed = Deed::Raised(Box::new(raised));
    let act = Act { at: board.now(), by: "bavn".to_owned(), case, deed };
    board.book.lock().unwrap().push(act);
    board.changed.send_modify(|changes| *changes += 1);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

const FINDINGS: u64 = 10_000;
