//! What a configuration names, looked at as a start would, by who does not want to start: tokens, keys, and the files
//! that have to be written. Changes nothing.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Access, access};

use super::login;
use crate::access::jwt::Jwt;
use crate::access::tokens;
use crate::audit;
use crate::broker::Broker;
use crate::config::Config;
use crate::{state, tls};

/// All that is wrong with the files that a configuration names, each with its mend.
pub fn examine(config: &Config) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(path) = &config.tokens
        && let Err(unusable) = tokens::file::read(path)
    {
        wrong.extend(unusable.reasons());
    }
    if let Err(unusable) = Jwt::new(login(config)) {
        wrong.push(unusable.to_string());
    }
    if let Some(path) = &config.audit
        && let Err(failed) = audit::look(path)
    {
        wrong.push(failed.to_string());
    }
    if let Some(settings) = super::redis(config, "config")
        && let Err(unusable) = Broker::new(settings, Arc::default())
    {
        wrong.push(unusable.to_string());
    }
    if let Some(files) = &config.tls
        && let Err(unusable) = tls::Server::read(files)
    {
        wrong.push(unusable.to_string());
    }
    if let Some(path) = &config.state
        && let Err(failed) = state::look(path)
    {
        wrong.push(failed.to_string());
    }
    for (flag, path) in [("--audit", &config.audit), ("--state", &config.state)] {
        let Some(path) = path else {
            continue;
        };
        if let Err(error) = writable(path) {
            let path = path.display();
            wrong.push(format!(
                "{flag} {path}: it cannot be written: {error}; make its folder, and give it to the relay's user"
            ));
        }
    }
    wrong
}

/// Whether a file can be written, or made where there is none. Makes and changes nothing.
///
/// # Errors
/// The system's word.
pub fn writable(path: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from)
        }
        Err(error) => Err(error),
    }
}
