//! What kinds of relations mean: who depends on whom, and what lies in what.
//!
//! A relation is stated by the document of the resource it starts at: `A is contained in vpc V`. Mostly the one that
//! states depends on the one that is named. Where it is the other way round (`V contains subnet S`), or where both
//! sides state the same in the same words (`is attached to`), the tables here say so: the longest beginning of the kind
//! that they hold decides.

/// How a relation counts that is followed from what it starts at to what it ends at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    /// As it is stated: its start depends on its end, or lies in it.
    Forward,
    /// The other way round.
    Backward,
    /// Not at all: it says nothing of that.
    Neither,
}

impl Turn {
    /// As a step in the direction of the relation: 1, -1 or 0.
    #[must_use]
    pub fn sign(self) -> i16 {
        match self {
            Self::Forward => 1,
            Self::Backward => -1,
            Self::Neither => 0,
        }
    }
}

use Turn::{Backward, Forward, Neither};

/// Who depends on whom: [`Turn::Forward`] where the start depends on the end.
///
/// What is not listed depends on what it names: an instance on its security group, a task definition on its role, a
/// deployment on its config map. `is related to` says nothing.
pub const DEPENDENCY: &[(&str, Turn)] = &[
    ("", Forward),
    ("is related to", Neither),
    // A container is there before what it contains, and what it contains ends with it.
    ("contains", Backward),
    ("has", Backward),
    ("manages", Backward),
    // Config lets both sides state these; the nouns are those of what could not do without the other.
    ("attached to instance", Backward),
    ("is attached to group", Backward),
    ("is attached to instance", Backward),
    ("is attached to load balancer", Backward),
    ("is attached to network interface", Backward),
    ("is attached to role", Backward),
    ("is attached to user", Backward),
    ("is attached to vpc", Backward),
    ("is associated with auto scaling group", Backward),
    ("is associated with db instance", Backward),
    ("is associated with function", Backward),
    ("is associated with instance", Backward),
    ("is associated with instance profile", Forward),
    ("is associated with load balancer", Backward),
    ("is associated with network interface", Backward),
    // Kubernetes: an endpoint slice serves its service, a scaler its target, a binding its account.
    ("belongs to service", Backward),
    ("grants to service account", Backward),
    ("is claimed by", Backward),
    ("scales", Backward),
];

/// What lies in what: [`Turn::Forward`] where the start lies in the end. What is not listed says nothing of it.
pub const CONTAINMENT: &[(&str, Turn)] = &[
    ("", Neither),
    ("belongs to", Forward),
    ("contained in", Forward),
    ("contains", Backward),
    // A route table is no place, although Config lets it contain subnets.
    ("contains subnet", Neither),
    ("is attached to subnet", Forward),
    ("is contained in", Forward),
    ("is contained in route table", Neither),
    ("is member of", Forward),
    ("is owned by", Forward),
];

/// What a table says of a kind of relation: the longest beginning of it that is listed decides.
#[must_use]
pub fn turn(table: &[(&str, Turn)], kind: &str) -> Turn {
    let listed = table.iter().filter(|(beginning, _)| kind.starts_with(beginning));
    listed.max_by_key(|(beginning, _)| beginning.len()).map_or(Forward, |(_, turn)| *turn)
}

#[cfg(test)]
mod tests {
    use super::{
        CONTAINMENT, DEPENDENCY,
        Turn::{Backward, Forward, Neither},
        turn,
    };

    #[test]
    fn who_states_a_relation_mostly_depends_on_whom_it_names() {
        for (kind, expected) in [
            ("is contained in vpc", Forward),
            ("is associated with security group", Forward),
            ("is associated with instance", Backward),
            ("is associated with instance profile", Forward),
            ("is attached to volume", Forward),
            ("is attached to instance", Backward),
            ("contains db instance", Backward),
            ("uses config map", Forward),
            ("is related to", Neither),
            ("a word of somebody's own", Forward),
        ] {
            assert_eq!(turn(DEPENDENCY, kind), expected, "{kind}");
        }
    }

    #[test]
    fn only_what_speaks_of_a_place_says_what_lies_in_what() {
        for (kind, expected) in [
            ("is contained in subnet", Forward),
            ("is contained in route table", Neither),
            ("contains network interface", Backward),
            ("is owned by", Forward),
            ("is associated with security group", Neither),
        ] {
            assert_eq!(turn(CONTAINMENT, kind), expected, "{kind}");
        }
    }

    #[test]
    fn no_beginning_is_listed_twice() {
        for table in [DEPENDENCY, CONTAINMENT] {
            let mut listed: Vec<&str> = table.iter().map(|(beginning, _)| *beginning).collect();
            listed.sort_unstable();
            listed.dedup();
            assert_eq!(listed.len(), table.len());
        }
    }
}
