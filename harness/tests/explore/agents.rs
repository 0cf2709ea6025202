//! `explore --agents`: complete searches of checkpoint agents, and what is said of wrong ones.

use crate::command::{files, mentions, place, said};

#[test]
fn nothing_is_found_in_moderns_agents_and_everything_that_bounds_it_is_said() {
    let place = place();
    let (code, said) = said(place.path(), &["explore", "--agents", "--faults", "1"]);
    assert_eq!(code, 0, "{said}");
    mentions(
        &said,
        &[
            "agents of modern, 1 control-plane node; the installer waits for checkpoints of kube-apiserver, ",
            "at most 1 faults in all, of power-cut, blackout, ",
            "left out: ",
            "the search ended because there was nothing left to explore",
            "from every state the world can return to health by itself",
            "nothing found: within these bounds",
        ],
    );
}

#[test]
fn a_mutant_and_history_are_caught_and_the_ways_are_kept() {
    let place = place();
    let search = ["explore", "--agents", "--policy", "mutant:manifest-first"];
    let (code, mutant) = said(place.path(), &[&search[..], &["--out", "found"]].concat());
    assert_eq!(code, 1, "{mutant}");
    assert!(
        mutant.contains("checkpoints-are-complete is violated after "),
        "{mutant}"
    );
    assert!(!files(&place.path().join("found"), ".txt").is_empty());
    let blackout = ["--policy", "bootkube", "--agent-fault", "blackout"];
    let (code, history) = said(
        place.path(),
        &[&["explore", "--agents"], &blackout[..]].concat(),
    );
    assert_eq!(code, 1, "{history}");
    mentions(
        &history,
        &[
            "the installer does not wait for checkpoints",
            "at most 1 faults in all, of blackout\n",
            "returns-by-itself: from ",
        ],
    );
}

#[test]
fn wrong_searches_are_refused_with_the_way_out() {
    let place = place();
    for (wrong, way_out) in [
        (&["--policy", "bootcube"][..], "did you mean `bootkube`?"),
        (
            &["--policy", "mutant:manifest-last"],
            "did you mean `mutant:manifest-first`?",
        ),
        (
            &["--policy", "kubeadm-alpha"],
            "there are: modern, bootkube",
        ),
        (&["--control-planes", "3"], "write a number from 1 to 2"),
        (&["--agent-fault", "meteor"], "power-cut"),
        (&["--fault", "kill"], "cannot be used with"),
    ] {
        let (code, said) = said(place.path(), &[&["explore", "--agents"], wrong].concat());
        assert_eq!(code, 64, "{wrong:?}: {said}");
        assert!(said.contains(way_out), "{wrong:?}: {said}");
    }
    let alone = ["explore", "--exhaustive", "--agent-fault", "kill"];
    let (code, said) = said(place.path(), &alone);
    assert_eq!(code, 64, "{said}");
}
