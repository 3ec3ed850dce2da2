//! What a story says to redis-server by itself: one command, one answer, in RESP2. Not how the relay does it.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One connection.
pub(super) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(super) async fn connect(to: SocketAddr) -> Result<Wire, String> {
        let stream = TcpStream::connect(to).await.map_err(|e| e.to_string())?;
        Ok(Wire(BufReader::new(stream)))
    }

    pub(super) async fn ask(&mut self, command: &[&str]) -> Result<Value, String> {
        let mut said = format!("*{}\r\n", command.len());
        for word in command {
            said.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        let written = self.0.get_mut().write_all(said.as_bytes()).await;
        written.map_err(|e| e.to_string())?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.0.read_line(&mut line).await.map_err(|e| e.to_string())?;
        let Some((kind, rest)) = line.trim_end().split_at_checked(1) else {
            return Err("it closed".to_owned());
        };
        match kind {
            "+" => Ok(rest.into()),
            "-" => Err(rest.to_owned()),
            ":" => Ok(number(rest)?.into()),
            "$" if rest == "-1" => Ok(Value::Null),
            "$" => {
                let mut bytes = vec![0; number(rest)? as usize + 2];
                let read = self.0.read_exact(&mut bytes).await;
                read.map_err(|e| e.to_string())?;
                let text = bytes.strip_suffix(b"\r\n").unwrap_or(&bytes);
                Ok(String::from_utf8_lossy(text).into())
            }
            "*" if rest == "-1" => Ok(Value::Null),
            "*" => {
                let mut all = Vec::new();
                for _ in 0..number(rest)? {
                    all.push(Box::pin(self.answer()).await?);
                }
                Ok(all.into())
            }
            _ => Err(format!("no answer: {line:?}")),
        }
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("no number: {text:?}"))
}
