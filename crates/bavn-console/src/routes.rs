//! The wire around the answers: bodies with a limit, cookies, headers, live changes.

use crate::answer::{Asked, answer};
use crate::reply::Answer;
use crate::session::Doors;
use crate::text::{Language, accepted};
use crate::view::Board;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use std::convert::Infallible;
use std::sync::Arc;

/// A board and the ways in to it.
type Console = State<(Arc<dyn Board>, Arc<Doors>)>;

/// All pages over one board.
pub fn router(board: Arc<dyn Board>, doors: Arc<Doors>) -> Router {
    Router::new()
        .route("/live", get(live))
        .route(
            "/live.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("live.js"))),
        )
        .route(
            "/style.css",
            get(async || asset("text/css; charset=utf-8", include_str!("style.css"))),
        )
        .route("/report.css", get(async || asset("text/css; charset=utf-8", REPORT_STYLE)))
        .fallback(page)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::map_response(guarded))
        .with_state((board, doors))
}

/// Files and bitmaps are not for the threads that serve the sockets.
async fn page(
    State((board, doors)): Console,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // A link that works once is not spent by who only looks where it leads.
    let spends = method == Method::HEAD && uri.path().starts_with("/enter/");
    if spends || ![Method::GET, Method::HEAD, Method::POST].contains(&method) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let asked = Asked {
        is_post: method == Method::POST,
        path: uri.path().to_owned(),
        language: language(uri.query(), &headers),
        has_query: pairs(uri.query()).any(|pair| !pair.starts_with("lang=")),
        cookie: cookie(&headers),
        kind: text(&headers, &header::CONTENT_TYPE).map(str::to_owned),
        body: body.to_vec(),
        same_origin: same_origin(&headers),
    };
    let answered = tokio::task::spawn_blocking(move || {
        let sent = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        answer(&*board, &doors, &asked, sent)
    });
    match answered.await {
        Ok(answer) => sent(answer),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn sent(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    let cookie =
        answer.cookie.map(|cookie| format!("{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Strict"));
    for (name, value) in [
        (header::CONTENT_TYPE, Some(answer.kind.to_owned())),
        (header::SET_COOKIE, cookie),
        (header::LOCATION, answer.location),
    ] {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Tells the page that the queue has changed (server-sent events). Says that, and nothing else.
async fn live(State((board, _)): Console) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = board.changes();
    // What changed while the page was on its way is told at once.
    changes.mark_changed();
    let changes = stream::unfold(changes, async |mut changes| {
        changes.changed().await.ok()?;
        let number = *changes.borrow_and_update();
        Some((Ok(Event::default().data(number.to_string())), changes))
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}

/// What the address asks for, else what the browser prefers.
fn language(query: Option<&str>, headers: &HeaderMap) -> Language {
    match pairs(query).find_map(|pair| pair.strip_prefix("lang=")) {
        Some("nb") => Language::Bokmaal,
        Some("en") => Language::English,
        _ => accepted(text(headers, &header::ACCEPT_LANGUAGE).unwrap_or_default()),
    }
}

fn pairs(query: Option<&str>) -> impl Iterator<Item = &str> {
    query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty())
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = text(headers, &header::COOKIE)?.split(';');
    let mut ours = cookies.filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    ours.next().map(str::to_owned)
}

/// Browsers say from where a form comes (Fetch Metadata; RFC 6454); other programs say nothing.
fn same_origin(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    let origin = text(headers, &header::ORIGIN).and_then(|origin| origin.split_once("://"));
    let host = text(headers, &header::HOST);
    site.is_none_or(|site| site == "same-origin")
        && origin.is_none_or(|(_, origin)| host == Some(origin))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
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
             img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Of the page that a patient gets; served here, and part of the page where it is a file.
pub const REPORT_STYLE: &str = include_str!("report.css");
const COOKIE: &str = "bavn";
/// A thousand values of a CERT's list; a letter takes up to three bytes in a form.
const BODY_BYTES_MAX: usize = 256 << 10;
