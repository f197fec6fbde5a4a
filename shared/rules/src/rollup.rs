//! Worst-of: how well many things are, as one.

use model::Health;

/// How many things are how well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many are healthy.
    pub healthy: u64,
    /// Of how many nothing says how they are.
    pub unknown: u64,
    /// How many somebody should look at.
    pub warning: u64,
    /// How many do not do what they are for.
    pub unhealthy: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, health: Health, count: u64) {
        let place = match health {
            Health::Healthy => &mut self.healthy,
            Health::Unknown => &mut self.unknown,
            Health::Warning => &mut self.warning,
            Health::Unhealthy => &mut self.unhealthy,
        };
        *place = place.saturating_add(count);
    }

    /// The worst that somebody knows. What nobody knows does not darken what is known: a namespace of healthy pods and
    /// config maps is healthy. `None` of nothing.
    #[must_use]
    pub fn worst(&self) -> Option<Health> {
        let present = [
            (Health::Unhealthy, self.unhealthy),
            (Health::Warning, self.warning),
            (Health::Healthy, self.healthy),
            (Health::Unknown, self.unknown),
        ];
        present.into_iter().find(|(_, count)| *count > 0).map(|(health, _)| health)
    }
}

/// The worst of several, as [`Counts::worst`] has it, and how many are how well.
pub fn rollup(of: impl IntoIterator<Item = Health>) -> (Option<Health>, Counts) {
    let mut counts = Counts::default();
    for health in of {
        counts.add(health, 1);
    }
    (counts.worst(), counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_is_known_speaks_for_all() {
        use Health::{Healthy, Unhealthy, Unknown, Warning};
        assert_eq!(rollup([]).0, None);
        assert_eq!(rollup([Unknown, Unknown]).0, Some(Unknown));
        assert_eq!(rollup([Unknown, Healthy]).0, Some(Healthy));
        assert_eq!(rollup([Unknown, Healthy, Warning]).0, Some(Warning));
        let (worst, counts) = rollup([Warning, Unhealthy, Healthy, Healthy]);
        assert_eq!((worst, counts.healthy, counts.unhealthy), (Some(Unhealthy), 2, 1));
    }
}
