//! Which seasons a span of time lies in: months, days of the week, hours of the week.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | | `utc_offset_secs` | local time − UTC, one for the whole year | ±50,400 s |
//! | s | season number | month from January; day of the week from Monday; hour of the week | 1–12, 1–7, 0–167 |
//! | o_ws | [`Calendar::overlap`] | part of window w that lies in season s; sums to 1 over s | (0, 1\] |
//!
//! Dates are those of the proleptic Gregorian calendar, Unix time has no leap seconds. The day number becomes a date by
//! counting from 1 March, so that the leap day is the last of a year, in eras of 400 years = 146,097 days (Hinnant,
//! "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
//!
//! **Cost**: one step for each season that a window touches; whole weeks are not walked through. **Limits.** The offset
//! is fixed: where clocks change in summer, an hour of the week is an hour off for half of the year. The overlap counts
//! seconds: it is the mix of the window's events only if these come evenly over the window.

/// What repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeasonKind {
    /// Nothing: one season, number 0.
    None,
    /// The month of the year, 1–12.
    Month,
    /// The day of the week, 1–7, Monday first.
    DayOfWeek,
    /// The hour of the week, 0–167, from Monday 00:00.
    HourOfWeek,
}

impl SeasonKind {
    /// All, with their names in a document.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("month", Self::Month),
        ("day-of-week", Self::DayOfWeek),
        ("hour-of-week", Self::HourOfWeek),
    ];

    /// Its name in a document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
            Self::HourOfWeek => "hour-of-week",
        }
    }

    /// Its first and last season.
    #[must_use]
    pub fn seasons(self) -> core::ops::RangeInclusive<u16> {
        match self {
            Self::None => 0..=0,
            Self::Month => 1..=12,
            Self::DayOfWeek => 1..=7,
            Self::HourOfWeek => 0..=167,
        }
    }
}

/// Seasons of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// What repeats.
    pub kind: SeasonKind,
    /// Local time − UTC, in seconds, within ±[`Calendar::MAX_OFFSET_SECS`].
    pub utc_offset_secs: i32,
}

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
const WEEK: i64 = 604_800;

impl Calendar {
    /// Largest offset from UTC that a place has: 14 hours.
    pub const MAX_OFFSET_SECS: i32 = 50_400;

    /// No seasons.
    #[must_use]
    pub const fn none() -> Self {
        Self { kind: SeasonKind::None, utc_offset_secs: 0 }
    }

    /// The season of a moment.
    #[must_use]
    pub fn season_at(&self, unix_secs: u64) -> u16 {
        self.season(self.local(unix_secs))
    }

    /// The seasons that the time from `start_secs` until before `end_secs` lies in, in the order of their numbers, each
    /// with the part of the time; the parts sum to 1. An empty time is a moment.
    #[must_use]
    pub fn overlap(&self, start_secs: u64, end_secs: u64) -> Vec<(u16, f64)> {
        let (start, end) = (self.local(start_secs), self.local(end_secs));
        if self.kind == SeasonKind::None || end <= start {
            return vec![(self.season(start), 1.0)];
        }
        let mut secs = vec![0_i64; usize::from(*self.kind.seasons().end()) + 1];
        let weekly = self.kind != SeasonKind::Month;
        let weeks = if weekly { (end - start) / WEEK } else { 0 };
        if weeks > 0 {
            let each = if self.kind == SeasonKind::HourOfWeek { HOUR } else { DAY };
            self.kind.seasons().for_each(|season| secs[usize::from(season)] = weeks * each);
        }
        let mut at = start + weeks * WEEK;
        while at < end {
            let next = self.next(at).min(end);
            secs[usize::from(self.season(at))] += next - at;
            at = next;
        }
        let whole = (end - start) as f64;
        let part = |(season, secs): (u16, i64)| (secs > 0).then(|| (season, secs as f64 / whole));
        (0..).zip(secs).filter_map(part).collect()
    }

    /// Seconds of local time since the first of January 1970; those beyond what a document can say are cut off.
    fn local(&self, unix_secs: u64) -> i64 {
        i64::try_from(unix_secs).unwrap_or(i64::MAX).min(1 << 53) + i64::from(self.utc_offset_secs)
    }

    fn season(&self, local: i64) -> u16 {
        // The first of January 1970 was a Thursday.
        let week = || (local + 3 * DAY).rem_euclid(WEEK);
        // Each fits: the remainders are small and not negative.
        match self.kind {
            SeasonKind::None => 0,
            SeasonKind::Month => civil(local.div_euclid(DAY)).1 as u16,
            SeasonKind::DayOfWeek => (week() / DAY) as u16 + 1,
            SeasonKind::HourOfWeek => (week() / HOUR) as u16,
        }
    }

