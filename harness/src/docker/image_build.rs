//! Building images from files, and listing them.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use bollard::query_parameters::{
    BuildImageOptionsBuilder, ListImagesOptionsBuilder, TagImageOptionsBuilder,
};
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::verb::{QUICK, milliseconds, refused, verb};
use super::{Engine, EngineError};

/// An image to be built. Nothing is fetched while it is built: its containers have no network.
#[derive(Clone, Debug)]
pub struct ImageSpec {
    /// The name and tag that the image gets once all of it is there.
    pub reference: String,
    /// The content of the Dockerfile.
    pub dockerfile: String,
    /// What the Dockerfile may add.
    pub files: Vec<ContextFile>,
    /// Values of the Dockerfile's `ARG`s.
    pub arguments: HashMap<String, String>,
    /// The labels of the image. Containers inherit them, so `chrysalis.run` never belongs here.
    pub labels: HashMap<String, String>,
}

/// A file of the build context. It belongs to root and is of no particular time, so that equal
/// content makes equal layers.
#[derive(Clone, Debug)]
pub struct ContextFile {
    /// The path in the context, relative.
    pub path: String,
    /// The permission bits.
    pub mode: u32,
    /// Where the content is.
    pub content: ContextContent,
}

/// The content of a file of the build context.
#[derive(Clone, Debug)]
pub enum ContextContent {
    /// These bytes.
    Bytes(Bytes),
    /// A file on this host, read while the context is sent: it may be larger than memory.
    File(PathBuf),
}

/// An image that the engine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// The engine's id.
    pub id: String,
    /// The names that it bears.
    pub references: Vec<String>,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// Its size in bytes, layers that it shares with others included.
    pub bytes: u64,
    /// When it was made, in seconds since 1970.
    pub created_s: i64,
}

impl Engine {
    /// Builds an image.
    ///
    /// # Errors
    /// When a file cannot be read, or the engine fails or takes longer than `deadline`.
    ///
    /// # Cancel safety
    /// Dropping the future breaks the connection, upon which the engine gives the build up: a name
    /// is given to a finished image only.
    pub async fn build_image(
        &self,
        spec: ImageSpec,
        deadline: Duration,
    ) -> Result<(), EngineError> {
        let ImageSpec {
            reference,
            dockerfile,
            mut files,
            arguments,
            labels,
        } = spec;
        files.insert(
            0,
            ContextFile {
                path: "Dockerfile".to_owned(),
                mode: 0o644,
                content: ContextContent::Bytes(dockerfile.into()),
            },
        );
        let options = BuildImageOptionsBuilder::new()
            .dockerfile("Dockerfile")
            .t(&reference)
            .rm(true)
            .forcerm(true)
            .networkmode("none")
            .buildargs(&arguments)
            .labels(&labels)
            .build();
        // The client library's own limit runs until the whole context has been sent.
        let api = self.api.clone().with_timeout(deadline);
        let doing = format!("build image {reference}");
        let building = async {
            let mut answers = Box::pin(api.build_image(
                options,
                None,
                Some(bollard::body_try_stream(send(files))),
            ));
            while let Some(answer) = answers.next().await {
                answer.map_err(|error| refused(doing.clone(), error))?;
            }
            Ok(())
        };
        tokio::time::timeout(deadline, building)
            .await
            .unwrap_or_else(|_| {
                Err(EngineError::Deadline {
                    doing: doing.clone(),
                    deadline_ms: milliseconds(deadline),
                })
            })
    }

    /// Gives an image one more name, `repository:tag`; another image loses it.
    ///
    /// # Errors
    /// When the image is missing, or the engine fails.
    pub async fn tag_image(
        &self,
        image: &str,
        repository: &str,
        tag: &str,
    ) -> Result<(), EngineError> {
        let options = TagImageOptionsBuilder::new()
            .repo(repository)
            .tag(tag)
            .build();
        let request = self.api.tag_image(image, Some(options));
        verb(
            format!("name image {image} {repository}:{tag}"),
            QUICK,
            request,
        )
        .await
    }

    /// The images that bear the label `label`, newest first.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn images(&self, label: &str) -> Result<Vec<ImageFacts>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let rows = verb("list images", QUICK, self.api.list_images(Some(options))).await?;
        let mut found: Vec<_> = rows
            .into_iter()
            .map(|row| ImageFacts {
                id: row.id,
                references: row.repo_tags,
                labels: row.labels,
                bytes: u64::try_from(row.size).unwrap_or(0),
                created_s: row.created,
            })
            .collect();
        found.sort_by_key(|image| (std::cmp::Reverse(image.created_s), image.id.clone()));
        Ok(found)
    }
}

/// How much of the context is handed over at a time: 1 MiB.
const PIECE_BYTES: usize = 1 << 20;

/// Packs the files on a thread of its own, piece by piece, as fast as the engine takes them.
fn send(
    files: Vec<ContextFile>,
) -> impl futures::Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (sender, mut receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut pieces = Pieces {
            sender: sender.clone(),
            piece: Vec::new(),
        };
        let packed = pack(files, &mut pieces).and_then(|()| pieces.flush());
        if let Err(error) = packed {
            // Nobody listens any more when the build has been given up.
            let _ = sender.blocking_send(Err(error));
        }
    });
    futures::stream::poll_fn(move |context| receiver.poll_recv(context))
}

fn pack(files: Vec<ContextFile>, out: &mut Pieces) -> io::Result<()> {
    let mut archive = tar::Builder::new(out);
    for ContextFile {
        path,
        mode,
        content,
    } in files
    {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_entry_type(tar::EntryType::Regular);
        match content {
            ContextContent::Bytes(bytes) => {
                header.set_size(bytes.len() as u64);
                archive.append_data(&mut header, path, bytes.as_ref())?;
            }
            ContextContent::File(source) => {
                let named = |error: io::Error| {
                    io::Error::new(error.kind(), format!("{}: {error}", source.display()))
                };
                let file = std::fs::File::open(&source).map_err(named)?;
                header.set_size(file.metadata().map_err(named)?.len());
                archive
                    .append_data(&mut header, path, file)
                    .map_err(named)?;
            }
        }
    }
    archive.finish()
}

/// Collects what is written into pieces and passes them on.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.sender
            .blocking_send(Ok(piece))
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the build was given up"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[tokio::test]
    async fn a_context_arrives_whole() {
        let large = vec![7_u8; 3 * PIECE_BYTES + 5];
        let files = vec![
            ContextFile {
                path: "a".to_owned(),
                mode: 0o755,
                content: ContextContent::Bytes(large.clone().into()),
            },
            ContextFile {
                path: "b".to_owned(),
                mode: 0o644,
                content: ContextContent::File("/proc/self/cmdline/nothing".into()),
            },
        ];
        let sound: Vec<_> = send(files[..1].to_vec()).collect().await;
        let bytes: Vec<u8> = sound.into_iter().flat_map(Result::unwrap).collect();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!((entry.header().mode().unwrap(), content), (0o755, large));

        let broken: Vec<_> = send(files).collect().await;
        let error = broken.last().unwrap().as_ref().unwrap_err();
        assert!(
            error.to_string().contains("/proc/self/cmdline/nothing"),
            "{error}"
        );
    }
}
