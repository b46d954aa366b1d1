//! Two pictures: recall against the budget, and patients lost against time.

use super::lots::Lot;
use super::outcome::{RegionOutcome, Thief};
use crate::score::Thefts;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One line of a picture.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// SVG and CSV: share of thieves named, of kinds found and of patients saved, at the false-alarm
/// rate that each threshold on the queue's own ranking would give. The line at the budget is where
/// bavn itself stands.
pub fn recall_against_budget(outcomes: &[RegionOutcome], budget: f64) -> (String, String) {
    let untidy: Vec<&RegionOutcome> =
        outcomes.iter().filter(|outcome| outcome.is(Lot::Untidy)).collect();
    let mut risks: Vec<f64> = untidy
        .iter()
        .flat_map(|outcome| outcome.watched.alarms.iter().map(|alarm| alarm.risk))
        .collect();
    risks.sort_by(|a, b| b.total_cmp(a));
    risks.dedup();
    let staff_days: f64 = untidy.iter().map(|outcome| outcome.staff_days()).sum();
    let names = ["identities named", "kinds found", "patients saved"];
    let mut lines = names.map(|name| Line { name: name.to_owned(), points: Vec::new() });
    let mut csv = String::from("false_per_10k_staff_day,identities,kinds,patients_saved\n");
    let step = (risks.len() / POINTS_MAX).max(1);
    for &risk in risks.iter().step_by(step) {
        let at = Threshold::cut(&untidy, risk);
        let rate = at.false_alarms as f64 / staff_days.max(1.0) * 1e4;
        let _ = writeln!(csv, "{rate:.3},{:.4},{:.4},{:.4}", at.named, at.kinds, at.saved);
        for (line, share) in lines.iter_mut().zip([at.named, at.kinds, at.saved]) {
            line.points.push((rate, share));
        }
    }
    let far = lines[0].points.last().map_or(budget, |point| point.0).max(budget * 1.5);
    let picture = Picture {
        title: "Recall against the false-alarm budget, untidy regions",
        x: "false alarms per 10,000 staff a day",
        y: "share",
        x_max: far,
        y_max: 1.0,
        mark: Some((budget, "budget")),
    };
    (picture.draw(&lines), csv)
}

/// What a threshold on the ranking gives, over all regions.
struct Threshold {
    false_alarms: usize,
    named: f64,
    kinds: f64,
    saved: f64,
}

impl Threshold {
    fn cut(regions: &[&RegionOutcome], risk: f64) -> Self {
        let (mut false_alarms, mut named, mut thieves) = (0, 0, 0);
        let (mut found, mut kinds, mut lost, mut stolen) = (0, 0, 0, 0);
        for outcome in regions {
            let thefts = Thefts::new(&outcome.truth);
            let judged = thefts.judge(&outcome.watched.alarms, |alarm| alarm.risk >= risk);
            false_alarms += judged.false_uids.len();
            let mut of_kind: BTreeMap<&str, bool> = BTreeMap::new();
            for thief in &outcome.thieves {
                let at = judged.named.get(&thief.who);
                let secs = at.map_or(i64::MAX, |at| at.secs_since(thief.begins));
                named += usize::from(at.is_some());
                *of_kind.entry(&thief.name).or_default() |= at.is_some();
                stolen += thief.taken_after_secs.len();
                lost += thief.taken_after_secs.iter().filter(|&&after| after <= secs).count();
            }
            thieves += outcome.thieves.len();
            kinds += of_kind.len();
            found += of_kind.values().filter(|&&found| found).count();
        }
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        Self {
            false_alarms,
            named: share(named, thieves),
            kinds: share(found, kinds),
            saved: 1.0 - share(lost, stolen),
        }
    }
}