    /// The first second of the season after this one's.
    fn next(&self, local: i64) -> i64 {
        let day = local.div_euclid(DAY);
        match self.kind {
            SeasonKind::None => i64::MAX,
            SeasonKind::Month => {
                let (_, month, in_month) = civil(day);
                let first = day - in_month + 1;
                // A month has 28 to 31 days.
                let mut next = first + 28;
                while civil(next).1 == month {
                    next += 1;
                }
                next * DAY
            }
            SeasonKind::DayOfWeek => (day + 1) * DAY,
            SeasonKind::HourOfWeek => (local.div_euclid(HOUR) + 1) * HOUR,
        }
    }
}

/// Year, month and day of the month of a day since the first of January 1970.
fn civil(day: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    // Days since the first of March of the year 0.
    let day = day + 719_468;
    let (era, in_era) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March on have 31, 30, 31, 30, 31 days, again and again: 153 days in five.
    let from_march = (5 * in_year + 2) / 153;
    let in_month = in_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (400 * era + year_of_era + i64::from(month <= 2), month, in_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(kind: SeasonKind) -> Calendar {
        Calendar { kind, utc_offset_secs: 0 }
    }

    /// Every day of eight centuries, counted by the rule of leap years and the lengths of months.
    #[test]
    fn dates_are_those_of_the_calendar() {
        let (mut year, mut month, mut in_month) = (1600, 1, 1);
        // 1600-01-01 is 135,140 days before 1970-01-01: 370 years with 90 leap days.
        for day in -135_140..160_000 {
            assert_eq!(civil(day), (year, month, in_month), "{day}");
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
            in_month += 1;
            if in_month > length {
                (month, in_month) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!(civil(0), (1970, 1, 1));
    }

    /// 2013-10-31 was a Thursday, 1383177600 its midnight in UTC.
    #[test]
    fn a_moment_has_one_season() {
        const MIDNIGHT: u64 = 1_383_177_600;
        assert_eq!(calendar(SeasonKind::None).season_at(MIDNIGHT), 0);
        assert_eq!(calendar(SeasonKind::Month).season_at(MIDNIGHT), 10);
        assert_eq!(calendar(SeasonKind::Month).season_at(MIDNIGHT + 86_400), 11);
        assert_eq!(calendar(SeasonKind::DayOfWeek).season_at(MIDNIGHT), 4);
        assert_eq!(calendar(SeasonKind::HourOfWeek).season_at(MIDNIGHT + 3_600), 73);
        let new_york = Calendar { kind: SeasonKind::HourOfWeek, utc_offset_secs: -4 * 3_600 };
        assert_eq!(new_york.season_at(MIDNIGHT), 68, "Wednesday, 20:00");
        assert_eq!(new_york.season_at(0), 68, "the day before the first of 1970 was a Wednesday too");
    }

    /// The week from 2013-10-31 has one day in October and six in November.
    #[test]
    fn a_window_is_divided_by_its_seconds() {
        let (start, end) = (1_383_177_600, 1_383_177_600 + 604_800);
        assert_eq!(calendar(SeasonKind::Month).overlap(start, end), [(10, 1.0 / 7.0), (11, 6.0 / 7.0)]);
        assert_eq!(calendar(SeasonKind::None).overlap(start, end), [(0, 1.0)]);
        assert_eq!(calendar(SeasonKind::Month).overlap(start, start), [(10, 1.0)]);
        assert_eq!(
            calendar(SeasonKind::HourOfWeek).overlap(start + 1_800, start + 9_000),
            [(72, 0.25), (73, 0.5), (74, 0.25)]
        );
        let days = calendar(SeasonKind::DayOfWeek).overlap(start, start + 2 * 604_800 + 86_400);
        let expected: Vec<(u16, f64)> = (1..=7).map(|day| (day, if day == 4 { 3.0 } else { 2.0 } / 15.0)).collect();
        assert_eq!(days, expected);
    }

    /// Walking through every second of a day gives the same as the boundaries do; a leap February included.
    #[test]
    fn every_season_of_a_long_window_is_met() {
        let year = 1_330_560_000..1_362_096_000; // 2012-03-01 to 2013-03-01
        let months = calendar(SeasonKind::Month).overlap(year.start, year.end);
        let days: Vec<f64> = months.iter().map(|(_, part)| (part * 365.0).round()).collect();
        assert_eq!(days, [31.0, 28.0, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0]);
        for kind in [SeasonKind::Month, SeasonKind::DayOfWeek, SeasonKind::HourOfWeek] {
            let parts = calendar(kind).overlap(year.start + 77, year.end + 12_345_678);
            assert!((parts.iter().map(|(_, part)| part).sum::<f64>() - 1.0).abs() < 1e-12);
            let mut counted = vec![0_u32; 168];
            (year.start..year.end).step_by(450).for_each(|at| counted[usize::from(calendar(kind).season_at(at))] += 1);
            let steps: u32 = counted.iter().sum();
            for (season, part) in calendar(kind).overlap(year.start, year.end) {
                assert_eq!((part * f64::from(steps)).round() as u32, counted[usize::from(season)], "{season}");
            }
        }
        let _ = calendar(SeasonKind::Month).overlap(u64::MAX - 5, u64::MAX);
    }
}
