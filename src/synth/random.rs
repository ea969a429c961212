//! A small generator of pseudo-random numbers, keyed so that every commune has its own stream.

/// `SplitMix64`: one addition and one mix for each number, and any key is a good start.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

/// Mixes the bits of a number so that near numbers give unrelated ones; a bijection.
pub(super) const fn mix(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// The stream for a seed and a key.
    pub(super) const fn keyed(seed: u64, key: u64) -> Self {
        Self(mix(seed.wrapping_add(GOLDEN)) ^ mix(key.wrapping_mul(GOLDEN).wrapping_add(1)))
    }

    /// The next 64 bits.
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number from 0 to `limit - 1`; 0 if `limit` is 0.
    pub(super) const fn below(&mut self, limit: u32) -> u32 {
        (((self.next() >> 32) * limit as u64) >> 32) as u32
    }

    /// A number from 0 to `limit - 1` for a limit beyond 32 bits; 0 if `limit` is 0.
    pub(super) const fn below_wide(&mut self, limit: u64) -> u64 {
        ((self.next() as u128 * limit as u128) >> 64) as u64
    }

    /// True so many times in a million.
    pub(super) const fn chance(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < per_million
    }

    /// True so many times in a hundred.
    pub(super) const fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of the choices, which must not be empty.
    pub(super) const fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    /// Puts the items in a random order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u32 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let take = |seed, key| {
            let mut random = Random::keyed(seed, key);
            [random.next(), random.next(), random.next()]
        };
        assert_eq!(take(1, 2), take(1, 2));
        assert_ne!(take(1, 2), take(2, 1));
        assert_ne!(take(1, 2), take(1, 3));
    }

    #[test]
    fn numbers_stay_below_and_spread() {
        let mut random = Random::keyed(7, 7);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[random.below(10) as usize] += 1;
        }
        assert!(
            seen.iter().all(|&count| (800..1_200).contains(&count)),
            "{seen:?}"
        );
        assert!((0..1_000).all(|_| random.below_wide(1 << 40) < 1 << 40));
        assert_eq!(random.below(0), 0);
    }
}
