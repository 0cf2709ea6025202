//! Files into and out of nodes.

use std::io::Read;

use chrysalis::docker::NodeFile;

use crate::ground::{PATIENCE, on_ground};

fn only_entry(archive: &[u8]) -> (u32, Vec<u8>) {
    let mut archive = tar::Archive::new(archive);
    let mut entry = archive
        .entries()
        .expect("an archive")
        .next()
        .expect("an entry")
        .expect("whole");
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).expect("memory can be read");
    // The engine adds the kind of file to the permission bits.
    (entry.header().mode().expect("a mode") & 0o7777, bytes)
}

#[test]
fn files_arrive_with_their_modes_on_living_and_dead_nodes() {
    on_ground(|ground| async move {
        let up = ground.bare(&ground.name, 1, 0).await;
        let node = up.cluster.node("cp-1").expect("it is there").clone();
        let files = [
            NodeFile::new("/etc/deep/er/secret", 0o600, "s3"),
            NodeFile::new("/var/lib/thing", 0o644, vec![0, 255, 10]),
            NodeFile::new("/run/volatile", 0o755, "gone after a power cut"),
        ];
        node.upload(&files)
            .await
            .expect("files can be put into a living node");
        for file in &files {
            let archive = node
                .download(&file.path)
                .await
                .expect("it can be read back");
            assert_eq!(
                only_entry(&archive),
                (file.mode, file.bytes.clone()),
                "{}",
                file.path
            );
        }
        let owner = node
            .exec_ok(["stat", "-c", "%U %a", "/etc/deep/er/secret"], PATIENCE)
            .await;
        assert_eq!(owner.expect("it is there"), "root 600");

        node.power_off().await.expect("it can lose power");
        let archive = node
            .download("/var/lib/thing")
            .await
            .expect("a dead node can be read");
        assert_eq!(only_entry(&archive).1, [0, 255, 10]);
        let late = [NodeFile::new("/etc/late", 0o644, "x")];
        node.upload(&late)
            .await
            .expect("a dead node can be written");
        node.power_on().await.expect("it can be powered on");
        assert_eq!(
            node.exec_ok(["cat", "/etc/late"], PATIENCE)
                .await
                .expect("it is there"),
            "x"
        );
        let volatile = node.exec(["test", "-e", "/run/volatile"], PATIENCE).await;
        assert_eq!(
            volatile.expect("it runs").exit_code,
            1,
            "/run survived a power cut"
        );
    });
}
