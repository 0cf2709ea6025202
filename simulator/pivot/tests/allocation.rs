//! The machine needs no memory of its own: an explorer steps it millions of times a second.

mod bench;

use std::hint::black_box;

use allocation_counter::measure;
use bench::walks;
use pivot::{LogEntry, State, resume, running_tasks, step};

/// How often the code asked for memory, on this thread.
fn allocations(code: impl FnOnce()) -> u64 {
    measure(code).count_total
}

#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1_u64)))), 1);
}

#[test]
fn neither_a_step_nor_a_start_nor_a_look_at_its_tasks_allocates() {
    let mut steps = 0;
    for walk in walks() {
        let plan = &walk.plan;
        let mut state = State::FIRST;
        for entry in &walk.log {
            let allocated = allocations(|| {
                (state, _) = black_box(match entry {
                    LogEntry::Resumed { durable, .. } => resume(plan, *durable),
                    LogEntry::Stepped { input, .. } => step(plan, state, input),
                });
                black_box(running_tasks(plan, state).count());
            });
            assert_eq!(allocated, 0, "{}: {entry:?}", plan.policy);
            steps += 1;
        }
    }
    assert!(steps > 1_000, "only {steps} steps were tried");
}
