//! Thieves: who they are, when they come, and what they take.

mod loot;
mod plan;
mod raids;

pub use plan::{ATTACK_OPTIONS, AttackPlan, PlanError};

use crate::chance;
use crate::life::DAY;
use crate::people::{Role, Staff, is_weekend};
use crate::services;
use crate::shape::Shape;
use crate::work::{self, Lookup, Reader, Scene};
use fastrand::Rng;

/// Every kind of theft, with what it is, in English and bokmål.
pub const ATTACKS: [(&str, [&str; 2]); 25] = [
    (
        "burst_night",
        [
            "a stolen account takes hundreds of records in an hour of the night",
            "en stjålet konto henter hundrevis av journaler på en time om natten",
        ],
    ),
    (
        "burst_day",
        [
            "a stolen account takes hundreds of records at noon, from its owner's own desk",
            "en stjålet konto henter hundrevis av journaler midt på dagen, fra eierens egen plass",
        ],
    ),
    (
        "blend",
        [
            "three times the own volume, strangers among the day's patients",
            "tre ganger så mange som ellers, fremmede blant dagens pasienter",
        ],
    ),
    (
        "slow",
        [
            "a third more than usual, all of it strangers, for weeks",
            "en tredjedel flere enn vanlig, alle fremmede, i ukevis",
        ],
    ),
    (
        "half_own_unit",
        [
            "a third more than usual for weeks, half of it from the own ward",
            "en tredjedel flere enn vanlig i ukevis, halvparten fra egen avdeling",
        ],
    ),
    (
        "sprayed",
        [
            "many accounts, a few strangers each, within two days",
            "mange kontoer, noen få fremmede hver, i løpet av to dager",
        ],
    ),
    (
        "dripped",
        [
            "several accounts, a stranger or two a day, for weeks",
            "flere kontoer, en fremmed eller to om dagen, i ukevis",
        ],
    ),
    (
        "batch_in_profile",
        [
            "the batch account reads other records at its hour, from its host",
            "systemkontoen leser andre journaler i sin vanlige time, fra sin vanlige maskin",
        ],
    ),
    (
        "api_ordered",
        [
            "an app's token pages through records in the order of identifiers",
            "en apps nøkkel blar gjennom journaler i id-rekkefølge",
        ],
    ),
    (
        "api_random",
        [
            "an app's token pages through records at random",
            "en apps nøkkel blar gjennom journaler i vilkårlig rekkefølge",
        ],
    ),
    (
        "vip",
        [
            "a dozen curious readers of one admitted person",
            "et dusin nysgjerrige lesere av én innlagt person",
        ],
    ),
    (
        "news",
        [
            "readers all over the region of one person in the news",
            "lesere over hele regionen av én person i nyhetene",
        ],
    ),
    (
        "household",
        ["one look at somebody of the own household", "ett oppslag på noen i egen husstand"],
    ),
    ("co_worker", ["one look at a colleague", "ett oppslag på en kollega"]),
    ("neighbour", ["one look at people next door", "ett oppslag på folk i nabohuset"]),
    (
        "targeting",
        ["a few members of the armed forces a day", "noen få ansatte i forsvaret om dagen"],
    ),
    (
        "leaver",
        [
            "an account still open after its owner left",
            "en konto som er åpen etter at eieren sluttet",
        ],
    ),
    (
        "search_harvest",
        [
            "searches by the dozen, the hit lists being the loot",
            "søk i dusinvis, der trefflistene er byttet",
        ],
    ),
    (
        "covering",
        [
            "each stranger is hidden among look-ups of the own ward",
            "hver fremmed skjules blant oppslag i egen avdeling",
        ],
    ),
    (
        "dormant",
        ["an account that slept for two months wakes", "en konto som sov i to måneder, våkner"],
    ),
    (
        "batch_elsewhere",
        [
            "the batch account's credential reads other records from another host",
            "systemkontoens passord leser andre journaler fra en annen maskin",
        ],
    ),
    ("own_record", ["one look at the reader's own record", "ett oppslag i leserens egen journal"]),
    (
        "linked",
        [
            "dozens of accounts, a stranger a week each, all from one address",
            "dusinvis av kontoer, en fremmed i uken hver, alle fra én adresse",
        ],
    ),
    (
        "two_places",
        [
            "a stolen account is used elsewhere while its owner is at work",
            "en stjålet konto brukes et annet sted mens eieren er på jobb",
        ],
    ),
    (
        "log_cut",
        [
            "a log is stopped for hours, minutes after its theft began",
            "en logg stanses i timevis, minutter etter at tyveriet begynte",
        ],
    ),
];

