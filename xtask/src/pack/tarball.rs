//! A tarball for npm whose bytes depend on names and contents alone.
//!
//! Entries are sorted; owner, mode and time are constants; the gzip header has no name, time or system. `npm pack`
//! fixes these too, but compresses with the zlib inside Node, which no lock file pins. Here the compressor is pinned by
//! `Cargo.lock`.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

/// The files of a package: paths relative to it, with `/`, and contents.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Where npm expects the package inside a tarball.
const ROOT: &str = "package";

/// 26 October 1985 08:15 UTC, in seconds: what npm gives all files. Zero is refused by some tools.
const TIME: u64 = 499_162_500;

/// gzip's number for an unknown system.
const NO_SYSTEM: u8 = 255;

/// How long to compress.
#[derive(Clone, Copy)]
pub(crate) enum Strength {
    /// For what is published
    Best,
    /// For what is thrown away
    Fast,
}

/// The tarball, compressed.
///
/// # Errors
///
/// A path is longer than the format allows.
pub(crate) fn tarball(files: &Files, strength: Strength) -> Result<Vec<u8>> {
    let level = match strength {
        Strength::Best => Compression::best(),
        Strength::Fast => Compression::fast(),
    };
    let gzip = GzBuilder::new().mtime(0).operating_system(NO_SYSTEM).write(Vec::new(), level);
    let mut builder = Builder::new(gzip);
    for (path, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_path(format!("{ROOT}/{path}")).with_context(|| format!("{path} does not fit into a tarball"))?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(TIME);
        header.set_cksum();
        builder.append(&header, bytes.as_slice())?;
    }
    let mut gzip = builder.into_inner()?;
    gzip.flush()?;
    Ok(gzip.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn files() -> Files {
        [("dist/full.wasm", &b"\0asm"[..]), ("package.json", b"{}"), ("dist/index.js", b"export {};\n")]
            .into_iter()
            .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
            .collect()
    }

    #[test]
    fn what_goes_in_comes_out_in_order_and_with_constants() {
        let bytes = tarball(&files(), Strength::Best).unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!((header.mode().unwrap(), header.mtime().unwrap()), (0o644, TIME));
            let path = entry.path().unwrap().display().to_string();
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents).unwrap();
            seen.push((path, contents));
        }
        let expected: Vec<_> = files().into_iter().map(|(path, bytes)| (format!("package/{path}"), bytes)).collect();
        assert_eq!(seen, expected);
    }

    /// RFC 1952, section 2.3: magic, method 8, no flags, time 0, strongest compression, unknown system.
    #[test]
    fn the_gzip_header_tells_nothing() {
        assert_eq!(tarball(&files(), Strength::Best).unwrap()[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    }
}
