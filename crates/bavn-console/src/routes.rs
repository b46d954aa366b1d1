//! Which address shows what: parse, ask, render.

use crate::page;
use crate::text::Language;
use crate::view::Board;
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use maud::Markup;
use std::convert::Infallible;
use std::sync::Arc;

type Boards = State<Arc<dyn Board>>;

/// All pages over one board.
pub fn router(board: Arc<dyn Board>) -> Router {
    Router::new()
        .route("/", get(queue))
        .route("/queue.json", get(queue_json))
        .route("/alarms/{uid}", get(alarm))
        .route("/live", get(live))
        .route(
            "/live.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("live.js"))),
        )
        .route(
            "/style.css",
            get(async || asset("text/css; charset=utf-8", include_str!("style.css"))),
        )
        .fallback(async |headers: HeaderMap| missing(&headers))
        .layer(axum::middleware::map_response(guarded))
        .with_state(board)
}

async fn queue(
    State(board): Boards,
    RawQuery(asked): RawQuery,
    headers: HeaderMap,
) -> Html<String> {
    render(&page::queue(&board.queue(), language(asked.as_deref(), &headers)))
}

async fn queue_json(State(board): Boards) -> Response {
    Json(board.queue().as_ref()).into_response()
}

async fn alarm(
    State(board): Boards,
    Path(uid): Path<String>,
    RawQuery(asked): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (uid, as_json) = uid.strip_suffix(".json").map_or((uid.as_str(), false), |uid| (uid, true));
    let view = board.queue();
    let Some(found) = view.alarms.iter().find(|alarm| alarm.uid == uid) else {
        return missing(&headers);
    };
    if as_json {
        return Json(found).into_response();
    }
    render(&page::alarm(&view, found, language(asked.as_deref(), &headers))).into_response()
}

/// Tells the page that the queue has changed (server-sent events).
async fn live(State(board): Boards) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = stream::unfold(board.changes(), async |mut changes| {
        changes.changed().await.ok()?;
        let number = *changes.borrow_and_update();
        Some((Ok(Event::default().data(number.to_string())), changes))
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}

fn missing(headers: &HeaderMap) -> Response {
    (StatusCode::NOT_FOUND, render(&page::missing(language(None, headers)))).into_response()
}

/// What the address asks for, else what the browser prefers.
fn language(query: Option<&str>, headers: &HeaderMap) -> Language {
    let mut asked =
        query.unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("lang="));
    match asked.next() {
        Some("nb") => Language::Bokmaal,
        Some("en") => Language::English,
        _ => {
            let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            Language::accepted(header.unwrap_or_default())
        }
    }
}