/// SVG and CSV: for each kind of theft, the patients that a thief has so long after his first one,
/// on the mean, when the alarm stops him.
pub fn lost_against_time(outcomes: &[RegionOutcome]) -> (String, String) {
    let mut by_kind: BTreeMap<&str, Vec<&Thief>> = BTreeMap::new();
    for thief in outcomes.iter().flat_map(|outcome| &outcome.thieves) {
        if !ONE_LOOK.contains(&thief.name.as_str()) {
            by_kind.entry(&thief.theft).or_default().push(thief);
        }
    }
    let mut csv = String::from("theft,hours,patients_lost\n");
    let mut lines = Vec::new();
    for (kind, thieves) in by_kind {
        let mean_lost = |hours: f64| {
            let secs = (hours * 3_600.0) as i64;
            let lost: usize = thieves.iter().map(|thief| thief.lost_after(secs)).sum();
            lost as f64 / thieves.len() as f64
        };
        let points: Vec<(f64, f64)> =
            HOURS.iter().map(|&hours| (hours, mean_lost(hours))).collect();
        for (hours, lost) in &points {
            let _ = writeln!(csv, "{kind},{hours},{lost:.2}");
        }
        let on_scale = |(hours, lost): (f64, f64)| ((hours * 60.0).log10(), (lost + 1.0).log10());
        lines.push(Line {
            name: kind.to_owned(),
            points: points.into_iter().map(on_scale).collect(),
        });
    }
    let picture = Picture {
        title: "Patients lost against time, mean of a thief, stopped at the alarm",
        x: "minutes since the first stolen record (powers of ten)",
        y: "patients + 1 (powers of ten)",
        x_max: 5.0,
        y_max: 3.0,
        mark: None,
    };
    (picture.draw(&lines), csv)
}

/// A frame, its axes and a title.
struct Picture<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    x_max: f64,
    y_max: f64,
    mark: Option<(f64, &'a str)>,
}

impl Picture<'_> {
    fn draw(&self, lines: &[Line]) -> String {
        let height = (TOP + TALL + 60.0).max(TOP + 20.0 + 14.0 * lines.len() as f64);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 {height:.0}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"900\" height=\"{height:.0}\" fill=\"#fff\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{}</text>\n",
            escaped(self.title)
        );
        self.axes(&mut svg);
        for (place, line) in lines.iter().enumerate() {
            self.line(&mut svg, place, line);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let across = (x / self.x_max).clamp(0.0, 1.0) * WIDE;
        let up = (y / self.y_max).clamp(0.0, 1.0) * TALL;
        (LEFT + across, TOP + TALL - up)
    }

    fn axes(&self, svg: &mut String) {
        for step in 0..=5 {
            let part = f64::from(step) / 5.0;
            let (x, y) = self.at((part * self.x_max, part * self.y_max));
            let bottom = TOP + TALL;
            let right = LEFT + WIDE;
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {y:.1}H{right}M{x:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.1}</text>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.1}</text>",
                bottom + 16.0,
                part * self.x_max,
                LEFT - 6.0,
                y + 4.0,
                part * self.y_max
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(16 {:.0}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            LEFT + WIDE / 2.0,
            TOP + TALL + 36.0,
            escaped(self.x),
            TOP + TALL / 2.0,
            escaped(self.y)
        );
        if let Some((mark, words)) = self.mark {
            let (x, _) = self.at((mark, 0.0));
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{:.0}\" stroke=\"#333\" stroke-dasharray=\"4 3\"/>\
                 <text x=\"{:.1}\" y=\"{:.0}\">{words}</text>",
                TOP + TALL,
                x + 4.0,
                TOP + 12.0
            );
        }
    }

    fn line(&self, svg: &mut String, place: usize, line: &Line) {
        let colour = (place * 137) % 360;
        let dashed = if place % 2 == 1 { " stroke-dasharray=\"6 2\"" } else { "" };
        let path: Vec<String> = line
            .points
            .iter()
            .map(|&point| {
                let (x, y) = self.at(point);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        let (key, y) = (LEFT + WIDE + 14.0, TOP + 8.0 + 14.0 * place as f64);
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"hsl({colour},70%,38%)\" stroke-width=\"1.8\"{dashed}/>\
             <path d=\"M{key:.0} {y:.0}h18\" stroke=\"hsl({colour},70%,38%)\" stroke-width=\"2.5\"{dashed}/>\
             <text x=\"{:.0}\" y=\"{:.0}\" font-size=\"10\">{}</text>",
            path.join(" "),
            key + 22.0,
            y + 4.0,
            escaped(&line.name)
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Thefts of one record, which no time can make less.
const ONE_LOOK: [&str; 6] = ["vip", "news", "household", "co_worker", "neighbour", "own_record"];
const HOURS: [f64; 14] =
    [0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 8.0, 24.0, 48.0, 120.0, 240.0, 480.0, 960.0];
const POINTS_MAX: usize = 120;
const LEFT: f64 = 60.0;
const TOP: f64 = 40.0;
const WIDE: f64 = 560.0;
const TALL: f64 = 340.0;
