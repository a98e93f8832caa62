//! Ingest keys and the admin token.
//!
//! An ingest key is public: it can only add reports. The admin token makes references and moves the simulated clock; it lives in a file that its owner alone can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use subtle::ConstantTimeEq;

const KEY_BYTES: usize = 16;
const TOKEN_BYTES: usize = 32;
const TOKEN_FILE: &str = "admin-token";

/// A new ingest key: 32 hexadecimal digits.
///
/// # Errors
///
/// The system gave no entropy.
pub fn new_ingest_key() -> Result<String, getrandom::Error> {
    random_hex::<KEY_BYTES>()
}

/// What proves that an operator speaks.
pub struct AdminToken(String);

impl AdminToken {
    /// The token of a data directory, made if there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or there is no entropy.
    pub fn of(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(TOKEN_FILE);
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().len() == 2 * TOKEN_BYTES => return Ok(Self(text.trim().to_owned())),
            Ok(_) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the admin token has 64 hexadecimal digits"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let token = random_hex::<TOKEN_BYTES>().map_err(io::Error::other)?;
        owner_only().open(&path)?.write_all(format!("{token}\n").as_bytes())?;
        Ok(Self(token))
    }

    /// Whether a header `Authorization: Bearer …` carries it. Takes the same time wherever the texts differ.
    #[must_use]
    pub fn admits(&self, authorization: &str) -> bool {
        let given = authorization.strip_prefix("Bearer ").unwrap_or("").trim();
        given.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl core::fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AdminToken(..)")
    }
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn random_hex<const N: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
