use std::time::Instant;
fn main() {
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&file).unwrap();
        let observations: Vec<oracle::Observation> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let policy = if file.contains("bootkube") { "bootkube" } else { "modern" };
        let begin = Instant::now();
        let found = simulator::conform::conform(&simulator::coarse::Config { unschedulable: file.contains("node-selector"), ..simulator::coarse::Config::calm(pivot::Plan::named(policy).unwrap(), 1) }, &observations, simulator::conform::Bounds::USUAL);
        println!("== {} {:.2}s {}/{} belief {} capped {} unusual {} {:?}", file.split('/').rev().nth(1).unwrap(), begin.elapsed().as_secs_f64(), found.explained, found.changes, found.belief_most, found.capped, found.unusual, found.uncovered);
        if let simulator::conform::Outcome::Diverges(found) = &found.outcome { println!("{}", serde_json::to_string_pretty(found).unwrap()); } else {println!("{:?}", found.outcome);}
    }
}
