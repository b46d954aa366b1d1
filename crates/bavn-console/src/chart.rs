//! A strip of bars, one an hour, as SVG made here.

use crate::page::short;
use crate::text::{Language, Texts, grouped, texts};
use crate::view::HourBar;
use bavn_detect::cases::Alarm;
use maud::{Markup, html};

/// Patients an hour in front of the band of the others, a caption, and the same as a table.
pub(crate) fn hours(bars: &[HourBar], language: Language) -> Markup {
    let texts = texts(language);
    let highest =
        bars.iter().map(|bar| bar.patients.max(bar.busiest_other)).max().unwrap_or(0).max(1);
    let height = |count: u32| f64::from(count) / f64::from(highest) * PLOT_HEIGHT;
    let step = WIDTH / bars.len().max(1) as f64;
    let has_others = bars.iter().any(|bar| bar.busiest_other > 0);
    let line: Vec<String> = (0_u32..)
        .zip(bars)
        .map(|(index, bar)| {
            let x = (f64::from(index) + 0.5) * step;
            format!("{x:.1},{:.1}", TOP + PLOT_HEIGHT - height(bar.busiest_other))
        })
        .collect();
    html! {
        figure {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(texts.chart) {
                @for (index, bar) in (0_u32..).zip(bars) { @if bar.others_high > 0 {
                    @let (low, high) = (height(bar.others_low), height(bar.others_high));
                    rect class="band" x=(format!("{:.1}", f64::from(index) * step)) y=(format!("{:.1}", TOP + PLOT_HEIGHT - high))
                        width=(format!("{step:.1}")) height=(format!("{:.1}", (high - low).max(1.5))) {}
                } }
                @for (index, bar) in (0_u32..).zip(bars) {
                    @let x = f64::from(index) * step + step * 0.12;
                    @let tall = height(bar.patients);
                    rect class="bar" x=(format!("{x:.1}")) y=(format!("{:.1}", TOP + PLOT_HEIGHT - tall))
                        width=(format!("{:.1}", step * 0.76)) height=(format!("{tall:.1}")) {}
                    @if bar.patients == highest {
                        text class="label" x=(format!("{:.1}", x + step * 0.38))
                            y=(format!("{:.1}", TOP + PLOT_HEIGHT - tall - 4.0)) { (grouped(u64::from(bar.patients))) }
                    }
                    @if index % 6 == 0 {
                        text class="label" x=(format!("{:.1}", x + step * 0.38)) y=(HEIGHT - 4.0) {
                            (hour(bar))
                        }
                    }
                }
                @if has_others { polyline class="peers" points=(line.join(" ")) {} }
            }
            figcaption { @if has_others { (texts.chart_caption) } @else { (texts.chart_alone) } }
            details {
                summary { (texts.as_table) }
                table {
                    thead { tr {
                        th scope="col" { (texts.hour) } th scope="col" class="number" { (texts.patients) }
                        @if has_others { @for name in [texts.others_low, texts.others_high, texts.busiest_other] {
                            th scope="col" class="number" { (name) }
                        } }
                    } }
                    tbody {
                        @for bar in bars {
                            tr {
                                td { (short(bar.from)) } td class="number" { (grouped(bar.patients.into())) }
                                @if has_others { @for count in [bar.others_low, bar.others_high, bar.busiest_other] {
                                    td class="number" { (grouped(count.into())) }
                                } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Alarms over time: a line each, from its first look-up to its last, and a mark where it was raised.
pub(crate) fn lanes(alarms: &[Alarm], language: Language, texts: &Texts) -> Markup {
    let from = alarms.iter().map(|alarm| alarm.first_seen.secs()).min().unwrap_or(0);
    let to = alarms.iter().map(|alarm| alarm.raised_at.max(alarm.last_seen).secs()).max();
    let span = (to.unwrap_or(from) - from).max(1) as f64;
    let x = |at: bavn_model::Timestamp| (at.secs() - from) as f64 / span * (WIDTH - 16.0) + 8.0;
    let shown = alarms.get(..LANES_MAX).unwrap_or(alarms);
    let tall = shown.len() as f64 * LANE_HEIGHT;
    html! {
        figure {
            svg viewBox=(format!("0 0 {WIDTH} {tall}")) role="img" aria-label=(texts.lanes) {
                @for (place, alarm) in (0_u32..).zip(shown) {
                    @let y = f64::from(place) * LANE_HEIGHT + LANE_HEIGHT - 6.0;
                    text class="lane-name" x="8" y=(format!("{:.0}", y - 8.0)) { (alarm.said(language).title) }
                    line class="lane" x1=(format!("{:.1}", x(alarm.first_seen)))
                        x2=(format!("{:.1}", x(alarm.last_seen).max(x(alarm.first_seen) + 2.0)))
                        y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
                    circle class="raised" cx=(format!("{:.1}", x(alarm.raised_at))) cy=(format!("{y:.1}")) r="5" {}
                }
            }
            figcaption { (texts.lanes_caption) }
            details {
                summary { (texts.as_table) }
                table {
                    thead { tr { th scope="col" { (texts.alarm) } th scope="col" { (texts.from) }
                        th scope="col" { (texts.to) } th scope="col" { (texts.raised) } } }
                    tbody { @for alarm in alarms { tr {
                        td { (alarm.said(language).title) } td { (short(alarm.first_seen)) }
                        td { (short(alarm.last_seen)) } td { (short(alarm.raised_at)) }
                    } } }
                }
            }
        }
    }
}

fn hour(bar: &HourBar) -> String {
    format!("{:02}", bar.from.hour_of_day())
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 180.0;
const TOP: f64 = 24.0;
const PLOT_HEIGHT: f64 = 130.0;
const LANE_HEIGHT: f64 = 44.0;
/// Lines that a picture can hold; the table beneath has all.
const LANES_MAX: usize = 20;
