//! The commands of `docs/recovery.md` are those of this program.

use clap::Parser;

use crate::Arguments;

/// The commands of the runbook, by the name of their block.
fn commands() -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/recovery.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut block = None;
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("```sh runbook=") {
            block = Some(name.to_owned());
        } else if line.starts_with("```") {
            block = None;
        } else if let Some(name) = &block {
            found.push((name.clone(), line.to_owned()));
        }
    }
    found
}

#[test]
fn every_command_of_the_runbook_is_understood() {
    let commands = commands();
    for name in [
        "snapshot",
        "api-gone",
        "scheduler-gone",
        "controller-manager-gone",
        "new-node",
        "from-snapshot",
        "from-snapshot-of-several",
        "join",
        "end",
    ] {
        let known = commands.iter().any(|(block, _)| block == name);
        assert!(known, "the runbook has no block {name}");
    }
    let own: Vec<_> = commands
        .iter()
        .filter(|(_, command)| command.starts_with("selfhost "))
        .collect();
    assert!(own.len() >= 6, "{own:?}");
    for (block, command) in own {
        let parsed = Arguments::try_parse_from(command.split(' '));
        assert!(parsed.is_ok(), "{block}: {command}: {:?}", parsed.err());
    }
}

#[test]
fn contradictory_commands_are_refused() {
    for wrong in [
        "selfhost recover",
        "selfhost recover --escrow e --rescue kube-apiserver",
        "selfhost recover --escrow e --rescue kube-scheduler --snapshot s",
        "selfhost recover --escrow e --join --snapshot s",
        "selfhost recover --escrow e --join --lost cp-2",
        "selfhost snapshot",
        "selfhost snapshot --out a --list b",
    ] {
        let parsed = Arguments::try_parse_from(wrong.split(' '));
        assert!(parsed.is_err(), "{wrong} was understood");
    }
}
