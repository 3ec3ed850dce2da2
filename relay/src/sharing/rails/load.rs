//! What goes to Redis together: messages in their order, in one pipeline, and no more at once than Redis takes without
//! keeping others waiting.

use redis::{Pipeline, Value};

/// Messages, and bytes of them, in one pipeline: a thousand are a millisecond of Redis' time.
const MESSAGES: usize = 1_000;
const BYTES: usize = 512 << 10;

/// Messages on their way.
#[derive(Default)]
pub(super) struct Load {
    pipe: Pipeline,
    messages: usize,
    bytes: usize,
}

impl Load {
    /// One more.
    pub(super) fn put(&mut self, channel: &str, payload: &[u8]) {
        self.pipe.cmd("PUBLISH").arg(channel).arg(payload);
        self.messages += 1;
        self.bytes += channel.len() + payload.len();
    }

    /// Whether what comes next is to wait for the next.
    pub(super) fn is_full(&self) -> bool {
        self.messages >= MESSAGES || self.bytes >= BYTES
    }

    pub(super) fn len(&self) -> usize {
        self.messages
    }

    /// Channels and payloads, in their order.
    #[cfg(test)]
    pub(super) fn told(&self) -> Vec<(String, String)> {
        use redis::Arg::Simple;
        let told = self.pipe.cmd_iter().map(|cmd| {
            let words = cmd.args_iter().map(|arg| match arg {
                Simple(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                _ => panic!("only words"),
            });
            match &words.collect::<Vec<_>>()[..] {
                [publish, channel, payload] if publish == "PUBLISH" => (channel.clone(), payload.clone()),
                other => panic!("{other:?}"),
            }
        });
        told.collect()
    }

    pub(super) fn into_pipe(self) -> Pipeline {
        self.pipe
    }
}

/// How many of these were refused, and by what word.
pub(super) fn refused(answers: &[Value]) -> Option<(usize, &str)> {
    let mut codes = answers.iter().filter_map(|answer| match answer {
        Value::ServerError(error) => Some(error.code()),
        _ => None,
    });
    let first = codes.next()?;
    Some((1 + codes.count(), first))
}
