//! The driver without a machine, so that the contract of drivers can be tried on it.

use pivot::contract::Driver;
use pivot::{Durable, Effect, Input, Plan};

use super::cluster::TICK_MS;
use super::driver::WorldDriver;
use super::scene::Scene;
use super::world::World;

/// A driver and its world.
#[derive(Debug)]
pub struct Tried {
    driver: WorldDriver,
    world: World,
}

impl Tried {
    /// A driver whose machine was put aside: only effects that are given to it are performed.
    pub fn new(plan: &Plan, scene: &Scene) -> Self {
        let world = World::new(scene);
        let mut driver = WorldDriver::start(plan, &world, false);
        driver.put_machine_aside();
        Self { driver, world }
    }
}

impl Driver for Tried {
    fn perform(&mut self, effect: Effect) {
        self.driver.perform(effect, &mut self.world);
    }

    fn next(&mut self, patience_ms: u64) -> Option<Input> {
        let until_ms = self.world.now_ms() + patience_ms;
        while self.world.now_ms() <= until_ms {
            match self.driver.next_input(&mut self.world) {
                None | Some(Input::Facts(_)) => self.world.now_ms += TICK_MS,
                input => return input,
            }
        }
        None
    }

    fn durable(&self) -> Option<Durable> {
        self.world.node(0).marker
    }
}