fn render(page: &Markup) -> Html<String> {
    Html(page.0.clone())
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Nothing is loaded from elsewhere, framed, guessed or kept by a cache.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Alarm, AlarmWords, HourBar, QueueView};
    use axum::body::Body;
    use axum::http::Request;
    use bavn_model::Timestamp;
    use tower::ServiceExt as _;

    struct Fixed(QueueView);

    impl Board for Fixed {
        fn queue(&self) -> Arc<QueueView> {
            Arc::new(self.0.clone())
        }

        fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
            tokio::sync::watch::channel(0).1
        }
    }

    fn words(title: &str) -> AlarmWords {
        AlarmWords {
            title: title.to_owned(),
            summary: "hcw-7 (<script>alert(1)</script>): 41 patients".to_owned(),
            reasons: vec!["41 patients in 6 minutes; usual 3".to_owned()],
            tried: vec!["a stay in the unit: not found for 41 visits".to_owned()],
            innocent_story: "A registry project".to_owned(),
            next_step: "Block the account".to_owned(),
            counterfactual: "4 patients or fewer".to_owned(),
        }
    }

    fn view() -> QueueView {
        let at = Timestamp::from_secs(1_704_067_200);
        QueueView {
            now: Some(at),
            look_ups: 12_345,
            identities: 300,
            patients: 20_000,
            explained_share: 0.93,
            budget: 2.0,
            simulated: true,
            alarms: vec![Alarm {
                uid: "abc".to_owned(),
                raised_at: at,
                first_seen: at,
                last_seen: at,
                risk: 97.0,
                patients: 41,
                expected_false: 0.01,
                english: words("Many new patients within minutes"),
                bokmaal: words("Mange nye pasienter på minutter"),
                hours: vec![HourBar { from: at, patients: 41, busiest_other: 6 }],
            }],
        }
    }

    fn get(view: QueueView, path: &str, accept_language: &str) -> (StatusCode, HeaderMap, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let request = Request::get(path)
                .header("accept-language", accept_language)
                .body(Body::empty())
                .unwrap();
            let response = router(Arc::new(Fixed(view))).oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
        })
    }

    #[test]
    fn every_page_is_guarded_light_and_escaped() {
        for path in [
            "/",
            "/alarms/abc",
            "/queue.json",
            "/alarms/abc.json",
            "/style.css",
            "/live.js",
            "/nowhere",
        ] {
            let (status, headers, text) = get(view(), path, "en");
            let expected = if path == "/nowhere" { StatusCode::NOT_FOUND } else { StatusCode::OK };
            assert_eq!(status, expected, "{path}");
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'"), "{path}");
            assert_eq!(headers["cache-control"], "no-store", "{path}");
            assert!(text.len() < 60_000, "{path} weighs {} bytes", text.len());
            let page = headers["content-type"].to_str().unwrap().starts_with("text/html");
            assert!(!page || !text.contains("<script>alert"), "{path} does not escape");
        }
    }

    #[test]
    fn the_address_beats_the_browser_in_the_choice_of_language() {
        for (path, accepts, expected) in [
            ("/", "nb-NO", "Mange nye pasienter"),
            ("/", "en", "Many new patients"),
            ("/?lang=nb", "en", "Mange nye pasienter"),
            ("/alarms/abc?lang=en", "nb", "Many new patients"),
            ("/alarms/abc?lang=tlh", "nb", "Mange nye pasienter"),
        ] {
            assert!(get(view(), path, accepts).2.contains(expected), "{path} {accepts}");
        }
    }

    #[test]
    fn an_alarm_says_all_that_its_reader_needs() {
        let (_, _, page) = get(view(), "/alarms/abc", "en");
        for wanted in [
            "41 patients in 6 minutes",
            "not found for 41 visits",
            "A registry project",
            "Block the account",
            "4 patients or fewer",
            "below the application",
            "<svg",
            "<table",
        ] {
            assert!(page.contains(wanted), "`{wanted}` is missing");
        }
    }

    #[test]
    fn an_empty_queue_and_an_unknown_alarm_have_pages() {
        let empty = QueueView { alarms: Vec::new(), ..view() };
        assert!(get(empty.clone(), "/", "en").2.contains("Nothing needs you"));
        assert_eq!(get(empty, "/alarms/abc", "en").0, StatusCode::NOT_FOUND);
        assert_eq!(get(view(), "/alarms/..%2Fqueue", "en").0, StatusCode::NOT_FOUND);
    }

    /// WCAG 2.2, 1.4.3: text has a contrast of 4.5 at least, lines and bars of 3 (1.4.11).
    #[test]
    fn colours_are_told_apart_in_light_and_dark() {
        let style = include_str!("style.css");
        let (light, dark) = style.split_once("@media (prefers-color-scheme: dark)").unwrap();
        for theme in [light, dark] {
            let paper = colour(theme, "--paper");
            for (name, wanted) in [
                ("--ink", 4.5),
                ("--soft", 4.5),
                ("--mark", 4.5),
                ("--link", 4.5),
                ("--bar", 3.0),
                ("--peers", 3.0),
            ] {
                let contrast = contrast(colour(theme, name), paper);
                assert!(contrast >= wanted, "{name} has {contrast:.2}");
            }
        }
    }

    fn colour(theme: &str, name: &str) -> [f64; 3] {
        let hex = theme.split_once(&format!("{name}: #")).unwrap().1;
        [0, 2, 4].map(|at| {
            f64::from(u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap()) / 255.0
        })
    }

    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let luminance = |colour: [f64; 3]| {
            let [red, green, blue] = colour.map(|part: f64| {
                if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let (high, low) = (luminance(a).max(luminance(b)), luminance(a).min(luminance(b)));
        (high + 0.05) / (low + 0.05)
    }
}
