//! A strip of bars, one an hour, as SVG made here.

use crate::text::Texts;
use crate::view::HourBar;
use maud::{Markup, html};

/// Patients an hour with the busiest other reader as a line, a caption, and the same as a table.
pub(crate) fn hours(bars: &[HourBar], texts: &Texts) -> Markup {
    let highest =
        bars.iter().map(|bar| bar.patients.max(bar.busiest_other)).max().unwrap_or(0).max(1);
    let height = |count: u32| f64::from(count) / f64::from(highest) * PLOT_HEIGHT;
    let step = WIDTH / bars.len().max(1) as f64;
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
                @for (index, bar) in (0_u32..).zip(bars) {
                    @let x = f64::from(index) * step + step * 0.12;
                    @let tall = height(bar.patients);
                    rect class="bar" x=(format!("{x:.1}")) y=(format!("{:.1}", TOP + PLOT_HEIGHT - tall))
                        width=(format!("{:.1}", step * 0.76)) height=(format!("{tall:.1}")) {}
                    @if bar.patients == highest {
                        text class="label" x=(format!("{:.1}", x + step * 0.38))
                            y=(format!("{:.1}", TOP + PLOT_HEIGHT - tall - 4.0)) { (bar.patients) }
                    }
                    @if index % 6 == 0 {
                        text class="label" x=(format!("{:.1}", x + step * 0.38)) y=(HEIGHT - 4.0) {
                            (hour(bar))
                        }
                    }
                }
                polyline class="peers" points=(line.join(" ")) {}
            }
            figcaption { (texts.chart_caption) }
            details {
                summary { (texts.chart) }
                table {
                    thead { tr { th scope="col" { (texts.hour) } th scope="col" { (texts.patients) }
                        th scope="col" { (texts.busiest_other) } } }
                    tbody {
                        @for bar in bars {
                            tr { td { (bar.from) } td { (bar.patients) } td { (bar.busiest_other) } }
                        }
                    }
                }
            }
        }
    }
}

fn hour(bar: &HourBar) -> String {
    format!("{:02}", bar.from.hour_of_day())
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 170.0;
const TOP: f64 = 18.0;
const PLOT_HEIGHT: f64 = 130.0;
