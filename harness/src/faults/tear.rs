//! Files cut short, as an interrupted write leaves them.

use std::time::Duration;

use futures::future::join_all;
use terms::Tear;

use super::Effect;
use crate::cluster::Node;

/// How long a command in a node may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// Cuts a file on each node; proven by its size before and after. The objects are the files as they were found.
pub(super) async fn files(nodes: &[&Node], tear: &Tear) -> Effect {
    let results = join_all(nodes.iter().map(|node| file(node, tear))).await;
    let mut objects = Vec::new();
    let mut proofs = Vec::new();
    for result in results {
        match result {
            Ok((object, proof)) => {
                objects.push(object);
                proofs.push(proof);
            }
            Err(reason) => return (objects, Err(reason)),
        }
    }
    (objects, Ok(proofs.join("; ")))
}

/// The path was checked to consist of plain characters and `*`, so that the shell may expand it.
async fn file(node: &Node, tear: &Tear) -> Result<(String, String), String> {
    let Tear {
        path, keep_bytes, ..
    } = tear;
    let script = format!(
        "file=$(ls -dt -- {path} 2>/dev/null | head -n 1)\n\
         [ -f \"$file\" ] || {{ echo 'there is no such file'; exit 3; }}\n\
         before=$(stat -c %s \"$file\")\n\
         [ \"$before\" -gt {keep_bytes} ] || {{ echo \"$file has $before bytes only\"; exit 4; }}\n\
         truncate -s {keep_bytes} \"$file\" || exit 5\n\
         after=$(stat -c %s \"$file\")\n\
         [ \"$after\" -eq {keep_bytes} ] || {{ echo \"$file has $after bytes\"; exit 6; }}\n\
         echo \"$file\"; echo \"$before bytes, then $after\""
    );
    let name = node.name();
    let output = node.exec(["sh", "-c", &script], DEADLINE).await;
    let output = output.map_err(|error| error.to_string())?;
    let text = output.text();
    match text.trim().split_once('\n') {
        Some((file, sizes)) if output.success() => {
            Ok((format!("{name}:{file}"), format!("{name}:{file}: {sizes}")))
        }
        _ => Err(format!(
            "{name}: {path}: {} {}",
            text.trim(),
            output.complaint()
        )),
    }
}