/// What a theft of this name is, in English and bokmål; the name, where it is none of [`ATTACKS`].
pub fn attack_in_words(name: &str) -> [&str; 2] {
    let known = ATTACKS.iter().find(|(known, _)| *known == name);
    known.map_or([name; 2], |(_, words)| *words)
}

/// One theft, with its thieves chosen.
#[derive(Clone, Debug)]
pub(crate) struct Attack {
    pub(crate) plan: AttackPlan,
    pub(crate) thieves: Vec<Reader>,
    from_day: i32,
    to_day: i32,
    /// The patient of `vip` and `news`; the first of a range for others.
    target: usize,
    /// For each stolen record: who, whose, when (milliseconds of the log).
    pub(crate) reads: Vec<(Reader, usize, i64)>,
    /// When the thieves began to prepare the ground, in milliseconds of the log.
    pub(crate) prepared: Option<i64>,
    /// The hospital whose log is stopped, and from when to when, in milliseconds of the log.
    pub(crate) cut: Option<(usize, std::ops::Range<i64>)>,
}

/// What thieves are chosen from, and when they may come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) seed: u64,
    pub(crate) days: i32,
    /// Before it nobody steals.
    pub(crate) begin: i32,
    pub(crate) patients: usize,
    pub(crate) shape: &'a Shape,
}

/// Chooses thieves for the named attacks; each member of staff is in one at most. Those who leave
/// or are absent are marked so in `staff`.
pub(crate) fn choose(
    rng: &mut Rng,
    plans: &[AttackPlan],
    stage: Stage<'_>,
    staff: &mut [Staff],
) -> Vec<Attack> {
    let mut free: Vec<usize> = (0..staff.len())
        .filter(|&index| {
            let person = &staff[index];
            person.from_day < 0 && person.to_day.is_none() && !matches!(person.role, Role::Coder)
        })
        .collect();
    rng.shuffle(&mut free);
    let mut attacks = Vec::new();
    for plan in plans {
        let (from_day, to_day) = when(rng, plan, stage);
        let wanted = plan.accounts.unwrap_or_else(|| thieves_of(plan.name, staff.len()));
        let suits = |index: usize| match plan.name {
            "household" | "neighbour" | "own_record" => staff[index].patient.is_some(),
            // Of a spray's accounts, those are used whose owners are at work.
            "sprayed" => staff[index].shift(stage.seed, index, from_day).is_some(),
            _ => true,
        };
        let mut thieves = Vec::new();
        free.retain(|&index| {
            let taken = thieves.len() < wanted && suits(index);
            if taken {
                thieves.push(Reader::Staff(index));
            }
            !taken
        });
        for thief in &thieves {
            let Reader::Staff(index) = thief else { continue };
            match plan.name {
                "leaver" => staff[*index].to_day = Some((from_day - 6).max(1)),
                "dormant" => staff[*index].absent_from = Some((from_day - DORMANT_DAYS).max(3)),
                _ => {}
            }
        }
        if plan.name.starts_with("batch_") {
            thieves.push(Reader::Service(services::BATCH));
        }
        attacks.push(Attack {
            plan: plan.clone(),
            thieves,
            from_day,
            to_day,
            target: rng.usize(0..stage.patients.saturating_sub(700).max(1)),
            reads: Vec::new(),
            prepared: None,
            cut: None,
        });
    }
    attacks
}

