//! The page `docs/simulator.md`: what the model says, generated from it.

use std::fmt::Write as _;

use terms::{
    Change, Changeable, Component, Delete, Fault, Kill, NodeFault, Nothing, RemoveImage, Resource,
    Roll, Selectors, Signal, Tear, Unit, UnitFault,
};

use super::fidelity::{LEFT_OUT, MODELLED, fidelity};
use crate::timers;

const INTRODUCTION: &str = "# What the simulator models, and what it leaves out

Generated from the `simulator` crate; do not edit by hand.

`chrysalis run PATH… --on sim` plays the same scenario files in virtual time, and writes the same files through the same code. The machine that decides is the one that ships; the world
around it is a model. The same file and seed give the same record, byte for byte. Times are virtual: a case's duration in reports is what it would have taken.

A case that cannot be run truthfully is `not applicable`, with the reason. A simulated run that passes says that the machine is right in this model; it proves nothing about what is left out.
";

/// The page.
pub fn model_page() -> String {
    let mut page = String::from(INTRODUCTION);
    list(&mut page, "Modelled", &MODELLED);
    list(&mut page, "Left out", &LEFT_OUT);
    page.push_str("\n## Faults\n\n| fault | what it really does here |\n|---|---|\n");
    for (name, fault) in faults() {
        writeln!(page, "| {name} | {} |", fidelity(&fault)).expect(NEVER_FAILS);
    }
    page.push_str(
        "\n`kill` knows etcd, kube-apiserver, kube-controller-manager, kube-scheduler, checkpoint-agent and kubelet; `delete` knows pods of the three self-hosted components \
         (`k8s-app=…` in `kube-system`); `restart` knows the kubelet, and `tear` files of checkpoints (`/var/lib/selfhost/checkpoints/COMPONENT/*/FILE`). Others are not applicable here.\n",
    );
    page.push_str(
        "\n## Timers\n\nA timed run draws each duration between least and most, from the case's seed, for each thing and each time anew. A setting has one value.\n\n",
    );
    page.push_str(&timers::markdown());
    page
}

const NEVER_FAILS: &str = "writing into a string cannot fail";

fn list(page: &mut String, title: &str, lines: &[&str]) {
    writeln!(page, "\n## {title}\n").expect(NEVER_FAILS);
    for line in lines {
        writeln!(page, "- {line}").expect(NEVER_FAILS);
    }
}

fn faults() -> Vec<(&'static str, Fault)> {
    let nowhere = || Selectors(Vec::new());
    let node = || NodeFault {
        node: nowhere(),
        bind: None,
    };
    let kill = |signal| {
        Fault::Kill(Kill {
            component: Component::Etcd,
            node: nowhere(),
            signal,
            bind: None,
        })
    };
    let unit = |unit| UnitFault {
        unit,
        node: nowhere(),
        bind: None,
    };
    let tear = Tear {
        node: nowhere(),
        path: String::new(),
        keep_bytes: 0,
        bind: None,
    };
    let roll = Roll {
        component: Component::KubeApiserver,
        flag: None,
        user: None,
    };
    let change = Change {
        kind: Changeable::Secret,
        namespace: String::new(),
        name: String::new(),
        key: None,
    };
    let image = RemoveImage {
        component: Component::KubeApiserver,
        node: nowhere(),
        bind: None,
    };
    let delete = Delete {
        kind: Resource::Pod,
        namespace: None,
        name: None,
        selector: None,
        limit: None,
    };
    vec![
        ("`power_off`", Fault::PowerOff(node())),
        ("`reboot`", Fault::Reboot(node())),
        ("`kill` with SIGKILL", kill(Signal::Kill)),
        ("`kill` with SIGTERM", kill(Signal::Terminate)),
        ("`kill_installer`", Fault::KillInstaller(Nothing {})),
        ("`delete`", Fault::Delete(delete)),
        ("`stop` of kubelet", Fault::Stop(unit(Unit::Kubelet))),
        ("`stop` of containerd", Fault::Stop(unit(Unit::Containerd))),
        ("`restart` of kubelet", Fault::Restart(unit(Unit::Kubelet))),
        ("`tear`", Fault::Tear(tear)),
        ("`freeze`", Fault::Freeze(node())),
        ("`lose_disk`", Fault::LoseDisk(node())),
        ("`roll`", Fault::Roll(roll)),
        ("`change`", Fault::Change(change)),
        ("`remove_image`", Fault::RemoveImage(image)),
    ]
}
