//! Files and folders of scenarios. Everything is read and checked before anything is used.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use oracle::{Expectation, register};
use pivot::checkpoint::AgentPlan;

use crate::case::{Installer, Selfhost};
use crate::check::parse;
use crate::decode::decode;
use crate::mistake::{Mistake, Mistakes, Wrong};
use crate::policy::{Policy, SWITCHES};
use crate::read::{LARGEST_BYTES, read};
use crate::scenario::{Overrides, Scenario};
use crate::written::{WrittenEnd, WrittenExpect, WrittenInstaller};

/// The deepest folder below one that was named.
const DEEPEST_FOLDER: usize = 16;

/// Reads every scenario of these files and folders, in the order of their paths.
///
/// # Errors
/// Every mistake of every file, a path that cannot be read, a folder without scenarios, two
/// scenarios of one name.
pub fn load(paths: &[PathBuf], overrides: &Overrides) -> Result<Vec<Scenario>, Mistakes> {
    let mut mistakes = Vec::new();
    let mut files = BTreeMap::new();
    for path in paths {
        match scenario_files(path) {
            Ok(found) => {
                // A file that is named twice, or lies in a folder that is named too, is read once.
                for file in found {
                    let same = file.canonicalize().unwrap_or_else(|_| file.clone());
                    files.entry(same).or_insert(file);
                }
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let files: BTreeSet<PathBuf> = files.into_values().collect();
    let mut scenarios = Vec::new();
    for file in files {
        match load_file(&file, overrides) {
            Ok(scenario) => scenarios.push(scenario),
            Err(found) => mistakes.extend(found),
        }
    }
    mistakes.extend(doubles(&scenarios));
    if mistakes.is_empty() {
        Ok(scenarios)
    } else {
        Err(Mistakes(mistakes))
    }
}

fn load_file(file: &Path, overrides: &Overrides) -> Result<Scenario, Vec<Mistake>> {
    let name = file.display().to_string();
    let bytes = bytes_of(file).map_err(|error| vec![unreadable(file, &error)])?;
    let folder = file.parent().unwrap_or(Path::new(""));
    parse(&name, &bytes, folder, overrides)
}

/// At most a little more than the largest file, so that a huge one is recognised and not read.
fn bytes_of(file: &Path) -> io::Result<Vec<u8>> {
    use io::Read;
    let mut bytes = Vec::new();
    let most = LARGEST_BYTES as u64 + 1;
    std::fs::File::open(file)?
        .take(most)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Mistake {
    Mistake::of_file(
        &path.display().to_string(),
        format!("cannot be read: {error}"),
        None,
    )
}

fn scenario_files(path: &Path) -> Result<Vec<PathBuf>, Mistake> {
    if !path.is_dir() {
        std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    collect(path, DEEPEST_FOLDER, &mut found)?;
    if found.is_empty() {
        let help = "scenario files end in .yaml or .yml".to_owned();
        let name = path.display().to_string();
        return Err(Mistake::of_file(
            &name,
            "there is no scenario in this folder",
            Some(help),
        ));
    }
    Ok(found)
}

fn collect(folder: &Path, deeper: usize, found: &mut Vec<PathBuf>) -> Result<(), Mistake> {
    let unreadable = |error: io::Error| unreadable(folder, &error);
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            if deeper == 0 {
                let help = "name the folder that is meant".to_owned();
                let name = path.display().to_string();
                return Err(Mistake::of_file(
                    &name,
                    "the folders are nested too deeply",
                    Some(help),
                ));
            }
            collect(&path, deeper - 1, found)?;
        } else if path
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml")
        {
            found.push(path);
        }
    }
    Ok(())
}

fn doubles(scenarios: &[Scenario]) -> Vec<Mistake> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for Scenario { name, file, .. } in scenarios {
        if let Some(other) = first.get(name.as_str()) {
            let what = format!("the name `{name}` is taken by {other} already");
            mistakes.push(Mistake::of_file(
                file,
                what,
                Some("rename one of the two".to_owned()),
            ));
        } else {
            first.insert(name, file);
        }
    }
    mistakes
}

/// Reads the installer of `--installer FILE`: what stands under `installer:` in a case.
///
/// # Errors
/// Every mistake of the file.
pub fn read_installer(file: &Path) -> Result<Installer, Mistakes> {
    let name = file.display().to_string();
    let bytes = bytes_of(file).map_err(|error| Mistakes(vec![unreadable(file, &error)]))?;
    let (text, tree) = read(&name, &bytes).map_err(|mistake| Mistakes(vec![*mistake]))?;
    let wrong = |wrong: Wrong| Mistakes(vec![Mistake::at(&name, text, wrong)]);
    let WrittenInstaller::Selfhost(selfhost) = decode(&tree).map_err(wrong)?;
    for switch in selfhost.switches.keys() {
        if !SWITCHES.iter().any(|(known, _)| known == switch) {
            let place = tree.deepest(&["selfhost", "switches"]).place;
            let known = SWITCHES.iter().map(|(known, _)| *known);
            return Err(wrong(Wrong::unknown(place, "switch", switch, known)));
        }
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    let place = tree.deepest(&["selfhost", "policy"]).place;
    Policy::find(&selfhost.policy, folder).map_err(|error| {
        wrong(Wrong::new(place, error.to_string()).help(format!(
            "built in: {}",
            Policy::names().collect::<Vec<_>>().join(", ")
        )))
    })?;
    if let Some(agent) = &selfhost.agent {
        let place = tree.deepest(&["selfhost", "agent"]).place;
        Policy::find_agent(agent, folder).map_err(|error| {
            let names = AgentPlan::NAMES.join(", ");
            wrong(Wrong::new(place, error.to_string()).help(format!("built in: {names}")))
        })?;
    }
    let located = |text: &String| Policy::located(text, folder);
    Ok(Installer::Selfhost(Selfhost {
        policy: located(&selfhost.policy),
        agent: selfhost.agent.as_ref().map(located),
        switches: selfhost.switches,
    }))
}

/// Reads the text of `--expect`: what stands under `expect:` in a case.
///
/// # Errors
/// Every mistake of the text.
pub fn read_expectation(text: &str) -> Result<Expectation, Mistakes> {
    let name = "--expect";
    let (text, tree) = read(name, text.as_bytes()).map_err(|mistake| Mistakes(vec![*mistake]))?;
    let wrong = |wrong: Wrong| Mistakes(vec![Mistake::at(name, text, wrong)]);
    let WrittenExpect { ends, violated } = decode(&tree).map_err(wrong)?;
    for slug in &violated {
        if register::by_slug(slug).is_none() {
            let known = register::all().map(|rule| rule.slug);
            let place = tree.deepest(&["violated"]).place;
            return Err(wrong(Wrong::unknown(place, "invariant", slug, known)));
        }
    }
    let ends = if ends == WrittenEnd::Done {
        "done"
    } else {
        "holding"
    };
    Ok(Expectation {
        ends: ends.to_owned(),
        violated: violated.into_iter().collect(),
    })
}
