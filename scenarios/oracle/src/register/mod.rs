//! The register: every invariant, once, whether it can already be judged or not.

mod liveness;
mod safety;

use terms::Capability;

use crate::invariants::Invariant;

/// Which hypothesis the safety invariants are judged under, unless a rule says otherwise.
const SAFETY_HYPOTHESIS: &str = "a majority of etcd's disks survives";

/// Which hypothesis the liveness invariants are judged under, unless a rule says otherwise.
const LIVENESS_HYPOTHESIS: &str = "kubelets alive, etcd majority alive, no new fault";

/// How an invariant can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A pure function of one view.
    State,
    /// A finite automaton over the observations.
    Monitor,
    /// Judged against a time bound; only timed and real runs can, and a slow host excuses it.
    Timed,
}

impl Class {
    /// The word for it in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Monitor => "monitor",
            Self::Timed => "timed",
        }
    }
}

/// One row of the register.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its number, such as `S5`.
    pub id: &'static str,
    /// Its slug: contract.
    pub slug: &'static str,
    /// The capability that arms it; none arms it always.
    pub needs: Option<Capability>,
    /// How it can be decided.
    pub class: Class,
    /// What must hold.
    pub sentence: &'static str,
    /// Under which hypothesis.
    pub hypothesis: &'static str,
    /// Revision of the rule that judges; 0 as long as there is none.
    pub revision: u32,
    /// Makes a fresh automaton that judges it; none as long as there is none.
    monitor: Option<fn() -> Box<dyn Invariant>>,
}

impl Rule {
    /// Whether this version can judge it. What it cannot judge never counts as held.
    pub const fn is_implemented(&self) -> bool {
        self.monitor.is_some()
    }

    /// A fresh automaton, where this version can judge the invariant.
    pub fn monitor(&self) -> Option<Box<dyn Invariant>> {
        self.monitor.map(|make| make())
    }

    /// Whether it belongs to the liveness half.
    pub fn is_liveness(&self) -> bool {
        self.id.starts_with('L')
    }

    const fn judged_by(mut self, monitor: fn() -> Box<dyn Invariant>, revision: u32) -> Self {
        self.monitor = Some(monitor);
        self.revision = revision;
        self
    }

    const fn under(mut self, hypothesis: &'static str) -> Self {
        self.hypothesis = hypothesis;
        self
    }
}

const fn rule(
    id: &'static str,
    slug: &'static str,
    needs: Option<Capability>,
    class: Class,
    sentence: &'static str,
) -> Rule {
    let hypothesis = if id.as_bytes()[0] == b'L' {
        LIVENESS_HYPOTHESIS
    } else {
        SAFETY_HYPOTHESIS
    };
    Rule {
        id,
        slug,
        needs,
        class,
        sentence,
        hypothesis,
        revision: 0,
        monitor: None,
    }
}

/// Every invariant, safety first, in the order of the documents.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    safety::SAFETY.iter().chain(liveness::LIVENESS.iter())
}

/// The invariant with this slug.
pub fn by_slug(slug: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.slug == slug)
}

/// The invariant with this number.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// The name of a capability as installers and documents write it.
pub const fn capability_name(capability: Capability) -> &'static str {
    match capability {
        Capability::SelfHosted => "self-hosted",
        Capability::Checkpoints => "checkpoints",
        Capability::Ha => "ha",
        Capability::Upgrade => "upgrade",
        Capability::Join => "join",
        Capability::Recover => "recover",
    }
}

/// The page `docs/invariants.md`: generated, so that it cannot drift from what is judged.
pub fn markdown() -> String {
    let mut page = String::from(
        "# What must hold\n\n\
         Generated from the register of the `oracle` crate; do not edit by hand.\n\n\
         Slugs stand in scenario files, JUnit and reports, and never change. An invariant is armed by a capability that \
         the installer claims (`always`: by none) and judged under its hypothesis. Revision `-` is not judged by this \
         version and never counts as held.\n",
    );
    for (title, liveness) in [
        ("Safety: never violated, faults or not", false),
        ("Liveness: in bounded time, once faults are healed", true),
    ] {
        page.push_str(&format!(
            "\n## {title}\n\n| id | slug | armed by | class | revision | sentence | hypothesis |\n\
             |---|---|---|---|---|---|---|\n"
        ));
        for rule in all().filter(|rule| rule.is_liveness() == liveness) {
            page.push_str(&row(rule));
        }
    }
    page
}

fn row(rule: &Rule) -> String {
    let revision = if rule.is_implemented() {
        rule.revision.to_string()
    } else {
        "-".to_owned()
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        rule.id,
        rule.slug,
        rule.needs.map_or("always", capability_name),
        rule.class.name(),
        revision,
        rule.sentence,
        rule.hypothesis,
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_and_slugs_are_unique() {
        let ids: BTreeSet<_> = all().map(|rule| rule.id).collect();
        let slugs: BTreeSet<_> = all().map(|rule| rule.slug).collect();
        assert_eq!((ids.len(), slugs.len()), (all().count(), all().count()));
        assert_eq!(all().count(), 47, "S1 to S30 with S5b, and L1 to L16");
    }

    #[test]
    fn slugs_are_kebab_case() {
        for rule in all() {
            let parts: Vec<_> = rule.slug.split('-').collect();
            let plain = |part: &&str| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            assert!(parts.iter().all(plain), "{}", rule.slug);
        }
    }

    #[test]
    fn what_is_judged_has_a_revision_and_the_rest_has_none() {
        for rule in all() {
            assert_eq!(rule.is_implemented(), rule.revision > 0, "{}", rule.id);
        }
        assert_eq!(all().filter(|rule| rule.is_implemented()).count(), 31);
    }

    #[test]
    fn the_page_has_a_row_for_each() {
        let page = markdown();
        for rule in all() {
            assert!(
                page.contains(&format!("| {} | {} |", rule.id, rule.slug)),
                "{}",
                rule.id
            );
            assert!(page.contains(rule.sentence), "{}", rule.id);
        }
    }
}
