//! Where the bytes go. Writing has a thread of its own, since a pipe's reader may stop reading, and
//! stopping must still be possible then.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::print::written;
use crate::record::Recorder;

/// Pieces that wait to be written: half a second of live frames, or 1 MiB of a long silence. When they
/// are full nothing more is read from the relay.
const PIECES: usize = 32;

/// How long the last bytes may take: a disk needs no time, and a reader that has stopped is not waited for.
const LAST_WORDS: Duration = Duration::from_secs(5);

enum Piece {
    Bytes(Vec<u8>),
    /// A new header, over the old one.
    Header(Vec<u8>),
}

enum State {
    Closed,
    Open {
        pieces: mpsc::Sender<Piece>,
        writer: JoinHandle<io::Result<()>>,
    },
}

pub(super) struct Output {
    path: PathBuf,
    state: State,
    bytes: u64,
    settled: u64,
    /// Read from the recorder, and waiting for room.
    block: Vec<u8>,
}

impl Output {
    pub(super) fn new(path: PathBuf) -> Self {
        Output {
            path,
            state: State::Closed,
            bytes: 0,
            settled: 0,
            block: Vec::new(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Whether the file could be written, before anybody is called; leaves what is there as it is.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.is_pipe() && io::stdout().is_terminal() {
            let text = "audio is nothing to show on a terminal: pipe it, as in --output - | sox -t wav - …, or name a file";
            return Err(Failure::Usage(text.to_owned()));
        }
        let mut options = OpenOptions::new();
        options.write(true);
        let opened = match std::fs::metadata(&self.path) {
            _ if self.is_pipe() => return Ok(()),
            // Opening a FIFO would wait for its reader.
            Ok(meta) if !meta.is_file() && !meta.is_dir() => return Ok(()),
            Ok(_) => options.open(&self.path).map(drop),
            Err(_) => options
                .create_new(true)
                .open(&self.path)
                .and_then(|_| std::fs::remove_file(&self.path)),
        };
        opened.map_err(|e| self.unwritable(&e))
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        Failure::Failed(format!("cannot write {}: {error}", self.path.display()))
    }

    /// Whether it goes to stdout.
    pub(super) fn is_pipe(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// Audio bytes given so far, without the header.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Creates the file, once. The header comes first and says "until the end", so that a file whose
    /// writer was killed can be read.
    pub(super) async fn open(&mut self, recorder: &Recorder) -> Result<(), Failure> {
        if self.is_open() {
            return Ok(());
        }
        let sink = if self.is_pipe() {
            Sink::Pipe(Box::new(io::stdout()))
        } else {
            let file = File::create(&self.path).map_err(|e| self.unwritable(&e))?;
            // What is no plain file (a FIFO, a terminal) cannot be written over.
            let plain = file.metadata().is_ok_and(|meta| meta.is_file());
            if plain {
                Sink::File(file)
            } else {
                Sink::Pipe(Box::new(file))
            }
        };
        let (pieces, waiting) = mpsc::channel(PIECES);
        let writer = tokio::task::spawn_blocking(move || sink.drain(waiting));
        self.state = State::Open { pieces, writer };
        self.put(Piece::Bytes(recorder.header(None))).await
    }

    /// Writes what the recorder has settled.
    pub(super) async fn write(&mut self, recorder: &mut Recorder) -> Result<(), Failure> {
        // Cancelling it loses nothing: a block stays here until there is room for it.
        while !self.block.is_empty() || recorder.read(&mut self.block) {
            let Some(room) = self.room().await? else {
                return Ok(());
            };
            let block = std::mem::take(&mut self.block);
            let bytes = block.len() as u64;
            room.send(Piece::Bytes(block));
            self.bytes += bytes;
        }
        Ok(())
    }

    /// Sets the header right for what is written so far.
    pub(super) async fn settle(&mut self, recorder: &Recorder) -> Result<(), Failure> {
        if !self.is_open() || self.settled == self.bytes {
            return Ok(());
        }
        self.settled = self.bytes;
        self.put(Piece::Header(recorder.header(Some(self.bytes)))).await
    }

    /// What is left, the last header, and waits until all is written.
    pub(super) async fn finish(&mut self, recorder: &mut Recorder) -> Result<(), Failure> {
        let last = async {
            self.write(recorder).await?;
            self.put(Piece::Header(recorder.header(Some(self.bytes)))).await?;
            match std::mem::replace(&mut self.state, State::Closed) {
                State::Open { pieces, writer } => {
                    drop(pieces);
                    join(writer).await
                }
                State::Closed => Ok(()),
            }
        };
        tokio::time::timeout(LAST_WORDS, last).await.unwrap_or_else(|_| {
            Err(Failure::Failed(
                "the reader of the audio does not read; its end is lost".to_owned(),
            ))
        })
    }

    async fn put(&mut self, piece: Piece) -> Result<(), Failure> {
        if let Some(room) = self.room().await? {
            room.send(piece);
        }
        Ok(())
    }

    /// Room for one piece; `None` where nothing is open.
    async fn room(&mut self) -> Result<Option<mpsc::OwnedPermit<Piece>>, Failure> {
        let State::Open { pieces, .. } = &self.state else {
            return Ok(None);
        };
        if let Ok(room) = pieces.clone().reserve_owned().await {
            return Ok(Some(room));
        }
        // The writer ends early for one reason only, and says it.
        if let State::Open { writer, .. } = std::mem::replace(&mut self.state, State::Closed) {
            join(writer).await?;
        }
        Ok(None)
    }
}

async fn join(writer: JoinHandle<io::Result<()>>) -> Result<(), Failure> {
    match writer.await {
        Ok(result) => result.map_err(|e| written(&e)),
        Err(error) => Err(Failure::Failed(format!("the writer has ended: {error}"))),
    }
}

enum Sink {
    File(File),
    Pipe(Box<dyn Write + Send>),
}

impl Sink {
    fn drain(mut self, mut waiting: mpsc::Receiver<Piece>) -> io::Result<()> {
        while let Some(piece) = waiting.blocking_recv() {
            match (&mut self, piece) {
                (Sink::File(file), Piece::Bytes(bytes)) => file.write_all(&bytes)?,
                (Sink::File(file), Piece::Header(header)) => {
                    file.seek(SeekFrom::Start(0))?;
                    file.write_all(&header)?;
                    file.seek(SeekFrom::End(0))?;
                }
                (Sink::Pipe(pipe), Piece::Bytes(bytes)) => {
                    pipe.write_all(&bytes)?;
                    pipe.flush()?;
                }
                (Sink::Pipe(_), Piece::Header(_)) => {}
            }
        }
        match self {
            Sink::File(file) => file.sync_all(),
            Sink::Pipe(_) => Ok(()),
        }
    }
}
