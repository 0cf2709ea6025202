//! What the engine's facts mean.

use super::{Check, EngineFacts, NodeImage};
use crate::docker::EngineInfo;

/// The first API version with private cgroup namespaces, which nodes need on cgroup v1.
const API_VERSION_MIN: (u32, u32) = (1, 41);

pub(super) fn engine_checks(engine: &Result<EngineFacts, String>) -> Vec<Check> {
    let facts = match engine {
        Ok(facts) => facts,
        Err(why) => {
            let way_out = "start it with `ci/engine`, or set DOCKER_HOST; the user must be root or in group `docker`";
            return vec![Check::problem("engine", why.clone(), way_out)];
        }
    };
    let mut checks = vec![version(facts), place(&facts.info), cgroups(&facts.info)];
    checks.extend(image(&facts.image));
    checks
}

fn version(facts: &EngineFacts) -> Check {
    let seen = format!("engine {}, API {}", facts.version, facts.api_version);
    let number = facts
        .api_version
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    match number {
        Some(number) if number >= API_VERSION_MIN => Check::ok("engine", seen),
        Some(_) => Check::problem("engine", seen, "upgrade to Docker Engine 20.10 or later"),
        None => Check::warning(
            "engine",
            seen,
            "its API version cannot be read; expected 1.41 or later",
        ),
    }
}

/// Where the engine runs: some places have never been tested, or cannot work.
fn place(info: &EngineInfo) -> Check {
    let seen = format!("{}, {}", info.operating_system, info.storage_driver);
    if info.operating_system.contains("Docker Desktop") {
        return Check::problem(
            "engine-place",
            seen,
            "with Docker Desktop this host cannot reach the nodes' addresses; use a Linux host or virtual machine",
        );
    }
    if info
        .security_options
        .iter()
        .any(|option| option.contains("rootless"))
    {
        return Check::warning(
            "engine-place",
            format!("{seen}, rootless"),
            "rootless engines have not been tested by this project; use a rootful engine",
        );
    }
    Check::ok("engine-place", seen)
}

fn cgroups(info: &EngineInfo) -> Check {
    let seen = format!(
        "cgroup v{}, driver {}",
        info.cgroup_version, info.cgroup_driver
    );
    match (info.cgroup_version.as_str(), info.cgroup_driver.as_str()) {
        ("1", _) => Check::ok("cgroups", seen),
        ("2", "systemd") => Check::warning(
            "cgroups",
            seen,
            "cgroup v2 with the systemd driver has not been tested by this project",
        ),
        ("2", _) => Check::warning(
            "cgroups",
            seen,
            "cgroup v2 has not been tested by this project",
        ),
        _ => Check::warning(
            "cgroups",
            seen,
            "the engine does not say which cgroups it uses",
        ),
    }
}

fn image(image: &NodeImage) -> Vec<Check> {
    match image {
        NodeImage::Absent { name } => vec![
            Check::problem(
                "node-image",
                format!("{name} is not there"),
                "build it with `chrysalis image build`",
            ),
            Check::warning(
                "node-profile",
                "not tried: there is no node image to try it with",
                "build the image, then ask again",
            ),
        ],
        NodeImage::Present { name, profile } => {
            let there = Check::ok("node-image", name.clone());
            let profile = match profile {
                Ok(profile) => Check::ok("node-profile", profile.clone()),
                Err(why) => Check::problem(
                    "node-profile",
                    why.clone(),
                    "nodes need mount and network rights: use a rootful engine outside of restricted containers",
                ),
            };
            vec![there, profile]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    fn facts() -> EngineFacts {
        EngineFacts {
            version: "20.10.24".to_owned(),
            api_version: "1.41".to_owned(),
            info: EngineInfo {
                operating_system: "Debian GNU/Linux 12 (bookworm)".to_owned(),
                cgroup_version: "1".to_owned(),
                cgroup_driver: "cgroupfs".to_owned(),
                storage_driver: "overlay2".to_owned(),
                ..EngineInfo::default()
            },
            image: NodeImage::Present {
                name: "chrysalis/node:latest".to_owned(),
                profile: Ok("capabilities".to_owned()),
            },
        }
    }

    fn level(facts: EngineFacts, name: &str) -> Level {
        let checks = engine_checks(&Ok(facts));
        checks
            .into_iter()
            .find(|check| check.name == name)
            .unwrap()
            .level
    }

    #[test]
    fn a_tested_engine_is_ok() {
        assert!(
            engine_checks(&Ok(facts()))
                .iter()
                .all(|check| check.level == Level::Ok)
        );
    }

    #[test]
    fn each_trouble_is_named() {
        assert_eq!(
            engine_checks(&Err("no".to_owned()))[0].level,
            Level::Problem
        );
        let mut old = facts();
        old.api_version = "1.40".to_owned();
        assert_eq!(level(old, "engine"), Level::Problem);
        let mut new = facts();
        new.api_version = "1.100".to_owned();
        assert_eq!(level(new, "engine"), Level::Ok);
        let mut desktop = facts();
        desktop.info.operating_system = "Docker Desktop".to_owned();
        assert_eq!(level(desktop, "engine-place"), Level::Problem);
        let mut rootless = facts();
        rootless.info.security_options = vec!["name=rootless".to_owned()];
        assert_eq!(level(rootless, "engine-place"), Level::Warning);
        let mut unified = facts();
        unified.info.cgroup_version = "2".to_owned();
        unified.info.cgroup_driver = "systemd".to_owned();
        assert_eq!(level(unified, "cgroups"), Level::Warning);
        let mut absent = facts();
        absent.image = NodeImage::Absent {
            name: "x".to_owned(),
        };
        assert_eq!(level(absent, "node-image"), Level::Problem);
        let mut refused = facts();
        refused.image = NodeImage::Present {
            name: "x".to_owned(),
            profile: Err("no".to_owned()),
        };
        assert_eq!(level(refused, "node-profile"), Level::Problem);
    }
}
