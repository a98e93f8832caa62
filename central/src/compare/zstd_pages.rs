//! Pages that are compressed by zstd, decompressed in Rust.
//!
//! The Parquet reader takes zstd from a C library only. So it is told that the pages are not compressed and hands them
//! out as they are; here each is decompressed by `ruzstd`. The levels in front of a page of the second version are
//! never compressed. A page of more than [`MAX_PAGE_BYTES`] is refused.

use std::io::Read;

use bytes::Bytes;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use ruzstd::decoding::StreamingDecoder;

/// Most bytes of a page, decompressed. Writers aim at one MiB.
pub(super) const MAX_PAGE_BYTES: u64 = 1 << 28;

/// Decompresses what another reader hands out.
pub(super) struct ZstdPages<R> {
    compressed: R,
}

impl<R: PageReader> ZstdPages<R> {
    pub(super) fn new(compressed: R) -> Self {
        Self { compressed }
    }
}

impl<R: PageReader> PageReader for ZstdPages<R> {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        self.compressed.get_next_page()?.map(plain).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.compressed.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.compressed.skip_next_page()
    }
}

impl<R: PageReader> Iterator for ZstdPages<R> {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

fn plain(mut page: Page) -> Result<Page, ParquetError> {
    match &mut page {
        Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => *buf = decompress(buf, 0)?,
        Page::DataPageV2 { buf, is_compressed: true, def_levels_byte_len, rep_levels_byte_len, .. } => {
            *buf = decompress(buf, *def_levels_byte_len as usize + *rep_levels_byte_len as usize)?;
        }
        Page::DataPageV2 { .. } => {}
    }
    Ok(page)
}

/// `plain` bytes at the front stay as they are.
fn decompress(page: &Bytes, plain: usize) -> Result<Bytes, ParquetError> {
    let bad = |reason: &str| ParquetError::General(format!("zstd: {reason}"));
    let (levels, mut rest) = page.split_at_checked(plain).ok_or_else(|| bad("levels beyond the page"))?;
    let mut bytes = levels.to_vec();
    // A page whose values are all missing has nothing to decompress.
    while !rest.is_empty() {
        let decoder = StreamingDecoder::new(&mut rest).map_err(|error| bad(&error.to_string()))?;
        let read = decoder.take(MAX_PAGE_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| bad(&error.to_string()))?;
        if bytes.len() as u64 > MAX_PAGE_BYTES {
            return Err(bad("a page is larger than 256 MiB"));
        }
    }
    Ok(Bytes::from(bytes))
}
