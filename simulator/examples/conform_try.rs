use std::time::Instant;
fn main() {
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&file).unwrap();
        let observations: Vec<oracle::Observation> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let policy = if file.contains("bootkube") { "bootkube" } else { "modern" };
        let begin = Instant::now();
        let found = simulator::conform::conform(&pivot::Plan::named(policy).unwrap(), file.contains("node-selector"), &observations, simulator::conform::Bounds::USUAL);
        println!("{} {:.2}s\n{}", file, begin.elapsed().as_secs_f64(), serde_json::to_string_pretty(&found).unwrap());
    }
}
