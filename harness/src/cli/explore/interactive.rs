//! `explore --interactive`: a walk through the coarse world by hand, or by a script.

use std::io::{BufRead, IsTerminal, stdin};

use simulator::coarse::World;
use simulator::explore::{Bounds, Model, Session};

use super::world::in_words;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::print;

/// Obeys standard input, line by line, until it ends or says `quit`.
///
/// Lines that begin with `#` are remarks. A script's commands may begin with `> `, and are repeated
/// before their answers where nobody types them: what is printed is a script again.
pub(super) async fn run(world: World, bounds: Bounds) -> Outcome {
    let walk = tokio::task::spawn_blocking(move || walk(&world, bounds));
    walk.await
        .map_err(|error| Failure::new(Exit::Failed, error))?
}

fn walk(world: &World, bounds: Bounds) -> Outcome {
    let typed = stdin().is_terminal();
    for line in in_words(world, &bounds).lines() {
        print(&format!("# {line}\n"))?;
    }
    let start = world.initial()[0];
    let mut session = Session::new(world, start, bounds);
    prompt(typed)?;
    for line in stdin().lock().lines() {
        let line = line.map_err(|error| Failure::new(Exit::Usage, error))?;
        let command = line.strip_prefix("> ").unwrap_or(&line).trim();
        if !typed {
            let mark = if command.starts_with('#') { "" } else { "> " };
            print(&format!("{mark}{command}\n"))?;
        }
        match command {
            "quit" | "exit" => break,
            remark if remark.starts_with('#') => {}
            "help" => {
                print(&session.obey(command))?;
                print("quit        leave\n")?;
            }
            _ => {
                print(&session.obey(command))?;
            }
        }
        prompt(typed)?;
    }
    Ok(Exit::Success)
}

fn prompt(typed: bool) -> Outcome {
    print(if typed { "> " } else { "" })
}