fn thieves_of(name: &str, staff: usize) -> usize {
    match name {
        "sprayed" => (staff / 20).clamp(8, 50),
        "vip" | "news" => 12.min(staff / 12),
        "dripped" => 6.min(staff / 20),
        "linked" => (staff / 14).clamp(10, 60),
        "household" | "co_worker" | "neighbour" | "own_record" => 3,
        "batch_in_profile" | "batch_elsewhere" => 0,
        _ => 1,
    }
}

/// The first day of a theft, a weekday, and the day after its last.
fn when(rng: &mut Rng, plan: &AttackPlan, stage: Stage<'_>) -> (i32, i32) {
    let Stage { days, begin, .. } = stage;
    let length = plan.days.unwrap_or(match plan.name {
        "blend" | "covering" => 6,
        "slow" | "half_own_unit" | "dripped" => 28,
        "targeting" => 12,
        "sprayed" => 2,
        "batch_in_profile" | "news" | "search_harvest" | "two_places" => 5,
        "linked" => 10,
        "vip" => 4,
        "household" | "co_worker" | "neighbour" | "own_record" => days,
        _ => 3,
    });
    let latest = ((days - begin) / 2).min((days - begin - length).max(0)).max(1);
    let mut from_day = begin + rng.i32(0..latest.max((days - begin) / 4).max(1));
    if plan.name == "dormant" {
        from_day = from_day.max(days - 5);
    }
    if plan.poison > 0 {
        from_day = from_day.max((plan.poison + 3).min(days - 10)).max(begin);
    }
    if let (true, Some((outage, _))) = (plan.outage, stage.shape.outage) {
        from_day = outage;
    }
    while is_weekend(from_day) && from_day + 2 < days {
        from_day += 1;
    }
    (from_day, (from_day + length).min(days))
}

impl Attack {
    /// Adds this day's thefts.
    pub(crate) fn day(&mut self, rng: &mut Rng, scene: &Scene<'_>, out: &mut Vec<Lookup>) {
        self.prepare(rng, scene, out);
        if scene.day < self.from_day || scene.day >= self.to_day {
            return;
        }
        if self.plan.name == "vip" && scene.day == self.from_day {
            self.pick_vip(rng, scene);
        }
        for place in 0..self.thieves.len() {
            match self.thieves[place] {
                Reader::Staff(index) => self.person(rng, scene, index, out),
                Reader::Service(_) => self.batch(rng, scene, out),
            }
        }
    }

    /// Teaches the watcher that this reader opens other wards' patients, a little more each day.
    fn prepare(&mut self, rng: &mut Rng, scene: &Scene<'_>, out: &mut Vec<Lookup>) {
        let poisoned = self.plan.poison - (self.from_day - scene.day);
        if self.plan.poison == 0 || poisoned < 0 || scene.day >= self.from_day {
            return;
        }
        for thief in self.thieves.clone() {
            let Reader::Staff(index) = thief else { continue };
            let Some(shift) = scene.staff[index].shift(scene.seed, index, scene.day) else {
                continue;
            };
            let wanted = self.daily(rng, scene, index) as f64;
            let now = (wanted * f64::from(poisoned + 1) / f64::from(self.plan.poison)).ceil();
            let begin = i64::from(scene.day) * DAY + shift.from + 1_800;
            for patient in loot::other_wards(rng, scene, index, begin, now as usize) {
                let at = begin + rng.i64(0..6 * 3_600);
                self.prepared.get_or_insert(at * 1_000);
                work::visit(rng, scene, index, patient, at, 0.6, out);
            }
        }
    }

