//! What is not ours is never touched.

use chrysalis::cluster::reap;
use chrysalis::docker::EngineError;
use testcontainers::core::WaitFor;
use testcontainers::runners::AsyncRunner;
use testcontainers::{GenericImage, ImageExt};

use crate::ground::on_ground;

#[test]
fn a_container_that_somebody_else_made_is_refused_and_survives_reap() {
    on_ground(|ground| async move {
        let (name, tag) = ground.image.rsplit_once(':').expect("the image has a tag");
        let foreign = GenericImage::new(name, tag)
            .with_entrypoint("/bin/sleep")
            .with_wait_for(WaitFor::Nothing)
            .with_cmd(["infinity"])
            // The names look like ours; only the label counts.
            .with_container_name(format!("{}-cp-1", ground.name))
            .with_label("chrysalis.cluster", &ground.name)
            .with_label("chrysalis.deadline", "1")
            .start()
            .await
            .expect("testcontainers can start it");
        let refused = ground.engine.container(foreign.id()).await;
        let refused = refused.expect_err("no handle for what is not ours");
        assert!(matches!(refused, EngineError::NotOurs { .. }), "{refused}");
        assert!(
            ground.nothing_left(&ground.name).await,
            "it is found by its other labels"
        );

        let report = reap(&ground.engine, false)
            .await
            .expect("the engine answers");
        let touched = report
            .removed
            .iter()
            .any(|line| line.contains(&ground.name));
        assert!(!touched, "{report:?}");
        assert!(
            foreign.is_running().await.expect("it is there"),
            "reap killed it"
        );
        foreign.rm().await.expect("testcontainers can remove it");
    });
}

#[test]
fn a_volume_of_somebody_else_is_not_adopted() {
    on_ground(|ground| async move {
        let name = format!("{}-volume", ground.name);
        let ours = ground
            .labels()
            .of(&ground.name, None, chrysalis::docker::Role::Worker);
        let made = ground
            .engine
            .create_volume(&name, ours.clone())
            .await
            .expect("it can be made");
        let mut others = ours;
        others.run = "somebody-else".to_owned();
        let refused = ground.engine.create_volume(&name, others).await;
        assert!(
            matches!(refused, Err(EngineError::NotOurs { .. })),
            "{refused:?}"
        );
        ground
            .engine
            .remove_volume(&made)
            .await
            .expect("it can be removed");
        ground
            .engine
            .remove_volume(&made)
            .await
            .expect("what is gone counts as removed");
    });
}
