//! The line that costs follow: `a + b·n` by least squares.

/// From how many people on a cost is taken to grow by a line, if three sizes or more are that large. What smaller
/// registries cost hangs on processor caches and fixed costs, and says little about a nation.
const FITTED_FROM_PEOPLE: f64 = 5e6;
/// How many sizes must be that large, so that smaller ones are left out of a line.
const FITTED_SIZES_MIN: usize = 3;

/// A line through measured costs. Durations and sizes only: no money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// What it costs without anybody.
    pub fixed: f64,
    /// What each person costs.
    pub each: f64,
    /// The greatest deviation of a measured cost from the line, in percent of the measured cost.
    pub deviation_percent: f64,
    /// Through how many sizes the line goes: with two it meets both, and the deviation says nothing.
    pub sizes: usize,
    /// The least of them, in people.
    pub from_people: f64,
    /// How many smaller sizes were measured and left out.
    pub left_out: usize,
}

impl Fit {
    /// The line through costs by people: through the sizes from 5 million on if there are three of them,
    /// otherwise through all. `None` for less than two sizes.
    pub fn of(measured: &[(f64, f64)]) -> Option<Self> {
        let large: Vec<(f64, f64)> = measured
            .iter()
            .copied()
            .filter(|point| point.0 >= FITTED_FROM_PEOPLE)
            .collect();
        let points = if large.len() >= FITTED_SIZES_MIN {
            large.as_slice()
        } else {
            measured
        };
        let count = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (people, cost) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = points.iter().map(|point| (point.0 - people).powi(2)).sum();
        if points.len() < 2 || spread == 0.0 {
            return None;
        }
        let together: f64 = points
            .iter()
            .map(|point| (point.0 - people) * (point.1 - cost))
            .sum();
        let each = together / spread;
        let mut fit = Self {
            fixed: cost - each * people,
            each,
            deviation_percent: 0.0,
            sizes: points.len(),
            from_people: points.iter().map(|point| point.0).fold(f64::INFINITY, f64::min),
            left_out: measured.len() - points.len(),
        };
        fit.deviation_percent = points
            .iter()
            .filter(|point| point.1 != 0.0)
            .map(|point| ((fit.at(point.0) - point.1) / point.1).abs() * 100.0)
            .fold(0.0, f64::max);
        Some(fit)
    }

    /// What so many people cost by the line.
    pub fn at(&self, people: f64) -> f64 {
        self.fixed + self.each * people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_goes_through_points_of_a_line_and_between_others() {
        let fit = Fit::of(&[(1.0, 5.0), (2.0, 7.0), (5.0, 13.0)]).unwrap();
        assert!(
            (fit.fixed - 3.0).abs() < 1e-9 && (fit.each - 2.0).abs() < 1e-9,
            "{fit:?}"
        );
        assert!(fit.deviation_percent < 1e-9 && (fit.at(100.0) - 203.0).abs() < 1e-6);
        let fit = Fit::of(&[(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]).unwrap();
        assert!(
            (fit.fixed - 1.5).abs() < 1e-9 && (fit.each - 0.5).abs() < 1e-9,
            "{fit:?}"
        );
        assert!((fit.deviation_percent - 50.0).abs() < 1e-9, "{fit:?}");
    }

    #[test]
    fn small_sizes_are_left_out_where_three_large_ones_are_known() {
        let large = [(5e6, 5.0), (1e7, 10.0), (5e7, 50.0)];
        let with_small: Vec<(f64, f64)> = [(1e6, 7.0)].into_iter().chain(large).collect();
        let fit = Fit::of(&with_small).unwrap();
        assert_eq!((fit.sizes, fit.left_out), (3, 1));
        assert!(
            (fit.from_people - 5e6).abs() < 1e-3 && fit.deviation_percent < 1e-6,
            "{fit:?}"
        );
        assert!((fit.at(1e8) - 100.0).abs() < 1e-6);
        // Two large ones are too few: all count.
        let fit = Fit::of(&with_small[..3]).unwrap();
        assert_eq!((fit.sizes, fit.left_out), (3, 0));
        assert!(
            (fit.from_people - 1e6).abs() < 1e-3 && fit.deviation_percent > 1.0,
            "{fit:?}"
        );
    }

    #[test]
    fn one_size_gives_no_line() {
        assert_eq!(Fit::of(&[]), None);
        assert_eq!(Fit::of(&[(1.0, 5.0)]), None);
        assert_eq!(Fit::of(&[(1.0, 5.0), (1.0, 6.0)]), None);
    }
}