    /// How many patients an account takes today.
    fn daily(&self, rng: &mut Rng, scene: &Scene<'_>, index: usize) -> usize {
        let pace = scene.staff[index].pace;
        if let Some(take) = self.plan.take {
            return take;
        }
        if let Some(share) = self.plan.share {
            return chance::count(rng, pace * share);
        }
        match self.plan.name {
            "blend" => (pace * 2.0) as usize,
            "slow" => chance::count(rng, pace * 0.3),
            "half_own_unit" => chance::count(rng, pace * 0.7),
            "sprayed" => rng.usize(4..12),
            "dripped" if chance::happens(rng, 0.7) => rng.usize(1..3),
            "dripped" => 0,
            "targeting" => 9,
            "search_harvest" => 20,
            "covering" | "two_places" => 3,
            "linked" => usize::from(chance::happens(rng, 0.2)),
            _ => 1,
        }
    }

    fn person(&mut self, rng: &mut Rng, scene: &Scene<'_>, index: usize, out: &mut Vec<Lookup>) {
        let person = &scene.staff[index];
        let on_shift = person.shift(scene.seed, index, scene.day);
        let done = self.reads.iter().any(|(reader, ..)| *reader == Reader::Staff(index));
        if !done && self.raid(rng, scene, index, on_shift, out) {
            return;
        }
        let Some(shift) = on_shift else { return };
        let begin = i64::from(scene.day) * DAY + shift.from + 3_600;
        let wanted = self.daily(rng, scene, index);
        let take = match self.plan.name {
            "blend" | "slow" | "half_own_unit" | "sprayed" | "dripped" | "covering" | "linked"
            | "two_places" => {
                loot::strangers_and_own(rng, scene, index, begin, wanted, self.plan.own)
            }
            "targeting" => loot::armed_forces(rng, scene, wanted),
            "vip" | "news" if !done && chance::happens(rng, 0.5) => vec![self.target],
            "household" if !done && chance::happens(rng, 0.4) => loot::relatives(scene, person),
            "neighbour" if !done && chance::happens(rng, 0.4) => {
                loot::neighbours(rng, scene, person)
            }
            "co_worker" if !done && chance::happens(rng, 0.4) => loot::colleague(rng, scene, index),
            "own_record" if !done && chance::happens(rng, 0.4) => {
                person.patient.into_iter().collect()
            }
            "search_harvest" => {
                loot::searches(rng, scene, index, begin, out);
                loot::strangers(rng, scene, wanted)
            }
            _ => return,
        };
        for patient in take {
            let at = begin + rng.i64(0..6 * 3_600);
            self.steal(rng, scene, index, patient, at, out);
        }
    }

    /// One stolen visit, with the look-ups that are to hide it.
    fn steal(
        &mut self,
        rng: &mut Rng,
        scene: &Scene<'_>,
        index: usize,
        patient: usize,
        at: i64,
        out: &mut Vec<Lookup>,
    ) {
        let first = out.len();
        work::visit(rng, scene, index, patient, at, 0.6, out);
        // The first row of the visit is the theft's time.
        let at_millis = out.get(first).map_or(at * 1_000, |row| row.at_millis);
        self.reads.push((Reader::Staff(index), patient, at_millis));
        let elsewhere = match self.plan.name {
            "linked" => Some("10.241.3.8"),
            "two_places" => Some("10.242.77.19"),
            _ => None,
        };
        for row in out.iter_mut().skip(first).filter(|_| elsewhere.is_some()) {
            row.address = elsewhere.map(str::to_owned);
        }
        let own = scene.life.present(scene.staff[index].unit, at);
        for _ in 0..self.plan.cover {
            let Some(&innocent) = rng.choice(&own) else { break };
            let beside = at + rng.i64(-900..900);
            work::visit(rng, scene, index, innocent, beside, 0.0, out);
        }
    }
}

/// For so long an account sleeps before a thief wakes it.
const DORMANT_DAYS: i32 = 64;
